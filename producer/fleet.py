"""All cameras of this producer: a process each, leased from the list that all producers share.

    registry ──> Fleet (lease, start, stop, restart) ──> fork server ──> one capture process a camera

The fork server has imported everything before it forks, so a further camera costs little memory. A camera's URL, which may
hold a password, reaches its process through a pipe: no argument shows it.
"""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import cv2
import redis

from pipeline import keys, logs
from pipeline.broker import Broker
from pipeline.camera_spec import is_browser
from pipeline.cameras import LEASE_SECONDS, CameraRegistry, Lease
from pipeline.clock import RedisClock
from pipeline.entities import Camera, CameraStatus
from pipeline.errors import CameraError
from pipeline.heap import keep_heap_small
from pipeline.jobs import JobQueue
from pipeline.mailbox import Mailbox
from pipeline.previews import PreviewPublisher
from pipeline.signals import set_from_handler
from producer import forks
from producer.capture import Capture, Outcome
from producer.gate import Gate, gate_of
from producer.preview import Previews
from producer.sources import Kind, kind_of, open_source

log = logging.getLogger(__name__)

ROUND_SECONDS = 0.5
LOOK_AGAIN_SECONDS = 5.0  # a Redis that was emptied and filled again may have come to the same version
STATUS_SECONDS = 5.0
STOP_SECONDS = 1.5
CLOCK_SECONDS = 60.0
ASK_SECONDS = 1.5
HAND_OVER_SECONDS = 3.0  # in which the one who asked takes the camera
NEW_PER_ROUND = 8  # producers that start together share the cameras, and a machine is not buried under forty openings
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, STEADY_SECONDS = 0.2, 5.0, 10.0

EXIT_LOST = 3  # another producer has the camera
EXIT_NO_REDIS = 4


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """What a producer needs to know: its Redis, where the demo's portraits are, and by which name it is known.

    With `privacy` no previews are published.
    """

    redis_url: str = field(repr=False)
    redis_password: str | None = field(default=None, repr=False)
    demo_folder: Path | None = None
    privacy: bool = False
    name: str = field(default_factory=socket.gethostname)
    log_level: int = logging.INFO


def run(settings: FleetSettings, stop: threading.Event, producers: Callable[[], int] = lambda: 1) -> None:
    """Capture the cameras of the registry until `stop` is set, then end all processes within two seconds.

    Redis may come and go; it is asked for changes every half second. `producers` tells how many share the cameras: one
    that joins late is handed its part by the others.
    """
    broker = Broker(settings.redis_url, settings.redis_password)
    fleet = Fleet(CameraRegistry(broker.scripts), settings, producers)
    try:
        while not stop.is_set():
            fleet.tend()
            fleet.rest(ROUND_SECONDS)
    finally:
        fleet.close()
        broker.close()


@dataclass(frozen=True, slots=True)
class Order:
    """What a capture process is told: which camera, in whose name, under which fencing number."""

    camera: Camera
    owner: str
    fence: int
    settings: FleetSettings


class Post:
    """One camera's place in the fleet: its process, or when to start the next one."""

    def __init__(self) -> None:
        self.camera: Camera | None = None
        self.pause = FIRST_PAUSE_SECONDS
        self.not_before = 0.0
        self._process: ForkServerProcess | None = None
        self._started_at = 0.0
        self._stopping = False
        self._asked_at = 0.0

    @property
    def process(self) -> ForkServerProcess | None:
        """The process, alive or not yet looked after."""
        return self._process

    def start(self, order: Order, process: ForkServerProcess) -> None:
        """Begin to capture."""
        forks.start(process)
        self.camera, self._process, self._started_at, self._stopping = order.camera, process, time.monotonic(), False

    def stop(self) -> None:
        """Ask the process to end, and insist when it was asked long ago; `bury` says when it is gone."""
        if self._process is None:
            return
        if not self._stopping:
            self._stopping, self._asked_at = True, time.monotonic()
            self.not_before = 0.0
            self._process.terminate()
        elif time.monotonic() - self._asked_at > 2 * STOP_SECONDS:
            self._process.kill()

    def bury(self) -> None:
        """Look after a process that has ended: an unwanted end makes the next start wait a little longer."""
        process = self._process
        if process is None or process.is_alive():
            return
        self._process = None
        if self._stopping:
            return
        lived = time.monotonic() - self._started_at
        self.pause = FIRST_PAUSE_SECONDS if lived > STEADY_SECONDS else min(LONGEST_PAUSE_SECONDS, self.pause * 2)
        self.not_before = time.monotonic() + self.pause
        level = logging.INFO if process.exitcode == EXIT_LOST else logging.WARNING
        name = self.camera.id if self.camera else "?"
        log.log(level, "capture of %s ended (%s); next try in %.1f s", name, _ending(process.exitcode), self.pause)


