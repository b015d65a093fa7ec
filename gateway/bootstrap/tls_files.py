"""TLS keys, certificates and anchors are taken from their files again without a restart.

1 look      size and time of each file, and what a link points to
2 load      key and certificate must fit, anchors must be some; else the old ones stay
3 use       new connections shake hands with the new ones; open ones end as they are
"""

import ssl
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from gateway.api.listener import Listener, Tls
from gateway.bootstrap.outside import secret
from gateway.errors import GatewayError
from gateway.settings.sections import Listen, ListenOperations
from gateway.transport.link import Endpoint, HttpLink
from gateway.transport.tls import Identity

Stamp = tuple[tuple[int, ...], ...]

log = structlog.get_logger("gateway.tls")


@dataclass(frozen=True, slots=True)
class Watched:
    """What uses TLS files. use: loads and takes them; raises and keeps the old ones."""

    name: str
    files: tuple[Path, ...]
    use: Callable[[], None]


class TlsFiles:
    """The TLS files of a process. Safe for many threads."""

    def __init__(self, watched: Iterable[Watched]) -> None:
        """Made when the files were just loaded."""
        self._watched = tuple(watched)
        self._lock = threading.Lock()
        self._seen: dict[str, Stamp] = {each.name: _stamp(each.files) for each in self._watched}
        self.refused: Mapping[str, str] = {}

    def poll(self) -> int:
        """Take what changed; return how many users of files took new ones."""
        return self._take(changed_only=True)

    def reload(self) -> int:
        """Take all anew (SIGHUP)."""
        return self._take(changed_only=False)

    def _take(self, *, changed_only: bool) -> int:
        with self._lock:
            count = 0
            for each in self._watched:
                stamp = _stamp(each.files)
                if changed_only and stamp == self._seen[each.name]:
                    continue
                self._seen[each.name] = stamp
                count += self._used(each)
            return count

    def _used(self, each: Watched) -> bool:
        try:
            each.use()
        except (GatewayError, OSError, ssl.SSLError, ValueError) as fault:
            reason = str(fault)[:200]
            self.refused = {**self.refused, each.name: reason}
            log.warning("tls-files-refused", used_by=each.name, error=reason)
            return False
        self.refused = {name: why for name, why in self.refused.items() if name != each.name}
        log.info("tls-files-taken", used_by=each.name)
        return True


def _stamp(files: tuple[Path, ...]) -> Stamp:
    return tuple(_mark(file) for file in files)


def _mark(file: Path) -> tuple[int, ...]:
    try:
        found = file.stat()
    except OSError:
        return ()
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def of_listener(listener: Listener, section: Listen | ListenOperations) -> Watched | None:
    """Watch the files of a listener; None for one without TLS."""
    if section.certificate is None or section.key is None or section.anchors is None:
        return None
    files = [section.certificate, section.key, section.anchors]
    files += [section.password_file] if section.password_file else []

    def use() -> None:
        if tls := listener_tls(section):
            listener.use(tls)

    return Watched(f"listen.{listener.name}", tuple(files), use)


def listener_tls(section: Listen | ListenOperations) -> Tls | None:
    """Return the TLS files of a listener, with the password read now; None without TLS."""
    if section.certificate is None or section.key is None or section.anchors is None:
        return None
    password = secret(section.password_file)
    words = password.decode() if password else None
    return Tls(section.certificate, section.key, section.anchors, words)


def of_destination(
    link: HttpLink, endpoint: Endpoint, endpoints: Callable[[], Sequence[Endpoint]]
) -> Watched:
    """Watch the files with which a destination is called. endpoints: makes them anew, with
    what their password files say now."""
    named = (endpoint.anchors, *_files(endpoint.identity))

    def use() -> None:
        link.use(next(each for each in endpoints() if each.name == endpoint.name))

    return Watched(endpoint.name, tuple(file for file in named if file), use)


def _files(identity: Identity | None) -> tuple[Path, ...]:
    return (identity.certificate, identity.key) if identity else ()
