"""What an agency hands in, read: sizes, its signature, its format, decoded.

Of a signed document only what was signed is decoded and goes on; the octets as they came, the
signature around or in them, are what is stored as the original.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.codec.formats import Decoded
from gateway.errors import AccessError, DocumentError, Finding, TrustError, refusal
from gateway.flows.ports import Transaction
from gateway.flows.revocation import Judged
from gateway.flows.services import Agency, Services, SignedForm
from gateway.flows.standing import standing_of
from gateway.signing.forms import open_signed
from gateway.signing.opened import Opened
from gateway.signing.profiles import Shape
from gateway.signing.smime_mime import looks_like_mime

SMIME_TYPE = "multipart/signed"
SIGNED = "signed"
"""Role of the document that holds what was signed of an original."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One document as it came. name: for findings. format: if the sender says it."""

    name: str
    content: bytes
    format: str | None = None


@dataclass(frozen=True, slots=True)
class Intake:
    """An upload that was read.

    id: of its message row. media_type: of the octets as they came. content: what was decoded;
    of a signed upload what was signed. opened: its signature, None where its format has none.
    judged: how its signer stands.
    """

    id: str
    upload: Upload
    media_type: str
    content: bytes
    decoded: Decoded
    opened: Opened | None = None
    judged: tuple[Judged, ...] = ()


def content_of(tx: Transaction, message_id: str) -> bytes:
    """Return the octets of a submission that are decoded: of a signed one what was signed."""
    return tx.content(message_id, SIGNED) or tx.content(message_id, "original") or b""


def permit(services: Services, uploads: Sequence[Upload]) -> None:
    """Refuse what is too many or too large. DocumentError."""
    if not uploads:
        raise DocumentError("malformed", Finding("malformed", "document-missing"))
    if len(uploads) > services.limits.uploads:
        raise DocumentError(
            "too-large",
            Finding(
                "too-large",
                "documents",
                found=str(len(uploads)),
                expected=f"at most {services.limits.uploads}",
            ),
        )
    for upload in uploads:
        if len(upload.content) > services.limits.document_bytes:
            limit = f"at most {services.limits.document_bytes} bytes"
            raise DocumentError(
                "too-large",
                Finding("too-large", "size", upload.name, str(len(upload.content)), limit),
            )


def read_uploads(
    services: Services, agency: Agency, uploads: Sequence[Upload]
) -> tuple[Intake, ...]:
    """Open, decode and check every upload; raise once, with the findings of all of them.

    DocumentError. TrustError at once: what nobody vouches for is not looked into any further;
    AccessError for a format that the agency may not submit.
    """
    findings: list[Finding] = []
    intakes: list[Intake] = []
    for upload in uploads:
        try:
            intakes.append(_read(services, agency, upload))
        except DocumentError as error:
            findings += error.findings or [Finding(error.code, error.code, upload.name)]
        except TrustError as error:
            raise TrustError(error.code, *_placed(error, upload)) from error
    if failure := refusal(findings):
        raise failure
    return tuple(intakes)


def _placed(error: TrustError, upload: Upload) -> list[Finding]:
    found = error.findings or (Finding(error.code, error.code),)
    return [replace(each, path=f"{upload.name}: {each.path}".rstrip(": ")) for each in found]


def _read(services: Services, agency: Agency, upload: Upload) -> Intake:
    form = _stated_form(services, agency, upload)
    opened: Opened | None = None
    judged: tuple[Judged, ...] = ()
    content = upload.content
    if form:
        opened = open_signed(
            upload.content, form.policy, services.clock(), services.timestamp_anchors
        )
        content = opened.content
        judged = standing_of(
            services, form.policy, opened, claimed=opened.claimed, proven=opened.proven
        )
    name = _format(services, agency, upload, content)
    _check_form(form, agency.form_of(name), name)
    decoded = services.formats.decode(name, content)
    signed_mime = form is not None and form.policy.profile.shape is Shape.SMIME
    media = SMIME_TYPE if signed_mime else services.formats.header(name).media_type
    return Intake(services.ids(), upload, media, content, decoded, opened, judged)


def _stated_form(services: Services, agency: Agency, upload: Upload) -> SignedForm | None:
    """Return how an upload must be signed, as far as it shows before it is opened."""
    if not agency.signed:
        return None
    if upload.format:
        return agency.form_of(upload.format)
    if looks_like_mime(upload.content):
        mime = (form for form in agency.signed if form.policy.profile.shape is Shape.SMIME)
        return next(mime, None)
    return agency.form_of(services.formats.detect(upload.content))


def _check_form(opened: SignedForm | None, due: SignedForm | None, name: str) -> None:
    """The format that was found inside must be signed in the form that was opened."""
    if opened is due:
        return
    wanted = due.policy.profile.name if due else "no signature"
    if opened is None:
        finding = Finding("signature-missing", "unsigned", "", name, wanted)
        raise TrustError("signature-missing", finding)
    used = opened.policy.profile.name
    raise TrustError(
        "signature-scope", Finding("signature-scope", "signed-form", "", f"{name} {used}", wanted)
    )


def _format(services: Services, agency: Agency, upload: Upload, content: bytes) -> str:
    name = upload.format or services.formats.detect(content)
    if name not in services.formats.names():
        raise DocumentError("type-unknown", Finding("type-unknown", "format", upload.name, name))
    if name not in agency.formats:
        raise AccessError("forbidden", Finding("forbidden", "format", upload.name, name))
    return name
