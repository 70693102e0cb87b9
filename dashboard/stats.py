"""Everything that the API tells in figures, put together from Redis and from the results of the last minute."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dashboard import bottleneck, frames
from dashboard.display import Displays, Shown
from dashboard.limits import Limit, limits
from dashboard.settings import DashboardSettings
from dashboard.stream import ResultStream
from dashboard.window import MINUTE, ResultWindow, Seen, ages_and_stages, made_of, percentiles
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.clock import Clock
from pipeline.entities import Camera, CameraState, CameraStatus
from pipeline.errors import redact
from pipeline.jobs import JobQueue
from pipeline.keys import camera_of_mailbox, is_derived
from pipeline.mailbox import Mailbox
from pipeline.presence import Process, living
from pipeline.provider import DETECT_FACES
from pipeline.spending import Purse, Spending

STATS_SECONDS = 1.0
SECONDS_AN_HOUR, HOURS_A_MONTH = 3600, 730
WORKER_COUNTS = ("threads", "alive", "waiting", "calling", "idle")
_A_TRIFLE = 1e-9  # dollars; sums of fractions are not exact
_DELIVERING = (CameraState.LIVE, CameraState.ENDED, CameraState.OFF)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What Redis and the last minute say at one moment; `seen` are the results of that minute, `shown` what pages painted."""

    now: float
    cameras: list[Camera]
    statuses: Mapping[str, CameraStatus]
    counters: frames.Balances
    limits: list[Limit]
    workers: Mapping[str, int]
    worker_list: list[dict[str, Any]]
    spending: Spending | None
    queue_length: int
    seen: list[Seen]
    shown: list[Shown]


