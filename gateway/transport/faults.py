"""httpx's errors become ours, here and nowhere else."""

import errno
import socket
import ssl
from collections.abc import Iterator

import httpx

from gateway.errors import CounterpartError, Finding

_TIMED_OUT = (httpx.TimeoutException, TimeoutError)
_BAD_ANSWER = (httpx.RemoteProtocolError, httpx.DecodingError)


def translated(fault: Exception, destination: str) -> CounterpartError:
    """Return the failure of a send: `timed-out`, `bad-answer` or `unreachable`, with one
    finding whose rule names the cause."""
    if isinstance(fault, httpx.ConnectTimeout):
        return failure("timed-out", "connect", destination, str(fault))
    if isinstance(fault, _TIMED_OUT):
        return failure("timed-out", "deadline", destination, type(fault).__name__)
    if isinstance(fault, _BAD_ANSWER):
        return failure("bad-answer", "http", destination, str(fault))
    return failure("unreachable", _cause(fault), destination, str(fault) or type(fault).__name__)


def failure(code: str, rule: str, destination: str, found: str) -> CounterpartError:
    """Return a CounterpartError with the one finding that explains it."""
    return CounterpartError(code, Finding(code, rule, destination, found=found[:200]))


def nothing_was_sent(fault: BaseException) -> bool:
    """Return True when the connection failed before any byte of the request left, in a way
    that another try may mend at once: a certificate that was refused stays refused, and one
    time-out of connecting is long enough."""
    if not isinstance(fault, httpx.ConnectError):
        return False
    return not any(isinstance(e, ssl.SSLCertVerificationError) for e in _chain(fault))


def _cause(fault: Exception) -> str:
    """Name what is behind an error: the commonest question of those who operate a link."""
    for error in _chain(fault):
        if isinstance(error, ssl.SSLCertVerificationError):
            return "tls-certificate"
        if isinstance(error, ssl.SSLError):
            return "tls"
        if isinstance(error, socket.gaierror):
            return "name-unknown"
        if isinstance(error, OSError) and error.errno is not None:
            return errno.errorcode.get(error.errno, "network").lower()
    return "network"


def _chain(fault: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = fault
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
