"""`rekstream up`: start what is missing, keep it running, show it, and stop it in order.

started:  valkey -> local Rekognition -> dashboard, people, history, producers, workers
stopped:  producers -> workers -> people -> history -> local Rekognition -> dashboard -> valkey
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import redis

from pipeline.broker import Broker
from pipeline.camera_spec import CameraDefaults, camera_of, new_id
from pipeline.cameras import CameraRegistry
from pipeline.entities import Camera
from pipeline.errors import RekstreamError
from pipeline.jobs import JobQueue
from pipeline.mailbox import Mailbox
from pipeline.provider import Provider
from pipeline.results import BEGINNING, Results
from pipeline.settings import Settings, parse_attributes
from pipeline.shared import Shared, SharedSettings
from rekstream import environment, local
from rekstream.children import Child, Part, ours
from rekstream.client import Client
from rekstream.config import Config
from rekstream.embedded import EmbeddedValkey
from rekstream.given_watches import GivenWatches, Watches

TICK_SECONDS = 0.25
PUT_BACK_SECONDS = 3.0
_PARTS = (("dashboard", 5.0), ("people", 5.0), ("history", 5.0), ("work", 6.0), ("produce", 5.0))  # and how soon they end


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be started: `settings` complete, `cameras` those given by the command line or rekstream.yml."""

    settings: Settings
    provider: Provider
    cameras: tuple[Camera, ...]
    config: Config | None = None


def cameras_of(sources: Iterable[str], settings: Settings) -> tuple[Camera, ...]:
    """Return the cameras that the command line names, each with an id of its own; raises SettingsError or CameraError."""
    defaults = CameraDefaults(settings.sampled_fps, parse_attributes(settings.attributes), settings.default_gate)
    cameras: dict[str, Camera] = {}
    for url in sources:
        camera_id = new_id(url, cameras)
        cameras[camera_id] = camera_of(camera_id, {"url": url}, defaults)
    return tuple(cameras.values())


class StoppedError(RekstreamError):
    """The stop came before everything was started."""


