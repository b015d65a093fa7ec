"""SM2 verification in plain Python: a second opinion on libcrypto, and the judge in tests.

It only verifies. Arithmetic on Python's numbers takes time that depends on their values, so it
must never touch a private key; there is nothing here that could.
"""

from gateway.signing.sm2_curve import GX, GY, A, N, P, coordinates, pair, signed_digest

Point = tuple[int, int] | None
"""Affine coordinates; None is the point at infinity."""


def verify(point: bytes, value: bytes, message: bytes, user_id: bytes) -> bool:
    """Return whether r || s is the signature of a message by the key 04 || x || y.

    GB/T 32918.2, 7.1. False for anything that is out of range or not on the curve.
    """
    try:
        key, (r, s) = coordinates(point), pair(value)
    except ValueError:
        return False
    t = (r + s) % N
    if t == 0:
        return False
    found = _add(_times(s, (GX, GY)), _times(t, key))
    e = int.from_bytes(signed_digest(point, message, user_id), "big")
    return found is not None and (e + found[0]) % N == r


def _add(first: Point, second: Point) -> Point:
    if first is None or second is None:
        return first or second
    (x1, y1), (x2, y2) = first, second
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    if first == second:
        slope = (3 * x1 * x1 + A) * pow(2 * y1, -1, P) % P
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, P) % P
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def _times(number: int, point: Point) -> Point:
    result: Point = None
    while number:
        if number & 1:
            result = _add(result, point)
        point = _add(point, point)
        number >>= 1
    return result
