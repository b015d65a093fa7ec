"""[recognition]: whether inspection results are recognised, and by which rules."""

from datetime import timedelta

from gateway.settings.values import Duration, File, FutureFile, Section


class RecognitionSection(Section):
    """[recognition] rules: folder of the rule set; none: the one that ships. certificates: of
    the keys that must have signed it, both sides'. allow_unsigned: a set that nobody signed is
    taken: to try out, never in production. every: how often statements and receipts are
    exchanged with the counterpart, which needs both head keys."""

    rules: FutureFile | None = None
    certificates: tuple[File, ...] = ()
    allow_unsigned: bool = False
    every: Duration = timedelta(seconds=5)
