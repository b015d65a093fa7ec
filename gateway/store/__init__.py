"""The only place that speaks SQL.

`open(url)` gives the store that flows use through `gateway.flows.ports.Store`; `upgrade(url)`
brings a database to the current schema. SQLite (`sqlite:///file`) needs no set-up;
PostgreSQL (`postgresql://...`) serves many equal nodes.
"""

from gateway.store.engine import Store, open
from gateway.store.migrate import upgrade

__all__ = ["Store", "open", "upgrade"]
