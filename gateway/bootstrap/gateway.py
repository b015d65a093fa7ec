"""One whole gateway of one process: store, link, flows, worker, listeners."""

import threading
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from prometheus_client import CollectorRegistry, ProcessCollector

from gateway import store as stores
from gateway.api import agencies
from gateway.api.admission import Admission, Capacity
from gateway.api.counterpart import CounterpartApp
from gateway.api.health import OperationsApp, Readiness
from gateway.api.listener import App, Listener
from gateway.api.metrics import Backlog, Metrics, SignersUp
from gateway.api.metrics_keys import DaysLeft
from gateway.api.metrics_ledger import LedgerAlarms
from gateway.api.metrics_log import LogFigures, overdue
from gateway.api.metrics_revocation import RevocationSources
from gateway.api.threads import Threads
from gateway.bootstrap import (
    evidence,
    ledger,
    outside,
    parts,
    recognition,
    shapes,
    timestamps,
    trust,
)
from gateway.bootstrap.tls_files import (
    TlsFiles,
    Watched,
    listener_tls,
    of_destination,
    of_listener,
)
from gateway.bootstrap.used import ends, refuse_demo_keys
from gateway.errors import Finding, UnavailableError
from gateway.flows import deliver, distribute, seal, settle_answer, waiting
from gateway.flows.chores import Chore
from gateway.flows.receive import receive
from gateway.flows.signers import SignerWatch, our_signers
from gateway.model.states import TaskKind
from gateway.settings.sections import Listen, ListenOperations, Settings
from gateway.transport.link import Endpoint, HttpLink
from gateway.worker import Pace, Waking, Worker

_LAST_WORDS = 2.0
"""Seconds for tasks whose send was cut off to say so before the store closes."""


