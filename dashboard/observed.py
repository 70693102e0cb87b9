"""What runs now, as a scene for the simulation: measured stage times and rates, and the two constants that fit them best."""

from __future__ import annotations

import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import redis

from dashboard.settings import DashboardSettings
from dashboard.simulation import Outcome, Scene, Source, Stages, quantile, simulate
from dashboard.window import Seen
from pipeline.cameras import CameraRegistry
from pipeline.entities import Camera, CameraStatus
from pipeline.metrics import STAGES
from pipeline.presence import living
from pipeline.provider import DETECT_FACES
from pipeline.shared import SharedSettings

FEWEST = 20  # results, below which nothing can be computed
LATELY_SECONDS, ENOUGH = 30.0, 100  # what came out so lately is taken alone where it is enough
FIXED_UPLOAD_SECONDS = 0.02  # of an upload at most, that do not depend on its bytes: an assumption
LONGEST_SIDE = 1920  # as producers send it
MOST_OVERHEAD_SECONDS = 0.05
RESULTS, MOST_FRAMES = 1000, 6000  # that one simulation runs through, about
SHORTEST_RUN, LONGEST_RUN = 8.0, 60.0
FITS = 2


@dataclass(frozen=True, slots=True)
class Ages:
    """Ages at publish in seconds, and results a second."""

    age_p50: float
    age_p95: float
    results_per_second: float

    @classmethod
    def of(cls, outcome: Outcome) -> Ages:
        """Return the figures of a simulation."""
        return cls(quantile(outcome.ages, 0.5), quantile(outcome.ages, 0.95), outcome.results_per_second)


@dataclass(frozen=True, slots=True)
class View:
    """What a camera sees: the longest side of its pictures in pixels, and the frames a second it delivers; 0 if unknown."""

    longest: int
    delivers: float


@dataclass(frozen=True, slots=True)
class Observed:
    """The scene of now with its sources' views, what was really measured of it, and what its simulation of `seconds` says."""

    scene: Scene
    views: tuple[View, ...]
    measured: Ages
    computed: Ages
    seconds: float


class Observer:
    """Puts the scene together from Redis, the last minute and the figures; `observe` may raise redis.RedisError."""

    def __init__(self, connection: redis.Redis, settings: DashboardSettings) -> None:
        self._connection = connection
        self._settings = settings
        self._registry = CameraRegistry(connection)

    def observe(self, stats: Mapping[str, Any], seen: Sequence[Seen]) -> Observed | str:
        """Return what runs now, or the sentence that says why it cannot be computed."""
        lately = _lately([entry for entry in seen if _is_whole(entry)], stats["now"])
        sources, views = self._sources(stats)
        if len(lately) < FEWEST:
            return f"nothing can be computed from fewer than {FEWEST} results in the last minute"
        if not sources or not stats["workers"]["alive"]:
            return "nothing can be computed while no camera delivers or no worker runs"
        scene = self._scene(stats, lately, sources)
        seconds = _run_seconds(scene)
        scene = _fitted(scene, lately, seconds)
        return Observed(scene, views, _measured(lately, stats["now"]), Ages.of(simulate(scene, seconds)), seconds)

    def _sources(self, stats: Mapping[str, Any]) -> tuple[tuple[Source, ...], tuple[View, ...]]:
        cameras = [camera for camera in self._registry.all() if camera.id in stats["cameras"]]
        rates = {camera.id: _rate(camera, stats["cameras"][camera.id]["rates"]) for camera in cameras}
        running = [camera.id for camera in cameras if rates[camera.id] > 0]
        statuses = self._registry.statuses(running)
        return tuple(Source(rates[camera]) for camera in running), tuple(_view(statuses[camera]) for camera in running)

    def _scene(self, stats: Mapping[str, Any], seen: Sequence[Seen], sources: tuple[Source, ...]) -> Scene:
        stages = tuple(Stages(*(_stage(entry, name) for name in ("encode", "upload", "service", "publish"))) for entry in seen)
        provider, shared = self._settings.provider, SharedSettings(self._connection).read()
        allowed = [limit["rate"] for limit in stats["limits"] if limit["operation"] == DETECT_FACES]
        is_local = provider.name == "local"
        per_second = _measured(seen, stats["now"]).results_per_second
        return Scene(
            sources=sources,
            threads=stats["workers"]["alive"],
            allowed=max(allowed[0] if allowed else provider.calls_per_second(DETECT_FACES), 0.01),
            stages=stages,
            burst=shared.burst if shared else 1,
            fixed_upload=FIXED_UPLOAD_SECONDS,
            shared_link=stats["bottleneck"]["what"] == "uplink",
            link_factor=1 / max(1.0, per_second * statistics.fmean(entry.upload for entry in stages)),
            cores=self._cores() if is_local else None,
            delay=float((stats["rehearsal"] or {}).get("latency", 0.0)) if is_local else 0.0,
        )

    def _cores(self) -> int:
        """Return the cores that local servers have: this machine's, for each machine that workers run on."""
        return (os.cpu_count() or 1) * max(1, len({process.host for process in living(self._connection, "worker")}))


def _view(status: CameraStatus) -> View:
    return View(min(LONGEST_SIDE, max(status.width, status.height)), status.capture_fps)


def _lately(seen: Sequence[Seen], now: float) -> Sequence[Seen]:
    lately = [entry for entry in seen if entry.published_at > now - LATELY_SECONDS]
    return lately if len(lately) >= ENOUGH else seen


def _is_whole(entry: Seen) -> bool:
    return entry.analysed and entry.called == DETECT_FACES and None not in entry.stages


def _stage(entry: Seen, name: str) -> float:
    return entry.stages[STAGES.index(name)] or 0.0


def _measured(seen: Sequence[Seen], now: float) -> Ages:
    ages = sorted(entry.published_at - entry.captured_at for entry in seen)
    since = min(entry.published_at for entry in seen)
    return Ages(quantile(ages, 0.5), quantile(ages, 0.95), len(seen) / max(1.0, now - since))


def _rate(camera: Camera, rates: Mapping[str, float]) -> float:
    """Return the frames a second that come from a camera: as asked, where five seconds of counting do not contradict it."""
    sampled = rates["sampled"] - rates.get("saved", 0.0)
    return camera.fps if abs(sampled - camera.fps) <= 0.25 + camera.fps / 10 else sampled


def _run_seconds(scene: Scene) -> float:
    sampled = sum(source.rate for source in scene.sources)
    enough = min(RESULTS / min(sampled, scene.allowed), MOST_FRAMES / sampled)
    return min(LONGEST_RUN, max(SHORTEST_RUN, enough))


def _fitted(scene: Scene, seen: Sequence[Seen], seconds: float) -> Scene:
    """Fit what cannot be measured: how much of a core an answer takes, and what a job costs its thread besides."""
    service = statistics.median(_stage(entry, "service") for entry in seen)
    for _ in range(FITS if scene.cores else 0):
        simulated = quantile(simulate(scene, seconds).services, 0.5)
        ratio = max(service - scene.delay, 0.001) / max(simulated - scene.delay, 0.001)
        scene = replace(scene, core_factor=min(1.0, max(0.02, scene.core_factor * ratio)))
    waited = statistics.median(_stage(entry, "queue") + _stage(entry, "limit") for entry in seen)
    overhead = waited - quantile(simulate(scene, seconds).waits, 0.5)
    return replace(scene, overhead=min(MOST_OVERHEAD_SECONDS, max(0.0, overhead)))
