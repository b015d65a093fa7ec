"""What `gateway doctor` says of the bilateral pack."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.evidence.pack import Pack
    from gateway.settings import Settings

SOON = 30
"""Days: a pack that ends sooner is a warning."""


def pack(settings: "Settings") -> Iterator[tuple[str, str, str]]:
    """Say (level, text, advice) of the pack: is it the one applied, how long is it good, do
    the settings agree with it. Nothing without one."""
    from gateway import texts
    from gateway.bootstrap import pack_desk, packs
    from gateway.bootstrap.pack_draft import disagreements
    from gateway.errors import GatewayError

    if all(section.pack is None for section in settings.counterpart.values()):
        return
    try:
        current, known = pack_desk.current(settings)
        if current is None or known is None:
            yield "FAIL", "not applied, or its file was changed", "gateway pack apply FILE --yes"
            return
        yield _until(current)
        found = disagreements(settings, current)
        found += [*packs.differing(current)]
    except GatewayError as failure:
        yield "FAIL", str(failure), "gateway pack apply FILE --yes"
        return
    for finding in found:
        yield "WARN", f"{finding.path}: {texts.explain(finding, 'en')}", ""


def _until(current: "Pack") -> tuple[str, str, str]:
    from gateway.bootstrap.outside import clock

    days = (current.valid_to - clock()).days
    text = f"version {current.version}, {days} days left"
    if days < 0:
        return "FAIL", text, "it has ended: the other side is not believed; sign a new one"
    if days < SOON:
        return "WARN", text, "agree on the next one: gateway pack draft"
    return "OK", text, ""
