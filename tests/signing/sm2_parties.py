"""SM2 keys, and two implementations that are not ours: gmalg, and the OpenSSL command line."""

import os
import shutil
import subprocess
from pathlib import Path

import gmalg
from signing_parties import NOW, Party, party

from gateway.signing import sm2
from gateway.signing.algorithms import der_of
from gateway.signing.issue import KeyKind
from gateway.signing.sm2_curve import USER_ID

KNOWN_SCALAR = bytes.fromhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")
DISTID = f"distid:{USER_ID.decode()}"


def sm2_party(name: str = "link-sm2") -> Party:
    return party(name, KeyKind.SM2)


def openssl(*arguments: str | Path, ok: bool | None = True) -> str:
    """Run openssl (3 or later) and return what it says. ok: whether it succeeds; None: either
    (releases differ)."""
    program = shutil.which("openssl")
    assert program, "install openssl 3 or later: `apt-get install openssl`"
    done = subprocess.run(
        [program, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OPENSSL_CONF": os.devnull},
    )
    assert ok is None or (done.returncode == 0) is ok, done.stderr
    return done.stdout + done.stderr


def openssl_signs(folder: Path, message: bytes, user_id: bytes = USER_ID) -> bytes:
    """Make a key and a signature (DER) with OpenSSL: key.pem, value.der."""
    (folder / "message").write_bytes(message)
    openssl("genpkey", "-algorithm", "SM2", "-out", folder / "key.pem")
    openssl(
        *("dgst", "-sm3", "-sign", folder / "key.pem", "-out", folder / "value.der"),
        *("-sigopt", f"distid:{user_id.decode()}", folder / "message"),
    )
    return (folder / "value.der").read_bytes()


def openssl_verifies(
    folder: Path, key: sm2.Sm2PrivateKey, value: bytes, message: bytes, user_id: bytes = USER_ID
) -> bool:
    (folder / "key.pem").write_bytes(key.pem(None))
    (folder / "message").write_bytes(message)
    (folder / "value.der").write_bytes(der_of(value))
    openssl("pkey", "-in", folder / "key.pem", "-pubout", "-out", folder / "public.pem")
    said = subprocess.run(
        [
            *("openssl", "dgst", "-sm3", "-verify", folder / "public.pem"),
            *("-signature", folder / "value.der"),
            *("-sigopt", f"distid:{user_id.decode()}", folder / "message"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    return said.returncode == 0 and "Verified OK" in said.stdout


def gmalg_signs(
    scalar: bytes, message: bytes, user_id: bytes = USER_ID, k: int | None = None
) -> bytes:
    fixed = (lambda _bits: k) if k is not None else None
    r, s = gmalg.SM2(scalar, uid=user_id, rnd_fn=fixed).sign(message)
    return bytes(r) + bytes(s)


def gmalg_verifies(point: bytes, value: bytes, message: bytes, user_id: bytes = USER_ID) -> bool:
    return bool(gmalg.SM2(pk=point, uid=user_id).verify(message, value[:32], value[32:]))


def openssl_time() -> list[str]:
    """Options of `openssl verify` for the instant of these tests."""
    return ["-attime", str(int(NOW.timestamp())), "-vfyopt", DISTID]
