"""Open a signed document, whatever its shape: the one door to all the forms.

What comes back is what was signed, and nothing else may be used. A further shape is one more
row of `_XML`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from lxml import etree

from gateway.safexml import c14n, parse
from gateway.signing.bare import open_bare
from gateway.signing.detached import open_detached
from gateway.signing.enveloping import open_enveloping
from gateway.signing.opened import Opened, Proof
from gateway.signing.profiles import Shape
from gateway.signing.smime import open_smime
from gateway.signing.trust import TrustPolicy
from gateway.signing.verify import verify_document
from gateway.signing.xades import open_xades

_Opener = Callable[[etree._Element, TrustPolicy, datetime], Opened]


def open_signed(
    content: bytes, policy: TrustPolicy, at: datetime, anchors: Sequence[bytes] = ()
) -> Opened:
    """Verify a document in the shape that the policy's profile names.

    at: now. anchors: certificates (DER) that timestamps must lead to. TrustError with the named
    reason; DocumentError when it is not XML where XML is due.
    """
    shape = policy.profile.shape
    if shape is Shape.SMIME:
        return open_smime(content, policy, at)
    root = parse(content)
    if shape is Shape.XADES:
        return open_xades(root, policy, at, anchors)
    return _XML[shape](root, policy, at)


def _open_enveloped(root: etree._Element, policy: TrustPolicy, at: datetime) -> Opened:
    done = verify_document(root, policy, at)
    return Opened(
        c14n(done.element),
        done.party,
        done.fingerprint,
        done.chains[0],
        done.algorithm,
        done.digest,
        at,
        Proof.RECEIVED,
    )


_XML: Mapping[Shape, _Opener] = {
    Shape.ENVELOPED: _open_enveloped,
    Shape.ENVELOPING: open_enveloping,
    Shape.DETACHED: open_detached,
    Shape.BARE: open_bare,
}
