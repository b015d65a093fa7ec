"""The curve of SM2 (GB/T 32918.5), and the digest that is signed (GB/T 32918.2)."""

from cryptography.hazmat.primitives import hashes

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
GX = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
GY = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0
"""Field, curve (y^2 = x^3 + A x + B), order of the group and its base point."""

SIZE = 32
"""Octets of a coordinate, of r and of s."""

POINT_SIZE = 1 + 2 * SIZE
"""Octets of an uncompressed point, 04 || x || y."""

USER_ID = b"1234567812345678"
"""The user id where a profile names no other (GM/T 0009)."""


def sm3(content: bytes) -> bytes:
    """Return the SM3 digest (GB/T 32905), 32 octets."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(content)
    return digest.finalize()


def signed_digest(point: bytes, message: bytes, user_id: bytes) -> bytes:
    """Return e = SM3(Z || M), Z = SM3(ENTL || ID || a || b || G || P). point: 04 || x || y."""
    curve = b"".join(number.to_bytes(SIZE, "big") for number in (A, B, GX, GY))
    z = sm3((8 * len(user_id)).to_bytes(2, "big") + user_id + curve + point[1:])
    return sm3(z + message)


def coordinates(point: bytes) -> tuple[int, int]:
    """Return x and y of an uncompressed point; ValueError when it is not on the curve."""
    if len(point) != POINT_SIZE or point[0] != 4:
        raise ValueError("not an uncompressed point")
    x, y = int.from_bytes(point[1 : 1 + SIZE], "big"), int.from_bytes(point[1 + SIZE :], "big")
    if not (x < P and y < P and (y * y - (x * x * x + A * x + B)) % P == 0):
        raise ValueError("the point is not on the curve")
    return x, y


def pair(value: bytes) -> tuple[int, int]:
    """Return r and s of a value r || s; ValueError when they cannot be those of a signature."""
    r, s = int.from_bytes(value[:SIZE], "big"), int.from_bytes(value[SIZE:], "big")
    if len(value) != 2 * SIZE or not (0 < r < N and 0 < s < N):
        raise ValueError("r or s is out of range")
    return r, s
