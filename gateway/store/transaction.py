"""What can be done inside one durable commit, put together from its parts."""

from gateway.store.halves import Halves
from gateway.store.holds import Holds
from gateway.store.ledger import Ledger
from gateway.store.log import Log
from gateway.store.messages import Messages
from gateway.store.numbers import Numbers
from gateway.store.projection import Projection
from gateway.store.recognition import Recognition
from gateway.store.scan import Scan
from gateway.store.statuses import Statuses
from gateway.store.tasks import Tasks


class Transaction(
    Messages,
    Tasks,
    Numbers,
    Halves,
    Projection,
    Holds,
    Log,
    Scan,
    Ledger,
    Statuses,
    Recognition,
):
    """Implements `gateway.flows.ports.Transaction` on one database connection."""