class Stats:
    """Computes the figures; every method may raise redis.RedisError."""

    def __init__(
        self,
        broker: Broker,
        settings: DashboardSettings,
        clock: Clock,
        window: ResultWindow,
        stream: ResultStream,
        displays: Displays,
        rehearsal: Callable[[], Mapping[str, Any] | None] = lambda: None,
        is_private: Callable[[], bool] = lambda: False,
    ) -> None:
        self._connection = broker.scripts
        self._settings = settings
        self._price = settings.provider.dollars_per_call()
        self._clock = clock
        self._window = window
        self._stream = stream
        self._rehearsal = rehearsal
        self._displays = displays
        self._is_private = is_private
        self._registry = CameraRegistry(broker.scripts)
        self._jobs = JobQueue(broker.jobs)
        self._mailbox = Mailbox(broker.scripts, self._jobs)
        self._purse = Purse(broker.scripts)
        self._rates = frames.FrameRates()

    def note(self) -> dict[str, Any]:
        """Return the figures as of now and remember the counters, so that rates can be told; called each second."""
        snapshot = self._snapshot()
        figures = self._figures(snapshot)
        self._rates.note(snapshot.counters)
        self._window.forget_all_but(snapshot.counters)
        return figures

    def look(self) -> dict[str, Any]:
        """Return the figures as of now; the shape is told in docs/api.md."""
        return self._figures(self._snapshot())

    def why_held(self, operation: str = DETECT_FACES) -> str:
        """Say in one sentence why no call of an operation is let out now; '' when calls are."""
        found = limits(self._connection, self._clock.now())
        held = [limit for limit in found if limit.held_seconds and limit.operation == operation]
        return _held(held[0] if held else None, self._purse.read(), self._price)

    def _snapshot(self) -> Snapshot:
        workers = living(self._connection, "worker")
        cameras = self._registry.all()
        ids = [camera.id for camera in cameras]
        now = self._clock.now()
        return Snapshot(
            now=now,
            cameras=cameras,
            statuses=self._registry.statuses(ids),
            counters=frames.balances(self._mailbox, ids),
            limits=limits(self._connection, now),
            workers=workers_as_json(workers),
            worker_list=[_worker_as_json(process) for process in workers],
            spending=self._purse.read(),
            queue_length=len(self._jobs),
            seen=self._window.last_minute(),
            shown=self._displays.last_minute(),
        )

    def _figures(self, at: Snapshot) -> dict[str, Any]:
        by_camera = self._rates.per_second(at.counters)
        calls = _calls_per_second(at)
        rates = frames.sum_of_rates(by_camera) | {"calls": round(sum(calls.values()), 3)}
        measured = ages_and_stages(at.seen)
        others = self._derived_dollars(at)
        return {
            "now": round(at.now, 3),
            "version": self._settings.version,
            "provider": redact(self._settings.provider.label),
            "frames": frames.as_json(frames.total(at.counters.values())),
            "rates": rates,
            **measured,
            "display": percentiles([shown.age for shown in at.shown]),
            "paint": percentiles([max(0.0, shown.way) for shown in at.shown]),
            "made_of": made_of(at.seen),
            "cameras": self._by_camera(at, by_camera),
            "limits": [_limit_as_json(limit, calls.get(limit.operation, 0.0)) for limit in at.limits],
            "cost": {
                **self._cost(rates["analysed"], sum(others.values())),
                "cameras": {camera: self._cost(rate["analysed"], others[camera]) for camera, rate in by_camera.items()},
                "budget": None if at.spending is None else _budget(at.spending),
            },
            "workers": {**at.workers, "list": at.worker_list},
            "queue_length": at.queue_length,
            "results_skipped": self._stream.skipped,
            "rehearsal": self._rehearsal(),
            "privacy": self._is_private(),
            "bottleneck": bottleneck.find(self._signs(at, rates, measured, calls.get(DETECT_FACES, 0.0))).as_json(),
        }

    def _derived_dollars(self, at: Snapshot) -> defaultdict[str, float]:
        """Return by camera the dollars a second, over the last minute, of what was asked besides faces: labels, searches."""
        dollars: defaultdict[str, float] = defaultdict(float)
        for entry in at.seen:
            if entry.called and is_derived(entry.camera):
                dollars[camera_of_mailbox(entry.camera)] += self._settings.provider.dollars_per_call(entry.called) / MINUTE
        return dollars

    def _cost(self, results_per_second: float, others: float) -> dict[str, float]:
        an_hour = SECONDS_AN_HOUR * (results_per_second * self._price + others)
        return {"dollars_per_hour": round(an_hour, 4), "dollars_per_month": round(an_hour * HOURS_A_MONTH, 2)}

    def _by_camera(self, at: Snapshot, rates: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
        seen: defaultdict[str, list[Seen]] = defaultdict(list)
        ages: defaultdict[str, list[float]] = defaultdict(list)
        for shown in at.shown:
            ages[shown.camera].append(shown.age)
        for entry in at.seen:
            seen[entry.camera].append(entry)
        newest = self._window.newest()
        return {
            camera: {
                "frames": frames.as_json(balance),
                "rates": dict(rates[camera]),
                **ages_and_stages(seen[camera]),
                "display": percentiles(ages[camera]),
                "newest_age": round(max(0.0, at.now - newest[camera].captured_at), 3) if camera in newest else None,
                "faces": newest[camera].faces if camera in newest else None,
            }
            for camera, balance in at.counters.items()
        }

    def _signs(self, at: Snapshot, rates: Mapping[str, float], measured: Mapping[str, Any], calls: float) -> bottleneck.Signs:
        running = [camera for camera in at.cameras if not camera.paused]
        limit = next((limit for limit in at.limits if limit.operation == DETECT_FACES), None)
        return bottleneck.Signs(
            cameras=len(at.cameras),
            silent=tuple(camera.id for camera in running if at.statuses[camera.id].state not in _DELIVERING),
            slow=tuple(camera.id for camera in running if _is_slow(camera, at.statuses[camera.id])),
            sampled=rates["sampled"],
            lost=rates["superseded"] + rates["dropped"],
            failed=rates["failed"],
            saved=rates["saved"],
            calls=calls,
            quota=limit.quota if limit else None,
            allowed=limit.rate if limit else None,
            held=_held(limit, at.spending, self._price),
            threads=at.workers["alive"],
            idle=at.workers["idle"],
            queue_length=at.queue_length,
            is_local_service=not self._settings.provider.paid,
            stages={stage: values["p50"] for stage, values in measured["stages"].items() if values["p50"] is not None},
        )


def workers_as_json(processes: list[Process]) -> dict[str, int]:
    """Return how many worker processes and threads there are, and what the threads do."""
    counts: Counter[str] = Counter()
    for process in processes:
        counts.update({name: int(process.details.get(name, 0)) for name in WORKER_COUNTS})
    return {"processes": len(processes), **{name: counts[name] for name in WORKER_COUNTS}}


def _worker_as_json(process: Process) -> dict[str, Any]:
    doing = {name: int(process.details.get(name, 0)) for name in WORKER_COUNTS}
    members = {"name": process.name, "host": process.host, "pid": process.pid, "version": process.version}
    return {**members, "started_at": round(process.started_at, 3), **doing}


def _held(limit: Limit | None, spending: Spending | None, price: float) -> str:
    if limit and limit.held_seconds:
        return f"calls are held back for {limit.held_seconds:.0f} s: {redact(limit.held_why)}"
    if not price:
        return ""
    if spending is None:
        return "no paid call is made before the budget is set: the dashboard does that within a second"
    if spending.spent_dollars + price > spending.limit_dollars + _A_TRIFLE:
        return f"the budget of {spending.limit_dollars:g} dollars is spent: raise it, or wait for the next period"
    return ""


def _calls_per_second(at: Snapshot) -> dict[str, float]:
    """Return by operation how many calls a second were made lately."""
    lately = at.now - frames.RATE_SECONDS
    counts = Counter(entry.called for entry in at.seen if entry.called and entry.published_at > lately)
    return {operation: round(count / frames.RATE_SECONDS, 3) for operation, count in counts.items()}


def _limit_as_json(limit: Limit, calls: float) -> dict[str, Any]:
    return {
        "operation": limit.operation,
        "scope": redact(limit.scope),
        "quota": limit.quota,
        "rate": round(limit.rate, 3),
        "cuts": limit.cuts,
        "calls": calls,
        "use": None if not limit.rate else round(calls / limit.rate, 3),
        "held_seconds": round(limit.held_seconds, 1),
        "held_why": redact(limit.held_why),
    }


def _budget(spending: Spending) -> dict[str, float]:
    return {
        "start": spending.start,
        "end": spending.end,
        "limit_dollars": spending.limit_dollars,
        "spent_dollars": spending.spent_dollars,
        "left_dollars": round(max(0.0, spending.limit_dollars - spending.spent_dollars), 6),
    }


def _is_slow(camera: Camera, status: CameraStatus) -> bool:
    return status.state is CameraState.LIVE and 0 < status.capture_fps < bottleneck.ENOUGH_FPS * camera.fps
