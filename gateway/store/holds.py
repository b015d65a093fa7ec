"""Leases by name: one node at a time runs what they stand for."""

from datetime import datetime

from sqlalchemy import bindparam, or_
from sqlalchemy.dialects.postgresql import insert

from gateway.store.columns import Instant
from gateway.store.rows import Rows
from gateway.store.tables_log import hold

_new = insert(hold)
_HOLD = _new.on_conflict_do_update(
    index_elements=[hold.c.name],
    set_={"owner": _new.excluded.owner, "until": _new.excluded.until},
    where=or_(hold.c.owner == _new.excluded.owner, hold.c.until <= bindparam("now", type_=Instant)),
).returning(hold.c.name)


class Holds(Rows):
    """A competing process waits until this transaction ends, then sees what it left."""

    def hold(self, name: str, owner: str, now: datetime, until: datetime) -> bool:
        """Take or keep the lease of a name; False while another owner has it.

        It is free from `until` on; the owner gives it back with `until` = `now`. Inside the
        transaction that takes it nobody else can have it, whatever the clocks say.
        """
        row = {"name": name, "owner": owner, "until": until, "now": now}
        return self.connection.execute(_HOLD, row).one_or_none() is not None
