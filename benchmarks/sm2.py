"""The whole path with SM2 and SM3: the arithmetic is libcrypto's, everything else is ours."""

from benchmarks.documents import NOW, manifest, message, translated
from benchmarks.measure import Ratio, compare
from benchmarks.stacks import XmlSec
from gateway.codec import envelope
from gateway.codec.formats import Formats
from gateway.safexml import parse
from gateway.signing.issue import KeyKind, Purpose, Subject, leaf
from gateway.signing.keys import key_signer
from gateway.signing.profiles import profile
from gateway.signing.sign import sign_document
from gateway.signing.trust import PinnedKey, TrustPolicy, Usage
from gateway.signing.verify import verify_document

PROFILE = profile("link-sm2")


class Sm2:
    """The gateway with an SM2 key: hardened parse, verify, XSD in, translate, XSD out, sign."""

    def __init__(self, formats: Formats) -> None:
        self.formats = formats
        subject = Subject("CN", "Benchmark", "", "benchmark")
        issued = leaf(subject, Purpose.MESSAGE, NOW, 3650, kind=KeyKind.SM2)
        self.signer = key_signer(issued.key, issued.der)
        pinned = PinnedKey(issued.der, "cn", Usage.MESSAGE)
        self.policy = TrustPolicy.of(PROFILE, Usage.MESSAGE, [pinned])

    def signed(self, lines: int) -> bytes:
        """Return a signed link message with so many goods lines."""
        return sign_document(message(manifest(lines), "cn.mt2401"), self.signer, PROFILE)

    def path(self, raw: bytes) -> bytes:
        """The whole path."""
        verified = verify_document(parse(raw), self.policy, NOW)
        _, body = envelope.read_message(verified.element)
        content = translated(self.formats, self.formats.decode_tree("cn.mt2401", body))
        self.formats.check_output("cn.mt1401", content)
        return sign_document(message(content, "cn.mt1401"), self.signer, PROFILE)


def whole_path(formats: Formats, y: XmlSec, with_ecdsa: bytes, lines: int) -> Ratio:
    """Compare the path of one message with what Y does with the same one, signed with ECDSA:
    libxmlsec has no SM2."""
    ours = Sm2(formats)
    raw = ours.signed(lines)
    return compare(lambda: ours.path(raw), lambda: y.path(with_ecdsa), 60)
