"""GACC documents without our envelope (exchange profile, XP-BAR).

The names of id, parties and time stand in the document's own Head. A response echoes the
MessageID of the request that it answers, several per request are normal, and some lack it:
they are told apart by sender, id, function, SendTime and digest.
"""

from datetime import timedelta

from lxml import etree

from gateway.codec.convert import converter
from gateway.codec.envelope import Envelope
from gateway.errors import DocumentError, Finding, TrustError
from gateway.flows.services import PROFILE_VERSION, Counterpart, Services
from gateway.model.values import Moment
from gateway.signing.verify import Verified

RESPONSE = "11"
"""CN010: function code of a response."""

_SEND_TIME = "moment:yyyyMMddHHmmssSSS:480"


def is_bare(root: etree._Element) -> bool:
    """True for a GACC manifest message that travels without an envelope."""
    return etree.QName(root).localname == "Manifest"


def envelope_of(services: Services, counterpart: Counterpart, verified: Verified) -> Envelope:
    """Read what an envelope would say from the document's Head.

    Raises DocumentError `schema-invalid` when the Head lacks what identifies a message, and
    TrustError `party-mismatch` for another sender than the profile names.
    """
    root = verified.element
    head = {name: _text(root, ("Head", name)) for name in _HEAD}
    missing = [name for name in ("FunctionCode", "MessageType", "SendTime") if not head[name]]
    if missing:
        found = [Finding("schema-invalid", "head", f"Head/{name}") for name in missing]
        raise DocumentError("schema-invalid", *found)
    expected = counterpart.profile.get("bareSender", head["SenderID"])
    if head["SenderID"] != expected or verified.party != counterpart.name:
        raise TrustError("party-mismatch", Finding("party-mismatch", "sender", "Head/SenderID"))
    response = head["FunctionCode"] == RESPONSE
    sent: Moment = converter(_SEND_TIME, services.clock().date()).decode(head["SendTime"])
    created = sent.instant()
    own_id = head["MessageID"]
    message_id = _response_id(head, verified.digest) if response or not own_id else own_id
    name = "cn.response" if response else f"cn.{head['MessageType'].lower()}"
    path = ("Response", "ID") if response else ("Declaration", "ID")
    return Envelope(
        message_id=message_id,
        conversation_id=services.ids(),
        ref_to=own_id if response and own_id else None,
        sender=counterpart.name,
        recipient=services.name,
        document_type=name,
        document_type_version=_version(services, name),
        function="original",
        document_version=1,
        order_key=_text(root, path) or message_id,
        sequence=0,
        created=created,
        expires=created + timedelta(days=30),
        test=services.test,
        commitment="",
        attachments=(),
        profile_version=PROFILE_VERSION,
    )


_HEAD = ("MessageID", "FunctionCode", "MessageType", "SenderID", "SendTime")


def _version(services: Services, name: str) -> str:
    known = name in services.formats.names()
    return services.formats.header(name).version if known else ""


def _response_id(head: dict[str, str], digest: str) -> str:
    parts = (head["SenderID"], head["MessageID"], head["FunctionCode"], head["SendTime"])
    return "|".join((*parts, digest[:32]))


def _text(root: etree._Element, path: tuple[str, ...]) -> str:
    """Return the text at a path of local names, or ''."""
    element: etree._Element | None = root
    for name in path:
        if element is None:
            return ""
        element = next((e for e in element if etree.QName(e).localname == name), None)
    return (element.text or "").strip() if element is not None else ""
