"""A worker process: many RQ threads, each replaced when it ends, and what looks after them.

The order of a stop: no new job is begun, waiting threads give their jobs back, calls in flight finish within `GRACE_SECONDS`,
the heartbeat goes, then the connections.
"""

from __future__ import annotations

import logging
import os
import random
import statistics
import sys
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import redis
from prometheus_client import CollectorRegistry

from pipeline import keys
from pipeline.archive import ArchiveSettings
from pipeline.archive_ledger import TELL_SECONDS, ArchiveLedger
from pipeline.archive_s3 import S3Archive
from pipeline.archives import open_archive
from pipeline.broker import Broker
from pipeline.clock import RedisClock
from pipeline.errors import redact
from pipeline.jobs import JobQueue
from pipeline.mailbox import FLIGHT_SECONDS, Mailbox
from pipeline.metrics import THREAD_STATES, ArchiveMetrics, MetricsServer, WorkerMetrics
from pipeline.periodic import Periodic
from pipeline.presence import Presence
from pipeline.provider import Provider
from pipeline.results import Results
from pipeline.shared import Privacy
from workers.analyze import Analyzer, InHand, install
from workers.archiver import Archiver
from workers.rate_limit import RateLimit, RateLimits
from workers.rekognition import BotoRekognition
from workers.rq_threads import ThreadWorker, forget_ghosts
from workers.rules import KnownCameras
from workers.through_s3 import ThroughS3
from workers.tracking import Tracking
from workers.turns import TurnsByKind

log = logging.getLogger(__name__)

