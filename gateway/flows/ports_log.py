"""What flows need of the store for evidence: leases by name, the log, its heads."""

from datetime import datetime
from typing import Protocol


class Holds(Protocol):
    """Leases by name, for what only one node runs at a time."""

    def hold(self, name: str, owner: str, now: datetime, until: datetime) -> bool:
        """Take or keep the lease of a name; False while another owner has it.

        It is free from `until` on; the owner gives it back with `until` = `now`. Inside the
        transaction that takes it nobody else can have it, whatever the clocks say.
        """
        ...