class System:
    """The running parts. `start`, then `tick` often from the main thread, then `stop`."""

    def __init__(self, plan: Plan, say: Callable[[str, str], None], stop: threading.Event) -> None:
        self.plan = plan
        self._stop = stop
        self._started = False
        self._say = say
        self._embedded = EmbeddedValkey() if plan.settings.redis is None else None
        self.redis_url = self._embedded.url if self._embedded else str(plan.settings.redis)
        self.broker = Broker(self.redis_url, plan.settings.password(), max_connections=8)
        self._children: list[Child] = []
        self._given = {camera.id: camera for camera in plan.cameras}
        self._shared = Shared.of(plan.settings, plan.provider)
        self.results_before = BEGINNING
        self._told = False
        self._without_cameras_since = 0.0
        self._port = 0
        self._watches = GivenWatches(self.broker, say)

    def client(self) -> Client:
        """Return a client of the API that was started."""
        token = self.plan.settings.token
        return Client(self.dashboard, token.get_secret_value() if token else None)

    @property
    def dashboard(self) -> str:
        """The URL at which the API listens."""
        host = self.plan.settings.host
        shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104  # only compared with
        return f"http://{f'[{shown}]' if ':' in shown else shown}:{self._port}"

    def start(self) -> None:
        """Start everything, in order; raises RekstreamError, after which `stop` is still to be called."""
        settings = self.plan.settings
        self._port = local.free_port(settings.host, settings.port)
        if self._embedded:
            self._run(self._embedded.part(environment.of_server()))
            self._embedded.wait_until_ready()
        self.broker.check()
        self.results_before = Results(self.broker.scripts).last_id()
        self._tell_everybody()
        local_url = self._start_local_rekognition() if self.plan.provider.name == "local" else None
        told = environment.of_children(settings, redis=self.redis_url, port=self._port, local_url=local_url)
        for name, stop_seconds in _PARTS:
            self._run(Part(name, ours(name), told, stop_seconds))
        local.wait_until_healthy(self.dashboard, self._tend)
        if self.plan.config is not None:
            self.watch_for(self.plan.config.watches)
        self._started = True

    def tick(self) -> None:
        """Start again what died, and say again what Redis lost; raises PartFailed."""
        self._tend()
        with contextlib.suppress(redis.RedisError):
            if SharedSettings(self.broker.scripts).read() is None:
                SharedSettings(self.broker.scripts).write(self._shared)
            self._put_back_cameras()

    def _put_back_cameras(self) -> None:
        """Put the given cameras back if the dashboard, whose task that is, was lost together with Redis."""
        if not self._given or CameraRegistry(self.broker.scripts).version():
            self._without_cameras_since = 0.0
        elif not self._without_cameras_since:
            self._without_cameras_since = time.monotonic()
        elif time.monotonic() - self._without_cameras_since > PUT_BACK_SECONDS:
            self._tell_everybody()

    def give(self, cameras: Iterable[Camera]) -> None:
        """Take over a changed list of given cameras: add, change, remove."""
        new = {camera.id: camera for camera in cameras}
        registry = CameraRegistry(self.broker.scripts)
        mailbox = Mailbox(self.broker.scripts, JobQueue(self.broker.jobs))
        for gone in self._given.keys() - new.keys():
            with contextlib.suppress(RekstreamError):
                registry.remove(gone)
            mailbox.forget(gone)
        registry.put(camera for camera in new.values() if self._given.get(camera.id) != camera)
        self._given = new

    def watch_for(self, watches: Watches) -> None:
        """Take over a changed list of given watches."""
        self._watches.set(watches)

    def stop_producing(self) -> None:
        """Stop the producers and the workers: after this, no more results come."""
        self._watches.stop()
        self._stop_parts("produce", "work")
        if self._embedded is None and self._told:
            self._leave_nothing_in_redis()

    def stop(self) -> None:
        """Stop everything in order, and leave nothing behind."""
        self.stop_producing()
        self._stop_parts("people")
        self._stop_parts("history")
        self._stop_parts("local-rekognition", "dashboard")
        self._stop_parts("valkey")
        self.broker.close()
        if self._embedded:
            self._embedded.remove()

    def _leave_nothing_in_redis(self) -> None:
        """Take our cameras and what we said off a Redis that goes on without us."""
        with contextlib.suppress(redis.RedisError):
            self.give(())
            SharedSettings(self.broker.scripts).forget()

    def processes(self) -> dict[str, int | None]:
        """Return the process ids of the parts by name."""
        return {child.part.name: child.pid for child in self._children}

    def _stop_parts(self, *names: str) -> None:
        """Ask these parts to end, all at once, and wait for each."""
        parts = [child for name in names for child in self._children if child.part.name == name]
        for child in parts:
            child.ask_to_stop()
        for child in parts:
            child.stop()

    def _run(self, part: Part) -> None:
        child = Child(part, self._say)
        self._children.append(child)
        child.start()

    def _tell_everybody(self) -> None:
        self._told = True
        SharedSettings(self.broker.scripts).write(self._shared)
        CameraRegistry(self.broker.scripts).put(self._given.values())

    def _start_local_rekognition(self) -> str:
        part, url = local.rekognition_part(environment.of_children(self.plan.settings))
        self._run(part)
        local.wait_until_healthy(url, self._tend)
        return url

    def _tend(self) -> None:
        for child in self._children:
            child.tend()
        if self._stop.is_set() and not self._started:
            raise StoppedError("stopped while it was starting")


class ConfigWatch:
    """Notices that rekstream.yml was written, and reads it again; a faulty one is told of, and changes nothing."""

    def __init__(self, path: Path, reread: Callable[[], Config], say: Callable[[str, str], None]) -> None:
        self._path = path
        self._reread = reread
        self._say = say
        self._stamp = self._now()

    def changed(self) -> Config | None:
        """Return the new content if the file was written since the last look and can be used."""
        stamp = self._now()
        if stamp == self._stamp or stamp is None:
            return None
        self._stamp = stamp
        try:
            return self._reread()
        except RekstreamError as error:
            self._say("config", f"{error} (the cameras stay as they are)")
            return None

    def _now(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size


def keep_running(
    system: System, watch: ConfigWatch | None, show: Callable[[], bool], stop: threading.Event, seconds: float | None
) -> None:
    """Tend the system until `stop`, until `seconds` are over, or until `show` returns False."""
    deadline = None if seconds is None else time.monotonic() + seconds
    new: Config | None = None
    while not stop.wait(TICK_SECONDS):
        system.tick()
        new = (watch.changed() if watch else None) or new
        if new:
            with contextlib.suppress(redis.RedisError):  # it is away: the next round tries again
                system.give(new.cameras)
                system.watch_for(new.watches)
                new = None
        if not show() or (deadline is not None and time.monotonic() >= deadline):
            return
