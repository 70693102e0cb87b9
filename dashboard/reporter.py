"""Finds out what happened by comparing what is with what was: successive statistics and lists of cameras."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dashboard.notices import Level, NoticeBoard
from pipeline.entities import CameraState
from pipeline.spending import ALL, step_of

log = logging.getLogger(__name__)

Json = Mapping[str, Any]

OFTEN_SECONDS = 60.0  # failures of one camera and cause are told at once, then together
MOST_CHANGES = 6  # of a camera's state in that time, one by one
THROTTLES_SECONDS = 10.0
CAMERAS_SECONDS, WORKERS_SECONDS = 1.5, 4.0  # after which an emptied Redis has them back
REPORTED_SECONDS = 5.0  # within which a producer reports of a new camera, and of all after Redis was emptied

_LEVELS = {
    CameraState.CONNECTING: Level.WARN,
    CameraState.STALLED: Level.WARN,
    CameraState.UNAUTHORIZED: Level.BAD,
    CameraState.NOT_FOUND: Level.BAD,
}
_FAILURES = {
    "throttled": "Rekognition was asked more often than its quota allows",
    "timeout": "Rekognition did not answer in time",
    "connection": "Rekognition could not be reached",
    "server": "Rekognition failed",
    "answer": "what answered is not Rekognition",
    "denied": "Rekognition refuses the credentials",
    "picture": "Rekognition refuses the picture",
    "request": "Rekognition refuses the request",
    "lost": "the worker was lost",
}


class Reporter:
    """Writes on the board what changed from one look to the next; `price` is dollars a call, `redis` an address to show.

    The first look only says what is wrong already.
    """

    def __init__(self, board: NoticeBoard, now: Callable[[], float], price: float, redis: str) -> None:
        self._board = board
        self._now = now
        self._price = price
        self._redis = redis
        self._away_since: float | None = None
        self._before: Json | None = None
        self._cameras = Roll(CAMERAS_SECONDS)
        self._workers = Roll(WORKERS_SECONDS)
        self._states: dict[str, CameraState] = {}
        self._unreported_since: dict[str, float] = {}
        self._budget_step = 0
        self._rehearsal: Json | None = None
        self._changes = Sparing(OFTEN_SECONDS, MOST_CHANGES)
        self._often = Sparing(OFTEN_SECONDS)
        self._throttles = Sparing(THROTTLES_SECONDS)

    def look(self, stats: Json, cameras: Iterable[Json]) -> None:
        """Compare; called each second with what /api/stats and /api/cameras tell."""
        now = self._now()
        self._redis_is_back(now)
        self._look_at_cameras(list(cameras), now)
        self._look_at_budget(stats["cost"]["budget"])
        self._look_at_workers(stats["workers"]["list"], now)
        self._look_at_limits(_limits(self._before), _limits(stats), now)
        self._look_at_rehearsal(stats.get("rehearsal"))
        self._look_at_failures(_failed(self._before), _failed(stats), now)
        self._before = stats

    def redis_is_away(self) -> None:
        """Say so, once."""
        if self._away_since is None:
            self._away_since = self._now()
            self._board.tell(Level.BAD, "redis", f"Redis at {self._redis} does not answer: nothing is analysed until it does")

    def _redis_is_back(self, now: float) -> None:
        if self._away_since is not None:
            self._board.tell(Level.INFO, "redis", f"Redis answers again after {now - self._away_since:.0f} s")
            self._away_since = None

    def _look_at_cameras(self, cameras: list[Json], now: float) -> None:
        new, gone = self._cameras.look({camera["id"]: camera for camera in cameras}, now)
        for camera in gone:
            self._states.pop(camera["id"], None)
            self._unreported_since.pop(camera["id"], None)
            self._changes.forget(camera["id"])
            self._often.forget(camera["id"])
            self._board.tell(Level.INFO, "camera", f"camera {camera['id']} was removed", camera["id"])
        for camera in new if self._before is not None else []:
            self._board.tell(Level.INFO, "camera", f"camera {camera['id']} was added: {camera['url']}", camera["id"])
        for camera in cameras:
            self._look_at_state(camera["id"], camera, now)

    def _look_at_state(self, camera_id: str, camera: Json, now: float) -> None:
        """Tell a state that is new; of a camera that changes all the time only a few, then how often and how it is."""
        status, was = camera["status"], self._states.get(camera_id)
        state = CameraState(status["state"])
        if status["since"]:
            self._unreported_since.pop(camera_id, None)
        elif now - self._unreported_since.setdefault(camera_id, now) < REPORTED_SECONDS:
            return
        level = _LEVELS.get(state, Level.INFO)
        is_new = _is_news(state, was, is_paused=camera["paused"], is_explained=bool(status["message"]))
        if is_new:
            self._states[camera_id] = state
        is_told = is_new and (self._before is not None or level is not Level.INFO)
        changes = self._changes.add(camera_id, int(is_told), now)
        if changes:
            often = f" ({changes} changes within {OFTEN_SECONDS:.0f} s)" if changes > 1 else ""
            self._board.tell(level, "state", f"camera {camera_id} is {_state_sentence(state, status)}{often}", camera_id)

    def _look_at_workers(self, workers: list[Json], now: float) -> None:
        new, gone = self._workers.look({worker["name"]: worker for worker in workers}, now)
        left = f"{len(workers)} left" if workers else "none is left, nothing is analysed: start one with `rekstream work`"
        for worker in gone:
            text = f"the worker on {worker['host']} (process {worker['pid']}) is gone, {left}"
            self._board.tell(Level.WARN if workers else Level.BAD, "worker", text)
        for worker in new if self._before is not None else []:
            self._board.tell(Level.INFO, "worker", f"a worker with {worker['threads']} threads began on {worker['host']}")

    def _look_at_limits(self, before: Mapping[str, Json], after: Mapping[str, Json], now: float) -> None:
        for name, limit in after.items():
            was = before.get(name)
            if was is not None:
                self._look_at_cuts(name, was, limit, now)
            self._look_at_hold(was, limit)

    def _look_at_cuts(self, name: str, was: Json, limit: Json, now: float) -> None:
        new = max(0, limit["cuts"] - was["cuts"])
        told = self._throttles.add(name, new, now)
        if told:
            times = "was throttled" if told == 1 else f"was throttled {told} times"
            moved = f"went from {was['rate']:.1f} to" if told == new else "is now"
            text = f"{limit['operation']} {times}: the limit {moved} {limit['rate']:.1f} of {limit['quota']:g} calls/s"
            self._board.tell(Level.WARN, "throttle", text)

    def _look_at_hold(self, was: Json | None, limit: Json) -> None:
        was_held = bool(was and was["held_seconds"])
        if limit["held_seconds"] and not was_held:
            self._board.tell(Level.BAD, "held", f"calls are held back: {limit['held_why']}")
        elif was_held and not limit["held_seconds"]:
            self._board.tell(Level.INFO, "held", f"calls of {limit['operation']} are let out again")

    def _look_at_rehearsal(self, rehearsal: Json | None) -> None:
        """Tell when it begins, changes and ends: what is slow meanwhile is not really slow."""
        if rehearsal == self._rehearsal:
            return
        if rehearsal is None:
            self._board.tell(Level.INFO, "rehearsal", "the rehearsal is over")
        else:
            what = "something else now" if self._rehearsal else "from now on"
            self._board.tell(Level.WARN, "rehearsal", f"the local server rehearses {what}: slowness and errors are not real")
        self._rehearsal = rehearsal

    def _look_at_budget(self, budget: Json | None) -> None:
        step, was = self._step(budget), self._budget_step
        self._budget_step = step
        if budget is None or step == was:
            return
        dollars = f"the budget of {budget['limit_dollars']:g} dollars"
        if step > was:
            level, text = (
                (Level.BAD, f"{dollars} is spent: no paid call is made before it is raised or the next period begins")
                if step == ALL
                else (Level.WARN, f"{budget['spent_dollars'] / budget['limit_dollars']:.0%} of {dollars} is spent")
            )
            self._board.tell(level, "budget", text)
            log.warning("%s", text)
        else:
            self._board.tell(Level.INFO, "budget", f"{budget['left_dollars']:g} dollars of {dollars} are left again")

    def _step(self, budget: Json | None) -> int:
        if budget is None:
            return 0
        return step_of(budget["spent_dollars"], budget["limit_dollars"], self._price)

    def _look_at_failures(
        self, before: Mapping[tuple[str, str], int], after: Mapping[tuple[str, str], int], now: float
    ) -> None:
        for (camera_id, cause), count in after.items():
            more = max(0, count - before.get((camera_id, cause), 0)) if self._before is not None else 0
            told = self._often.add(f"{camera_id} failed {cause}", more, now)
            if told:
                frames = "a frame was" if told == 1 else f"{told} frames were"
                text = f"camera {camera_id}: {frames} not analysed, {_FAILURES.get(cause, cause)}"
                self._board.tell(Level.BAD if cause == "denied" else Level.WARN, "failed", text, camera_id)


class Roll:
    """Who is there: tells who is new, and who has been missing for `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._known: dict[str, Json] = {}
        self._missing_since: dict[str, float] = {}

    def look(self, there: Mapping[str, Json], now: float) -> tuple[list[Json], list[Json]]:
        """Return the new ones, and those that are gone."""
        new = [entry for name, entry in there.items() if name not in self._known]
        self._known |= there
        missing = self._known.keys() - there.keys()
        self._missing_since = {name: self._missing_since.get(name, now) for name in missing}
        names = [name for name, since in self._missing_since.items() if now - since >= self._seconds]
        return new, [self._known.pop(name) for name in names]


class Sparing:
    """Lets the first `burst` of a kind through at once; those that follow within `seconds` are counted, and told together."""

    def __init__(self, seconds: float, burst: int = 1) -> None:
        self._seconds = seconds
        self._burst = burst
        self._told_at: dict[str, list[float]] = {}
        self._untold: dict[str, int] = {}

    def add(self, kind: str, count: int, now: float) -> int:
        """Take `count` more, perhaps 0, and return how many are to be told now."""
        untold = self._untold.pop(kind, 0) + count
        lately = [at for at in self._told_at.pop(kind, ()) if now - at < self._seconds]
        is_due = untold > 0 and len(lately) < self._burst
        if lately or is_due:
            self._told_at[kind] = [*lately, now] if is_due else lately
        if untold and not is_due:
            self._untold[kind] = untold
        return untold if is_due else 0

    def forget(self, camera_id: str) -> None:
        """Drop what is known of the kinds of one camera."""
        for kind in [kind for kind in {**self._told_at, **self._untold} if kind.partition(" ")[0] == camera_id]:
            self._told_at.pop(kind, None)
            self._untold.pop(kind, None)


def _is_news(state: CameraState, was: CameraState | None, *, is_paused: bool, is_explained: bool) -> bool:
    """Say whether a state is worth a notice: not that a camera starts, is tried again, or has no producer yet."""
    if state is CameraState.OFF:
        return (is_paused or is_explained) and was is not state  # paused, or resting
    if state is CameraState.CONNECTING:
        return is_explained and was not in (state, CameraState.UNAUTHORIZED, CameraState.NOT_FOUND)
    return state is not was


def _state_sentence(state: CameraState, status: Json) -> str:
    if state is CameraState.OFF:
        return str(status["message"]) or "paused"
    words = "not connected" if state is CameraState.CONNECTING else state.replace("_", " ")
    picture = f"{status['width']}x{status['height']} {status['codec']}".strip() if state is CameraState.LIVE else ""
    more = status["message"] or picture
    return f"{words}: {more}" if more else words


def _limits(stats: Json | None) -> dict[str, Json]:
    return {f"{limit['scope']} {limit['operation']}": limit for limit in stats["limits"]} if stats else {}


def _failed(stats: Json | None) -> dict[tuple[str, str], int]:
    cameras = stats["cameras"] if stats else {}
    return {(name, cause): count for name, camera in cameras.items() for cause, count in camera["frames"]["failed"].items()}
