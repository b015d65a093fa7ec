"""A bare signature value in a field of the document: DecSign/Sign of the e-port declaration.

    DecMessage              the root; one child DecSign
      DecSign               in it, each once: Sign (the value, base64, at most 200 characters),
                            SignDate (yyyyMMddHHmmss00), Certificate (number of the card)

The fields and their lengths are confirmed. What the value is over is not: we read and write it
over the inclusive C14N of the document whose Sign is empty, and say so in the profile's page.
The document names no method: it is the one of the profile that the pinned key fits.
"""

import base64
import hashlib
from datetime import UTC, datetime, timedelta, timezone

from lxml import etree

from gateway.errors import Finding, GatewayError, TrustError
from gateway.safexml import c14n
from gateway.signing.algorithms import ALGORITHMS, der_of
from gateway.signing.bare_keys import certificate_of, check_bare, methods_of, number_of
from gateway.signing.exact import octets_of, path_of, refuse
from gateway.signing.keys import Signer
from gateway.signing.opened import Opened, Proof, claimed_time
from gateway.signing.profiles import SignatureProfile, ValueForm
from gateway.signing.rolling import settled
from gateway.signing.trust import TrustPolicy

DECLARATION = "http://www.chinaport.gov.cn/dec"
LONGEST_VALUE = 200
"""Characters of Sign."""
_TIME = "%Y%m%d%H%M%S00"
_BEIJING = timezone(timedelta(hours=8))
_ROOT, _GROUP, _VALUE, _DATE, _NUMBER = (
    f"{{{DECLARATION}}}{name}"
    for name in ("DecMessage", "DecSign", "Sign", "SignDate", "Certificate")
)
_ANY_GROUP = etree.XPath("//*[local-name() = 'DecSign']")


def open_bare(root: etree._Element, policy: TrustPolicy, at: datetime) -> Opened:
    """Verify the value in a declaration; the content is the canonical document without it.

    The tree is taken over. TrustError `signature-missing` (no DecSign, or Sign is empty),
    `signature-scope`, `signature-invalid`, `stale`, `future-dated`, and those of
    `certificate_of` and `TrustPolicy.signer`.
    """
    try:
        return _open(root, policy, at)
    except GatewayError:
        raise
    except Exception as unexpected:  # whatever it is, it is no valid signature
        finding = Finding("signature-invalid", "unexpected", "", type(unexpected).__name__)
        raise TrustError("signature-invalid", finding) from unexpected


def _open(root: etree._Element, policy: TrustPolicy, at: datetime) -> Opened:
    profile = policy.profile
    value_field, date, number = _fields(root)
    value = octets_of(value_field)
    if len(value_field.text or "") > LONGEST_VALUE:
        refuse("signature-scope", "sign-length", path_of(value_field), "", f"{LONGEST_VALUE}")
    when = claimed_time(_instant(date), at, profile.oldest)
    certificate = certificate_of(policy, number.text or "", path_of(number))
    methods = methods_of(certificate, policy)
    key = policy.signer(certificate, when, methods[0])
    value_field.text = None
    content = c14n(root)
    method = check_bare(value, content, key, methods, profile)
    return Opened(
        content,
        key.party,
        key.fingerprint,
        key.chain,
        method,
        hashlib.sha256(content).hexdigest(),
        when,
        Proof.CLAIMED,
    )


def _fields(root: etree._Element) -> tuple[etree._Element, etree._Element, etree._Element]:
    """Return Sign, SignDate and Certificate, each there once, in the one DecSign."""
    groups = _ANY_GROUP(root)
    if root.tag != _ROOT or not isinstance(groups, list) or not groups:
        refuse("signature-missing", "signature-missing", "DecMessage/DecSign")
    (group, *more) = groups
    if more or group.tag != _GROUP or group.getparent() is not root:
        refuse("signature-scope", "one-signature", "DecMessage/DecSign", str(len(groups)), "1")
    for node in root.iter(etree.Comment, etree.ProcessingInstruction):
        refuse("signature-scope", "comment", f"line {node.sourceline}")
    value, date, number = (_once(group, tag) for tag in (_VALUE, _DATE, _NUMBER))
    if not (value.text or "").strip():
        refuse("signature-missing", "signature-missing", path_of(value))
    return value, date, number


def _once(group: etree._Element, tag: str) -> etree._Element:
    found = group.findall(tag)
    if len(found) != 1 or len(found[0]) or found[0].keys():
        name = etree.QName(tag).localname
        refuse("signature-scope", "children", f"DecMessage/DecSign/{name}", str(len(found)), "1")
    return found[0]


def _instant(element: etree._Element) -> datetime:
    """Return SignDate, which is local time of the e-port."""
    try:
        stated = datetime.strptime((element.text or "").strip(), _TIME)  # noqa: DTZ007
    except ValueError:
        refuse("signature-invalid", "signing-time", path_of(element))
    return stated.replace(tzinfo=_BEIJING).astimezone(UTC)


def sign_bare(
    root: etree._Element, signer: Signer, profile: SignatureProfile, at: datetime
) -> bytes:
    """Return a declaration with Sign, SignDate and Certificate filled in, canonical.

    root: with the three fields in place; it is taken over. TrustError `algorithm-not-allowed`,
    `signature-scope` (fields missing, or the value is longer than Sign may be);
    UnavailableError when the signer cannot sign now.
    """
    signer = settled(signer)
    if signer.algorithm not in profile.methods:
        refuse("algorithm-not-allowed", "signer", "signer", signer.algorithm)
    group = root.find(_GROUP)
    if root.tag != _ROOT or group is None:
        refuse("signature-scope", "children", "DecMessage/DecSign", "0", "1")
    value_field, date, number = (_once(group, tag) for tag in (_VALUE, _DATE, _NUMBER))
    value_field.text = None
    date.text = at.astimezone(_BEIJING).strftime(_TIME)
    number.text = number_of(signer.certificate)
    value = signer.sign(c14n(root))
    if profile.value is ValueForm.DER and ALGORITHMS[signer.algorithm].size:
        value = der_of(value)
    text = base64.b64encode(value).decode()
    if len(text) > LONGEST_VALUE:
        refuse("signature-scope", "sign-length", "DecSign/Sign", str(len(text)), "200")
    value_field.text = text
    return c14n(root)
