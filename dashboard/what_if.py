"""What would change: more threads, more quota, smaller pictures, fewer frames; computed from what is measured now."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from dashboard.observed import Ages, Observed, Observer, View
from dashboard.simulation import Scene, Source, simulate
from dashboard.window import Seen
from pipeline.provider import LOCAL_CALLS_PER_SECOND, Provider

KEEP_SECONDS = 5.0
RELIABLE = 0.25  # of error in what is known already; above, only the direction is to be believed
NOTICEABLE = 0.05
SIDES = (1280, 960, 640)

# A 1080p picture costs the local server 1.75 times a 720p one, and below 720p nothing is gained (two faces, 2026-11-22).
_CHEAP_SIDE, _DEAR_SIDE, _DEARER = 1280, 1920, 0.75


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be changed: factors on threads, quota, machines (threads and cores) and fps; `pixels` is the longest side."""

    threads: float = 1.0
    quota: float = 1.0
    machines: float = 1.0
    fps: float = 1.0
    pixels: int | None = None


class WhatIf:
    """Computes what changes would bring; answers are kept for five seconds, for everybody who asks.

    `figures` are those of GET /api/stats, `last_minute` the results behind them; both may raise redis.RedisError.
    """

    def __init__(
        self,
        observer: Observer,
        provider: Provider,
        figures: Callable[[], Mapping[str, Any]],
        last_minute: Callable[[], Sequence[Seen]],
    ) -> None:
        self._observer = observer
        self._provider = provider
        self._figures = figures
        self._last_minute = last_minute
        self._lock = threading.Lock()
        self._kept: tuple[Change | None, float, dict[str, Any]] | None = None

    def look(self, change: Change | None = None) -> dict[str, Any]:
        """Return what is, what this change would bring, or without one what the usual ones would; see docs/api.md."""
        with self._lock:
            if self._kept and self._kept[0] == change and time.monotonic() - self._kept[1] < KEEP_SECONDS:
                return self._kept[2]
            answer = self._compute(change)
            if answer["cards"]:
                self._kept = (change, time.monotonic(), answer)
            return answer

    def _compute(self, change: Change | None) -> dict[str, Any]:
        observed = self._observer.observe(self._figures(), self._last_minute())
        if isinstance(observed, str):
            return {"now": None, "why": observed, "error": None, "reliable": False, "cards": [], "assumed": []}
        error = _error(observed)
        changes = self._usual(observed) if change is None else {"asked": change}
        return {
            "now": self._as_json(observed.measured),
            "why": "",
            "error": {"largest": round(max(abs(part) for part in error.values()), 3), **error},
            "reliable": max(abs(part) for part in error.values()) <= RELIABLE,
            "cards": [self._card(name, wanted, observed) for name, wanted in changes.items()],
            "assumed": self._assumed(),
        }

    def _usual(self, observed: Observed) -> dict[str, Change]:
        """Return the changes that people think of first; what cannot matter here is left out."""
        usual = {"workers": Change(threads=2)}
        if self._provider.name == "local":
            usual["machine"] = Change(machines=2)
        if observed.scene.allowed < LOCAL_CALLS_PER_SECOND:
            usual["quota"] = Change(quota=2)
        smaller = [side for side in SIDES if side < max(view.longest for view in observed.views)]
        if smaller:
            usual["pixels"] = Change(pixels=smaller[0])
        return {**usual, "slower": Change(fps=0.5), "faster": Change(fps=2)}

    def _card(self, name: str, change: Change, observed: Observed) -> dict[str, Any]:
        scene = changed(observed.scene, change, observed.views, is_local=self._provider.name == "local")
        computed = Ages.of(simulate(scene, observed.seconds))
        then = _carried_over(observed, computed)
        return {
            "id": name,
            "change": {key: value for key, value in asdict(change).items() if value not in (1.0, None)},
            "what": _what(change, observed),
            "then": self._as_json(then),
            "says": _says(observed.measured, then),
        }

    def _as_json(self, ages: Ages) -> dict[str, float]:
        an_hour = ages.results_per_second * 3600 * self._provider.dollars_per_call()
        rounded = {name: round(value, 4) for name, value in asdict(ages).items()}
        return {**rounded, "dollars_per_hour": round(an_hour, 4)}

    def _assumed(self) -> list[str]:
        common = "bytes of a picture shrink with its pixels, and 20 ms at most of an upload do not depend on them"
        if self._provider.name == "local":
            return [
                "the local server answers as many calls at once as its machine has cores; the others wait",
                "it reads a 1080p picture in 1.75 times the time of a 720p one, and gains nothing below",
                common,
            ]
        return ["how long the service takes depends neither on the load nor on the size of a picture", common]


