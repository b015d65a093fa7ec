"""A token of a hardware security module, reached over PKCS#11 by many threads.

The login to a token is the process's, so sessions share that of the first one.

    1 place     one of a bounded number; a token that hangs cannot take every thread
    2 session   an idle one, else a new one under the login
    3 call      digests only: no document leaves the machine
    4 fault     the library is initialised anew, so all sessions are; one more try; then
                UnavailableError, and the token is left alone for a moment

A PIN that was refused is never tried again: tokens lock after a few.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pkcs11.constants import ObjectClass
from pkcs11.exceptions import (
    MultipleObjectsReturned,
    NoSuchKey,
    PinExpired,
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PinLocked,
    PKCS11Error,
    UserAlreadyLoggedIn,
)

from gateway.errors import Finding, UnavailableError
from gateway.signing.pkcs11_library import library

T = TypeVar("T")

PATIENCE = 5.0
"""Seconds to wait for a free session."""
PAUSE = 1.0
"""Seconds for which a token that failed is left alone."""
_WHEN_BUSY = 5
"""So many times the pause a token is left alone whose sessions were all taken for too long: it
may hang, and each caller that waits takes a thread."""
RETRY_AFTER = 5.0
"""Seconds after which callers should come again."""

_FAULTS = (PKCS11Error, RuntimeError, OSError)
_PIN_FAULTS = (PinExpired, PinIncorrect, PinInvalid, PinLenRange, PinLocked)


@dataclass(frozen=True, slots=True)
class KeyRef:
    """Names a private key in a token: by its label, its id, or both."""

    label: str | None = None
    id: bytes | None = None

    def __str__(self) -> str:
        return f"{self.label or ''}:{self.id.hex() if self.id else ''}"


@dataclass(slots=True)
class _Seat:
    """A session for one thread at a time, and the keys that it found. generation: of the
    library, in which it was opened."""

    token: Any
    session: Any
    generation: int
    keys: dict[KeyRef, Any] = field(default_factory=dict)

    def key(self, ref: KeyRef) -> Any:
        if ref not in self.keys:
            self.keys[ref] = self.session.get_key(
                object_class=ObjectClass.PRIVATE_KEY, label=ref.label, id=ref.id
            )
        return self.keys[ref]


class Token:
    """One token and its sessions. Safe for many threads; nothing is opened before it is used,
    so that a gateway starts while its token is down."""

    def __init__(
        self,
        module: Path,
        label: str,
        pin: Callable[[], bytes],
        sessions: int = 8,
        *,
        pause: float = PAUSE,
        patience: float = PATIENCE,
    ) -> None:
        """module: the maker's library. pin: reads the user PIN anew each time it is needed.
        sessions: calls at once. pause: seconds for which a token that failed is left alone.
        patience: seconds to wait for a free session."""
        self.label = label
        self._library = library(module)
        self._pin = pin
        self._pause, self._patience = pause, patience
        self._places = threading.BoundedSemaphore(sessions)
        self._lock = threading.Lock()  # of the list; never held during a call
        self._opening = threading.Lock()
        self._idle: list[_Seat] = []
        self._login: _Seat | None = None
        self._refused: bytes | None = None
        self._quiet_until = 0.0

    def sign(self, ref: KeyRef, octets: bytes, **mechanism: Any) -> bytes:
        """Sign octets as they are with a private key of the token.

        mechanism: as python-pkcs11 names it. UnavailableError with the rule `hsm` (any fault
        of the token), `hsm-key` (no such key, or several), `hsm-pin` or `hsm-busy`.
        """
        return self._used(lambda seat: bytes(seat.key(ref).sign(octets, **mechanism)))

    def manage(self, work: Callable[[Any], T]) -> T:
        """Run work with a session that may write; UnavailableError as for `sign`."""

        def run(seat: _Seat) -> T:
            with seat.token.open(rw=True) as session:
                return work(session)

        return self._used(run)

    def _used(self, work: Callable[[_Seat], T]) -> T:
        self._check_quiet()
        if not self._places.acquire(timeout=self._patience):
            self._leave_alone(_WHEN_BUSY)
            raise self._failure("hsm-busy", "")
        try:
            self._check_quiet()
            return self._tried(work)
        finally:
            self._places.release()

    def _leave_alone(self, times: int = 1) -> None:
        self._quiet_until = time.monotonic() + times * self._pause

    def _tried(self, work: Callable[[_Seat], T]) -> T:
        """Try, and once more with everything fresh: sessions end when a token is reset."""
        generation = self._library.generation
        with suppress(*_FAULTS):
            return self._attempt(work)
        with suppress(*_FAULTS):
            self._library.renew(generation)
        try:
            return self._attempt(work)
        except (NoSuchKey, MultipleObjectsReturned) as fault:
            raise self._failure("hsm-key", type(fault).__name__) from fault
        except _PIN_FAULTS as fault:
            raise self._failure("hsm-pin", type(fault).__name__) from fault
        except _FAULTS as fault:
            self._leave_alone()
            raise self._failure("hsm", type(fault).__name__) from fault

    def _attempt(self, work: Callable[[_Seat], T]) -> T:
        with self._library.inside() as loaded:
            seat = self._seat(loaded)
            result = work(seat)
        with self._lock:
            if seat.generation == self._library.generation:
                self._idle.append(seat)
        return result

    def _seat(self, loaded: Any) -> _Seat:
        """Return an idle session, else a new one; the first logs in for all."""
        generation = self._library.generation
        with self._lock:
            while self._idle:
                seat = self._idle.pop()
                if seat.generation == generation:
                    return seat
        with self._opening_alone():
            token = loaded.get_token(token_label=self.label)
            if self._login is None or self._login.generation != generation:
                self._login = _Seat(token, self._logged_in(token), generation)
            return _Seat(token, token.open(), generation)

    @contextmanager
    def _opening_alone(self) -> Iterator[None]:
        if not self._opening.acquire(timeout=self._patience):
            raise RuntimeError("another thread opens this token, and does not end")
        try:
            yield
        finally:
            self._opening.release()

    def _logged_in(self, token: Any) -> Any:
        pin = self._pin()
        if pin == self._refused:
            raise PinIncorrect
        try:
            return token.open(user_pin=pin.decode())
        except UserAlreadyLoggedIn:  # by another Token of this process
            return token.open()
        except _PIN_FAULTS:
            self._refused = pin
            raise

    def _check_quiet(self) -> None:
        """Fail at once while the token is left alone: it would not help to ask 25 times."""
        if time.monotonic() < self._quiet_until:
            raise self._failure("hsm", "failed a moment ago")

    def _failure(self, rule: str, found: str) -> UnavailableError:
        finding = Finding("unavailable", rule, f"token {self.label}", found)
        return UnavailableError("unavailable", finding, retry_after=RETRY_AFTER)