class Fleet:
    """Keeps one capture process for each camera that this producer has leased."""

    def __init__(self, registry: CameraRegistry, settings: FleetSettings, producers: Callable[[], int] = lambda: 1) -> None:
        self._registry = registry
        self._settings = settings
        self._producers = producers
        self._owner = f"{settings.name}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        forks.prepare()
        self._posts: dict[str, Post] = {}
        self._wanted: dict[str, Camera] = {}
        self._version = -1
        self._looked_at = 0.0

    def tend(self) -> None:
        """Make the processes fit the list of cameras: stop, bury, start."""
        self._look_for_changes()
        for camera_id, post in list(self._posts.items()):
            if post.camera != self._wanted.get(camera_id):
                post.stop()
            post.bury()
            if post.process is None and camera_id not in self._wanted:
                del self._posts[camera_id]
        with suppress(redis.RedisError):
            self._start_missing()
            self._balance()

    def rest(self, seconds: float) -> None:
        """Wait for `seconds`, or until a process ends."""
        running = [post.process.sentinel for post in self._posts.values() if post.process is not None]
        if running:
            wait(running, seconds)
        else:
            time.sleep(seconds)

    def close(self) -> None:
        """End all processes: ask, wait up to 1.5 s, insist."""
        processes = [post.process for post in self._posts.values() if post.process is not None]
        for post in self._posts.values():
            post.stop()
        deadline = time.monotonic() + STOP_SECONDS
        for process in processes:
            process.join(max(0.0, deadline - time.monotonic()))
        for process in processes:
            if process.is_alive():
                process.kill()
                process.join(0.5)

    @property
    def processes(self) -> dict[str, int]:
        """The process ids by camera."""
        return {name: post.process.pid or 0 for name, post in self._posts.items() if post.process is not None}

    def _look_for_changes(self) -> None:
        """Read the list when its number has changed; while Redis is away, or empty after a restart, all stays as it is."""
        try:
            version = self._registry.version()
            is_known = version == self._version and time.monotonic() - self._looked_at < LOOK_AGAIN_SECONDS
            if is_known or version == 0:
                return
            cameras = self._registry.all()
        except redis.RedisError as error:
            log.debug("cameras not looked up: %s", type(error).__name__)
            return
        self._version, self._looked_at = version, time.monotonic()
        self._wanted = {camera.id: camera for camera in cameras if not camera.paused and not is_browser(camera.url)}

    def _balance(self) -> None:
        """Ask for cameras while others have more than their share; hand one over while somebody asks and this one has more."""
        producers = max(1, self._producers())
        running = [name for name, post in self._posts.items() if post.process is not None and name in self._wanted]
        if len(running) < len(self._wanted) // producers:
            self._registry.ask_for_cameras(self._owner, ASK_SECONDS)
        elif len(running) > -(-len(self._wanted) // producers) and self._registry.others_ask(self._owner):
            post = self._posts[max(running)]
            post.stop()
            post.not_before = time.monotonic() + HAND_OVER_SECONDS

    def _start_missing(self) -> None:
        started = 0
        for camera in self._wanted.values():
            post = self._posts.setdefault(camera.id, Post())
            if post.process is not None or time.monotonic() < post.not_before or started == NEW_PER_ROUND:
                continue
            fence = self._registry.lease(camera.id, self._owner, LEASE_SECONDS)
            if fence is not None:
                self._start(post, Order(camera, self._owner, fence, self._settings))
                started += 1

    def _start(self, post: Post, order: Order) -> None:
        process = forks.process(capture_camera, (order,), "capture")
        try:
            post.start(order, process)
        except (OSError, EOFError) as error:  # no memory, no processes, or the fork server has just died
            log.warning("capture of %s could not be started (%s)", order.camera.id, error)
            post.not_before = time.monotonic() + LONGEST_PAUSE_SECONDS


def _ending(exitcode: int | None) -> str:
    if exitcode == EXIT_LOST:
        return "another producer has the camera"
    if exitcode == EXIT_NO_REDIS:
        return "Redis did not answer"
    return f"signal {signal.Signals(-exitcode).name}" if exitcode and exitcode < 0 else f"exit code {exitcode}"


# --- in the capture process ---


def capture_camera(order: Order) -> None:
    """Capture one camera in this process, until SIGTERM, the death of the fleet, or the loss of the lease."""
    stop = threading.Event()
    _settle_in(order.settings.log_level, stop)
    try:
        outcome = _capture(order, stop)
    except redis.RedisError as error:
        log.warning("camera %s: Redis does not answer (%s)", order.camera.id, type(error).__name__)
        _leave(EXIT_NO_REDIS)
    _leave(EXIT_LOST if outcome is Outcome.LOST else 0)


def _capture(order: Order, stop: threading.Event) -> Outcome:
    broker = Broker(order.settings.redis_url, order.settings.redis_password, max_connections=8)
    registry = CameraRegistry(broker.scripts)
    lease = Lease(registry, order.camera.id, order.owner, order.fence)
    clock = RedisClock(broker.scripts)
    open_camera = partial(open_source, demo_folder=order.settings.demo_folder)
    capture = Capture(
        order.camera,
        open_camera=open_camera,
        outbox=Mailbox(broker.scripts, JobQueue(broker.jobs)),
        clock=clock,
        report=_reporter(registry, clock),
        claim=lease,
        uplink=_uplink(broker.scripts),
        audience=Previews(
            order.camera,
            open_camera=open_camera,
            channel=PreviewPublisher(broker.scripts, privacy=order.settings.privacy),
            clock=clock,
        ),
        gate=_gate_of(order.camera),
        producer=order.settings.name,
    )
    try:
        return capture.run(stop)
    finally:
        lease.release()


def _gate_of(camera: Camera) -> Gate:
    with suppress(CameraError):  # of which opening it will tell
        return gate_of(camera, is_film=kind_of(camera.url) is not Kind.PICTURES)
    return gate_of(camera)


def _reporter(registry: CameraRegistry, clock: RedisClock) -> Callable[[CameraStatus], None]:
    """Return a function that reports a status, and sets the clock by Redis once a minute."""
    set_at = time.monotonic()

    def report(status: CameraStatus) -> None:
        nonlocal set_at
        registry.report(status, STATUS_SECONDS)
        if time.monotonic() - set_at > CLOCK_SECONDS:
            clock.synchronise()
            set_at = time.monotonic()

    return report


def _uplink(connection: redis.Redis) -> Callable[[], float | None]:
    """Return a function that asks for the median seconds of the workers' uploads."""

    def median_upload() -> float | None:
        value: Any = connection.get(keys.UPLINK)
        return float(value) if value else None

    return median_upload


def _settle_in(log_level: int, stop: threading.Event) -> None:
    """Be a good child: end with the parent and on SIGTERM, not on the Ctrl-C that is the parent's; take little memory."""
    logs.set_up(logging.getLevelName(log_level))
    signal.signal(signal.SIGTERM, lambda *_: _end_soon(stop))
    threading.Thread(target=_outlive_nobody, args=(stop,), name="parent watch", daemon=True).start()
    forks.end_with_the_server()  # a dead fleet leaves it to us
    keep_heap_small()
    cv2.setNumThreads(1)
    cv2.utils.logging.setLogLevel(0)
    gc.freeze()  # what the fork server imported is never collected, so its pages stay shared


def _end_soon(stop: threading.Event) -> None:
    set_from_handler(stop)
    signal.setitimer(signal.ITIMER_REAL, STOP_SECONDS)  # SIGALRM ends what hangs


def _outlive_nobody(stop: threading.Event) -> None:
    """End when the fleet has died, in order if possible."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        stop.set()
        time.sleep(STOP_SECONDS)
        _leave(1)


def _leave(code: int) -> None:
    """End at once: a reading thread may sit in FFmpeg for seconds, and must not be torn down with the interpreter."""
    logging.shutdown()
    os._exit(code)