def changed(scene: Scene, change: Change, views: Sequence[View], *, is_local: bool) -> Scene:
    """Return the scene with the change made; `views` tell of each source what limits a change of it."""
    sources = [
        replace(_shrunk(source, view.longest, change.pixels, is_local=is_local), rate=_sampled(source.rate, change.fps, view))
        for source, view in zip(scene.sources, views, strict=True)
    ]
    return replace(
        scene,
        sources=tuple(sources),
        threads=max(1, round(scene.threads * change.threads * change.machines)),
        allowed=scene.allowed * change.quota,
        cores=scene.cores and max(1, round(scene.cores * change.machines)),
    )


def _sampled(rate: float, factor: float, view: View) -> float:
    """Return a changed sampling rate: no more than the camera delivers."""
    return rate * factor if factor <= 1 or not view.delivers else max(rate, min(rate * factor, view.delivers))


def _shrunk(source: Source, side: int, pixels: int | None, *, is_local: bool) -> Source:
    if pixels is None or pixels >= side:
        return source
    service = _cost_of_reading(pixels) / _cost_of_reading(side) if is_local else 1.0
    return replace(source, bytes_factor=(pixels / side) ** 2, service_factor=service)


def _cost_of_reading(side: int) -> float:
    return 1 + _DEARER * max(0.0, side - _CHEAP_SIDE) / (_DEAR_SIDE - _CHEAP_SIDE)


def _error(observed: Observed) -> dict[str, float]:
    """Return by how much the simulation misses what is measured, as shares of it."""
    measured, computed = asdict(observed.measured), asdict(observed.computed)
    return {name: round(computed[name] / max(measured[name], 1e-6) - 1, 3) for name in measured}


def _carried_over(observed: Observed, then: Ages) -> Ages:
    """Return what is measured, changed in the proportion in which the simulation changed: its own error falls out."""
    measured, now, future = asdict(observed.measured), asdict(observed.computed), asdict(then)
    return Ages(**{name: measured[name] * future[name] / max(now[name], 1e-6) for name in measured})


def _what(change: Change, observed: Observed) -> str:
    scene, parts = observed.scene, []
    if change.threads != 1:
        parts.append(f"{max(1, round(scene.threads * change.threads))} worker threads instead of {scene.threads}")
    if change.machines != 1:
        parts.append(f"workers on {change.machines:g} times as many machines like this one")
    if change.quota != 1:
        parts.append(f"{scene.allowed * change.quota:.1f} calls a second allowed instead of {scene.allowed:.1f}")
    if change.pixels is not None:
        longest = max(change.pixels, *(view.longest for view in observed.views))
        face = f"a face of 40 pixels has {40 * change.pixels / longest:.0f} then"
        parts.append(f"pictures {change.pixels} pixels long at most, now {longest}: {face}")
    if change.fps != 1:
        now = sum(source.rate for source in scene.sources)
        then = sum(_sampled(source.rate, change.fps, view) for source, view in zip(scene.sources, observed.views, strict=True))
        parts.append(f"{then:.1f} frames a second sampled instead of {now:.1f}")
    return "; ".join(parts) or "nothing is changed"


def _says(now: Ages, then: Ages) -> str:
    """Say in a few words what becomes better or worse."""
    age = then.age_p50 / max(now.age_p50, 1e-6)
    results = then.results_per_second / max(now.results_per_second, 1e-6)
    parts = [_grown(age, "younger pictures", "older pictures"), _grown(results, "fewer results", "more results")]
    return ", ".join(filter(None, parts)) or "changes next to nothing"


def _grown(factor: float, less: str, more: str) -> str:
    if abs(factor - 1) < NOTICEABLE:
        return ""
    return f"{abs(factor - 1) * 100:.0f} % {less if factor < 1 else more}"
