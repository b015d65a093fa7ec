"""The usual signature, taken apart at once: its canonical octets against the one form that our
own signer writes. A signature of any other form goes through each check by itself.

A form allows what `preflight` allows, and less: a test holds that both say the same.
"""

import base64
import binascii
import re
from functools import lru_cache

from lxml import etree

from gateway.safexml import c14n
from gateway.signing.profiles import DSIG, SignatureProfile

_DECLARED = f' xmlns:ds="{DSIG}"'.encode()

Taken = tuple[bytes, str, str, bytes, bytes, bytes]


def taken(signature: etree._Element, profile: SignatureProfile) -> Taken | None:
    """Return (the C14N of SignedInfo, method, digest method, digest, value, certificate) of a
    signature over the whole document. None for another form.

    There are no comments and instructions in it.
    """
    found = _form(profile).fullmatch(c14n(signature))
    if found is None or _DECLARED not in found[1]:
        return None
    declared, info, method, digest_method, *texts = found.groups()
    digest, value, certificate = (_octets(text) for text in texts)
    if not (digest and value and certificate):
        return None
    message = b"<ds:SignedInfo%b>%b</ds:SignedInfo>" % (declared, info)
    return message, method.decode(), digest_method.decode(), digest, value, certificate


@lru_cache(maxsize=64)
def _form(profile: SignatureProfile) -> re.Pattern[bytes]:
    def empty(name: str, algorithm: str) -> str:
        return f'<ds:{name} Algorithm="{algorithm}"></ds:{name}>'

    def one_of(algorithms: tuple[str, ...]) -> str:
        return f"({'|'.join(map(re.escape, algorithms))})"

    transforms = "".join(empty("Transform", re.escape(each)) for each in profile.transforms)
    text = "([^<]*+)"
    form = (
        '<ds:Signature((?: xmlns(?::[A-Za-z0-9_.-]++)?+="[^"<]*+")*+)><ds:SignedInfo>('
        f"{empty('CanonicalizationMethod', re.escape(profile.c14n))}"
        f"{empty('SignatureMethod', one_of(profile.methods))}"
        f'<ds:Reference URI=""><ds:Transforms>{transforms}</ds:Transforms>'
        f"{empty('DigestMethod', one_of(profile.digests))}"
        f"<ds:DigestValue>{text}</ds:DigestValue></ds:Reference>)</ds:SignedInfo>"
        f"<ds:SignatureValue>{text}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>"
        f"<ds:X509Certificate>{text}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        "</ds:Signature>"
    )
    return re.compile(form.encode())


def _octets(text: bytes) -> bytes:
    """Return what a text says in the one canonical spelling of base64, b"" for another."""
    try:
        octets = binascii.a2b_base64(text)
    except binascii.Error:
        return b""
    return octets if base64.b64encode(octets) == text else b""