class Gateway:
    """The parts of a running gateway. Ports are bound when it is made; `close` ends it."""

    def __init__(self, settings: Settings, *, listening: bool, working: bool) -> None:
        """UnavailableError (files, keys, store, ports), MappingError (tables), TrustError
        (keys of the demo outside it, a pack that was not applied).

        An SQLite file is brought to the current schema; a server's database is not, as other
        nodes may run on it: `gateway db upgrade`.
        """
        refuse_demo_keys(settings)
        shapes.learn()
        self.settings = settings
        self.listeners: list[Listener] = []
        self.readiness: Readiness | None = None
        self.worker: Worker | None = None
        url = parts.store_url(settings.store)
        if url.startswith("sqlite:"):
            stores.upgrade(url)
        with ExitStack() as opened:
            self.store = opened.enter_context(stores.open(url, vault=evidence.vault(settings)))
            self.store.check()
            bell = threading.Event()
            opened.callback(self._last_words)
            self.link = opened.enter_context(HttpLink(self._places(), outside.clock))
            self.services = parts.services_of(
                settings,
                Waking(self.store, bell) if working else self.store,
                self.link,
                clock=outside.clock,
                ids=outside.new_id,
                randomness=outside.randomness,
            )
            self.services = trust.with_statuses(self.services, settings, opened)
            known = recognition.recognition(settings, outside.clock())
            self.services = replace(self.services, recognition=known)
            if working:
                self.worker = self._make_worker(bell)
                opened.callback(self.worker.close, settings.worker.drain.total_seconds())
            if listening:
                threads = Threads()
                opened.callback(threads.close, settings.worker.drain.total_seconds())
                self._listen(threads)
            self.tls_files = TlsFiles(self._watched())
            self._opened = opened.pop_all()

    def _places(self) -> list[Endpoint]:
        """Return what we call, with what the secrets' files say now."""
        counterparts = [*parts.endpoints(self.settings), *ledger.endpoints(self.settings)]
        return [*counterparts, *timestamps.endpoints(self.settings)]

    def _watched(self) -> list[Watched]:
        """Name everything that uses TLS files."""
        listen = self.settings.listen
        found = [
            of_listener(listener, getattr(listen, listener.name)) for listener in self.listeners
        ]
        called = [of_destination(self.link, each, self._places) for each in self._places()]
        return [each for each in (*found, *called) if each is not None]

    def close(self) -> None:
        """Let what runs end, then close everything, the store last."""
        self._opened.close()

    def start_draining(self) -> None:
        """Say `not ready` from now on, while what runs ends."""
        if self.readiness is not None:
            self.readiness.draining = True

    def _last_words(self) -> None:
        if self.worker is not None:
            self.worker.settled(_LAST_WORDS)

    def _make_worker(self, bell: threading.Event) -> Worker:
        stated = self.settings.worker
        return Worker(
            self.store,
            {
                TaskKind.SEND: partial(deliver.send, self.services),
                TaskKind.HAND_OVER: partial(deliver.hand_over, self.services),
                TaskKind.DISTRIBUTE: partial(distribute.distribute, self.services),
                TaskKind.SEAL: partial(seal.seal, self.services),
            },
            self._chores(),
            clock=outside.clock,
            ids=outside.new_id,
            randomness=outside.randomness,
            destinations=[endpoint.name for endpoint in parts.endpoints(self.settings)],
            pace=Pace(
                places=stated.places,
                lease=stated.lease,
                poll=stated.poll.total_seconds(),
                schedule=self.services.schedule,
                breaker=parts.breaker(self.settings),
            ),
            bell=bell,
        )

    def _chores(self) -> list[Chore]:
        """List what this node does now and then."""
        stated = self.settings.worker
        return [
            Chore("expiry", stated.expire_every, partial(waiting.expire, self.services)),
            Chore("tls-files", stated.look_at_tls, lambda: self.tls_files.poll()),
            *evidence.chores(self.services, self.settings),
            *trust.chores(self.services, self.settings),
            *ledger.chores(self.services, self.settings),
            *recognition.chores(self.services, self.settings),
        ]

    def _listen(self, threads: Threads) -> None:
        """Bind the listeners that are configured, the operations' last."""
        registry = CollectorRegistry()
        registry.register(Backlog(self.store, outside.clock))
        registry.register(LedgerAlarms(self.store))
        registry.register(LogFigures(self.store, outside.clock))
        ProcessCollector(registry=registry)
        if self.services.revocation is not None:
            registry.register(RevocationSources(self.store, outside.clock))
        watch = SignerWatch(our_signers(self.services), outside.clock)
        registry.register(SignersUp(watch.purposes, watch.down))
        left = partial(ends, self.settings, self.services.pack)
        registry.register(DaysLeft(left, lambda: self.tls_files.refused, outside.clock))
        metrics = Metrics(registry)
        late = overdue(self.store)
        readiness = self.readiness = Readiness(self.store.check, threads, watch.down, late)
        listen, ids = self.settings.listen, outside.new_id
        if listen.counterpart:
            link_app = CounterpartApp(
                partial(receive, self.services),
                parts.peers(self.settings, self.services.pack),
                self.services.limits.document_bytes,
                threads=threads,
                admission=self._admission(),
                readiness=readiness,
                metrics=metrics,
                ids=ids,
                settle=partial(settle_answer.answer, self.services),
            )
            self._bind("counterpart", link_app, listen.counterpart)
        if listen.agencies:
            rest_app = agencies.create(
                self.services,
                threads=threads,
                admission=self._admission(),
                readiness=readiness,
                metrics=metrics,
            )
            self._bind("agencies", rest_app, listen.agencies)
        if listen.operations:
            operations_app = OperationsApp(readiness, metrics, threads, ids)
            self._bind("operations", operations_app, listen.operations)

    def _admission(self) -> Admission:
        stated = self.settings.limits
        octets = max(Capacity().octets, 4 * stated.document_bytes)
        return Admission(Capacity(stated.requests, octets, stated.per_peer))

    def _bind(self, name: str, app: App, listen: Listen | ListenOperations) -> None:
        tls = listener_tls(listen)
        drain = int(self.settings.worker.drain.total_seconds())
        address = (listen.host, listen.port)
        try:
            self.listeners.append(Listener(name, app, address, tls, drain=drain))
        except (OSError, ValueError) as fault:
            place = f"{listen.host}:{listen.port}"
            finding = Finding("unavailable", "listen", f"listen.{name} {place}", str(fault))
            raise UnavailableError("unavailable", finding) from fault
