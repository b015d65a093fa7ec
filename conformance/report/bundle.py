"""A run as one signed file: the reports, their digests, and who says so.

`MANIFEST.json` names each file by SHA-256 and SM3; `MANIFEST.dsse.json` is its DSSE envelope,
signed with the tester's key (ECDSA P-256).
"""

import base64
import hashlib
import json
import zipfile
from pathlib import Path

import gmalg
from cryptography import x509

from conformance.crypto import schemes
from conformance.crypto.keys import Key
from conformance.crypto.shapes import ECDSA_SHA256, PROFILE

MANIFEST, ENVELOPE = "MANIFEST.json", "MANIFEST.dsse.json"
TYPE = "application/vnd.conformance.manifest+json"
MOST_FILES, LARGEST = 64, 64 * 1024 * 1024


class BundleError(Exception):
    """A bundle that cannot be believed; it says why."""


def write(folder: Path, key: Key, path: Path) -> None:
    """Pack the reports of a folder and sign for them."""
    files = {f.name: f.read_bytes() for f in sorted(folder.iterdir()) if f.is_file()}
    digests = {name: _digests(octets) for name, octets in files.items()}
    manifest = json.dumps(digests, sort_keys=True, indent=1).encode()
    signature = schemes.sign(key.private, _encoded(manifest), PROFILE)
    envelope = {
        "payloadType": TYPE,
        "payload": base64.b64encode(manifest).decode(),
        "signatures": [{"keyid": key.fingerprint, "sig": base64.b64encode(signature).decode()}],
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, octets in files.items():
            packed.writestr(name, octets)
        packed.writestr(MANIFEST, manifest)
        packed.writestr(ENVELOPE, json.dumps(envelope, indent=1))


def verify(path: Path, certificate: bytes) -> list[str]:
    """Return the names of the files that a bundle proves. BundleError when it proves nothing:
    the signature, a digest, a file too many or too few."""
    try:
        files = _unpacked(path)
        manifest, envelope = files.pop(MANIFEST), json.loads(files.pop(ENVELOPE))
        payload = base64.b64decode(envelope["payload"], validate=True)
        value = base64.b64decode(envelope["signatures"][0]["sig"], validate=True)
        digests = json.loads(payload)
    except (KeyError, IndexError, TypeError, ValueError, zipfile.BadZipFile) as fault:
        raise BundleError(f"no bundle: {type(fault).__name__}") from fault
    public = x509.load_der_x509_certificate(certificate).public_key()
    if payload != manifest or envelope.get("payloadType") != TYPE:
        raise BundleError("the envelope is not about this manifest")
    if not schemes.verifies(public, ECDSA_SHA256, value, _encoded(payload)):
        raise BundleError("the signature does not verify with this certificate")
    if set(files) != set(digests):
        raise BundleError(f"files differ from the manifest: {set(files) ^ set(digests)}")
    for name, octets in files.items():
        if _digests(octets) != digests[name]:
            raise BundleError(f"{name} was changed")
    return sorted(files)


def _unpacked(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as packed:
        entries = packed.infolist()
        names = [entry.filename for entry in entries]
        plain = all("/" not in n and "\\" not in n and n not in ("", ".", "..") for n in names)
        if len(set(names)) != len(names) or not plain or len(names) > MOST_FILES:
            raise BundleError("names in the file are not plain")
        if sum(entry.file_size for entry in entries) > LARGEST:
            raise BundleError("it is too large")
        return {entry.filename: packed.read(entry) for entry in entries}


def _digests(octets: bytes) -> dict[str, str]:
    sm3 = gmalg.SM3()
    sm3.update(octets)
    return {"sha256": hashlib.sha256(octets).hexdigest(), "sm3": bytes(sm3.value()).hex()}


def _encoded(payload: bytes) -> bytes:
    """The octets that DSSE signs (PAE)."""
    name = TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)
