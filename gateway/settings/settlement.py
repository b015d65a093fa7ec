"""[settlement]: the ledger that is kept with the counterpart."""

from datetime import timedelta

from gateway.settings.values import Duration, Section


class SettlementSection(Section):
    """[settlement] heads_every: how often our newest head is offered to be cosigned. every: how
    often all days are compared with the counterpart. Both need its head key pinned."""

    heads_every: Duration = timedelta(minutes=5)
    every: Duration = timedelta(hours=24)