GRACE_SECONDS = 3.0
SWITCH_SECONDS = 0.001  # Python's 5 ms are half a slot at 100 calls a second, and a slot passes through two threads
SWEEP_SECONDS = 1.0
CLOCK_SECONDS = 20.0
GHOSTS_SECONDS = 60.0
UPLINK_SECONDS = 1.0
PRIVACY_SECONDS = 1.0
TURNS_SECONDS = 1.0  # well within the 3 s after which a job without a sign of life is lost (pipeline/lua/common.lua)
ARCHIVERS = 4  # frames that are on their way to S3 at once
LEAST_DERIVED = 2  # so that two people who come together are searched together
DERIVED_SHARE = 4  # of the threads one in so many may wait for the limits of searches and labels
CAMERAS_SECONDS = 1.0
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.2, 2.0
_STEADY_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What one worker process is told; `threads` is how many calls it has in flight at most."""

    provider: Provider
    threads: int
    burst: int = 1
    connect_timeout: float = 2.0
    read_timeout: float = 10.0
    version: str = ""
    privacy: bool = False
    archive: ArchiveSettings | None = None


def run(broker: Broker, settings: WorkerSettings, stop: threading.Event) -> None:
    """Work until `stop` is set; Redis may come and go meanwhile.

    Raises BrokerError when Redis cannot be used at the start, ProviderError when Rekognition cannot be called as configured.
    """
    broker.check()
    sys.setswitchinterval(SWITCH_SECONDS)
    process = WorkerProcess(broker, settings, stop)
    process.start()
    stop.wait()
    process.shut_down()


class WorkerProcess:
    """The parts of one worker process, wired."""

    def __init__(self, broker: Broker, settings: WorkerSettings, stop: threading.Event) -> None:
        provider = settings.provider
        registry = CollectorRegistry()
        self._stop = stop
        self._broker = broker
        self._metrics = WorkerMetrics(registry)
        self._states = ThreadStateGauge(self._metrics, settings.threads)
        self._clock = RedisClock(broker.scripts)
        self._uplink = UplinkMedian(broker.scripts)
        self._mailbox = Mailbox(broker.scripts, JobQueue(broker.jobs))
        self._results = Results(broker.scripts)
        self._in_hand = InHand(self._mailbox)
        self._privacy = Privacy(broker.scripts, told=settings.privacy)
        self._cameras = KnownCameras(broker.scripts)
        self._turns = TurnsByKind(places_of_searches(settings.threads))
        self._limits = RateLimits(lambda operation: self._shared_limit(settings, operation))
        self._rekognition = BotoRekognition(provider, settings.threads, settings.connect_timeout, settings.read_timeout)
        self._server = MetricsServer(registry, broker.own_address())
        self._presence = Presence(
            broker.scripts, "worker", settings.version, self._server.address, lambda: self._describe(settings)
        )
        self._threads = [WorkerThread(broker, index, stop, self._refused) for index in range(settings.threads)]
        self._through_s3 = _through_s3(settings)
        self._archiver = self._make_archiver(settings.archive, registry) if settings.archive else None
        self._archive_ledger = ArchiveLedger(broker.scripts)
        self._chores = self._make_chores()
        install(self._analyzer(settings).analyze)

    def start(self) -> None:
        """Begin to work."""
        with suppress(redis.RedisError):
            self._privacy.look()
            self._cameras.look()
        if self._archiver:
            self._archiver.start()
        for thread in self._threads:
            thread.start()
        for chore in self._chores:
            chore.start()
        self._presence.start()

    def shut_down(self) -> None:
        """End in order; `stop` is set already."""
        self._limits.stop()
        deadline = time.monotonic() + GRACE_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        for chore in self._chores:
            chore.stop()
        self._give_back_what_waits()
        if self._archiver:
            self._archiver.stop()
            with suppress(redis.RedisError):
                self._archive_ledger.leave(self._presence.name)
        if self._through_s3:
            self._through_s3.close()
        self._presence.stop()
        self._server.stop()
        self._rekognition.close()

    def _analyzer(self, settings: WorkerSettings) -> Analyzer:
        return Analyzer(
            mailbox=self._mailbox,
            limits=self._limits,
            rekognition=self._rekognition,
            provider=settings.provider,
            worker=self._presence.label,
            clock=self._clock,
            metrics=self._metrics,
            threads=self._states,
            uplink=self._uplink,
            in_hand=self._in_hand,
            privacy=self._privacy,
            cameras=self._cameras,
            tracking=Tracking(self._broker.scripts, self._mailbox, self._privacy, self._metrics.tracking_failures),
            turns=self._turns,
            stop=self._stop,
            archiver=self._archiver,
            through_s3=self._through_s3,
        )

    def _make_archiver(self, settings: ArchiveSettings, registry: CollectorRegistry) -> Archiver:
        threads = ARCHIVERS if settings.bucket else 1
        return Archiver(open_archive(settings, threads), threads, self._may_keep, ArchiveMetrics(registry))

    def _may_keep(self, camera: str, is_covered: bool) -> bool:
        """Say whether a picture may still be kept: rules may have changed while it waited."""
        return self._cameras.known(camera).purpose.keeps_pictures and (is_covered or not self._privacy.is_on)

    def _shared_limit(self, settings: WorkerSettings, operation: str) -> RateLimit:
        provider = settings.provider
        return RateLimit(
            self._broker.scripts,
            provider.scope,
            operation,
            provider.calls_per_second(operation),
            burst=settings.burst,
            dollars=provider.dollars_per_call(operation),
            on_rate=self._metrics.rate_limit_per_second.labels(operation).set,
        )

    def _make_chores(self) -> list[Periodic]:
        def chore(name: str, seconds: float, action: Any) -> Periodic:
            return Periodic(name, seconds, action, lambda error: log.warning("%s: %s", name, error))

        return [
            chore("sweep", SWEEP_SECONDS, self._sweep),
            chore("in hand", FLIGHT_SECONDS / 4, self._in_hand.extend),
            chore("turns", TURNS_SECONDS, lambda: self._turns.renew(self._mailbox.hold)),
            chore("privacy", PRIVACY_SECONDS, self._privacy.look),
            chore("cameras", CAMERAS_SECONDS, self._cameras.look),
            chore("clock", CLOCK_SECONDS, self._set_clock),
            chore("ghosts", GHOSTS_SECONDS, lambda: forget_ghosts(self._broker.scripts)),
            chore("uplink", UPLINK_SECONDS, self._uplink.publish),
            *([chore("archive", TELL_SECONDS, self._tell_what_waits)] if self._archiver else []),
        ]

    def _tell_what_waits(self) -> None:
        if self._archiver:
            self._archive_ledger.tell(self._presence.name, self._archiver.waiting)

    def _give_back_what_waits(self) -> None:
        with suppress(redis.RedisError):
            for camera, token in self._turns.waiting():
                self._mailbox.release(camera, token)

    def _sweep(self) -> None:
        """Let one process of all sweep in each second."""
        client: Any = self._broker.scripts
        if client.set(f"{keys.PREFIX}sweeper", os.getpid(), nx=True, px=int(SWEEP_SECONDS * 900)):
            self._mailbox.sweep()
            self._results.trim()

    def _set_clock(self) -> None:
        self._clock.synchronise()
        self._metrics.clock_error_seconds.set(self._clock.error_seconds)

    def _refused(self) -> None:
        self._metrics.jobs_refused.inc()

    def _describe(self, settings: WorkerSettings) -> dict[str, Any]:
        return {
            "threads": settings.threads,
            "alive": sum(thread.is_alive() for thread in self._threads),
            "provider": settings.provider.label,
            "scope": redact(settings.provider.scope),
            "endpoint": redact(settings.provider.endpoint_url or ""),
            **self._states.counts(),
            **({"archive": dict(self._archiver.details)} if self._archiver else {}),
        }


def places_of_searches(threads: int) -> int:
    """Return how many threads may wait for the limit of searches: of few so many that the cameras keep one."""
    return max(1, min(LEAST_DERIVED, threads - 2), threads // DERIVED_SHARE)


def _through_s3(settings: WorkerSettings) -> ThroughS3 | None:
    if settings.archive is None or not settings.archive.is_sent:
        return None
    return ThroughS3(S3Archive(settings.archive, settings.threads))


class WorkerThread:
    """Keeps one RQ worker running: when it ended, with Redis or by a fault, another of a new name takes its place."""

    def __init__(self, broker: Broker, index: int, stop: threading.Event, on_refused: Any) -> None:
        self._broker = broker
        self._index = index
        self._stop = stop
        self._on_refused = on_refused
        self._thread = threading.Thread(target=self._run, name=f"worker-{index}", daemon=True)
        self.start, self.join, self.is_alive = self._thread.start, self._thread.join, self._thread.is_alive

    def _run(self) -> None:
        pause = _SHORTEST_PAUSE
        while not self._stop.is_set():
            started = time.monotonic()
            self._work()
            if time.monotonic() - started > _STEADY_SECONDS:
                pause = _SHORTEST_PAUSE
            self._stop.wait(pause * random.uniform(0.5, 1.5))
            pause = min(_LONGEST_PAUSE, pause * 2)

    def _work(self) -> None:
        name = f"{os.getpid()}-{self._index}-{uuid.uuid4().hex[:6]}"
        connection = redis.Redis(connection_pool=self._broker.jobs.connection_pool)
        try:
            ThreadWorker(connection, name, self._stop, self._on_refused).work_until_stopped()
        except redis.RedisError as error:
            log.debug("worker thread %s ended: %s", name, error)
        except Exception:  # the thread's boundary: it is replaced
            log.exception("worker thread %s ended", name)


class ThreadStateGauge:
    """Counts this process's threads by what they do."""

    def __init__(self, metrics: WorkerMetrics, threads: int) -> None:
        self._lock = threading.Lock()
        self._busy: Counter[str] = Counter()
        self._threads = threads
        for state in THREAD_STATES:
            metrics.worker_threads.labels(state).set_function(partial(self._count, state))

    @contextmanager
    def doing(self, state: str) -> Iterator[None]:
        """Be in `state` inside the with-block."""
        with self._lock:
            self._busy[state] += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy[state] -= 1

    def _count(self, state: str) -> float:
        return self.counts()[state]

    def counts(self) -> dict[str, int]:
        """Return how many threads are waiting, calling and idle."""
        with self._lock:
            waiting, calling = self._busy["waiting"], self._busy["calling"]
        return {"waiting": waiting, "calling": calling, "idle": max(0, self._threads - waiting - calling)}


class UplinkMedian:
    """Tells producers how long uploads take now, so that their JPEG quality yields when the uplink is the bottleneck."""

    def __init__(self, connection: redis.Redis) -> None:
        self._connection: Any = connection
        self._recent: deque[tuple[float, float]] = deque(maxlen=200)

    def uploaded(self, seconds: float) -> None:
        """Note one upload."""
        self._recent.append((time.monotonic(), seconds))

    def publish(self) -> None:
        """Write the median of the last five seconds for everybody to see; raises redis.RedisError."""
        since = time.monotonic() - 5
        recent = [seconds for at, seconds in list(self._recent) if at > since]
        if recent:
            self._connection.set(keys.UPLINK, f"{statistics.median(recent):.4f}", ex=10)
