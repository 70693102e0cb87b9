"""The receipt of a show: what was counted, what that costs, how far off it may be, and what the calls cost. Read only."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from history.audience_tables import audience, laughs, stays
from history.audience_views import laughs_between
from history.laugh_error import error_of
from history.laughs import BEGINS_AT, ENDS_AT, SMOOTHING_SECONDS, smoothed
from history.looks import Signs, signs_of
from history.packing import unpacked
from history.rows import NO_CAMERA
from history.schema import minutes, results, within
from history.stays import LEAST_LOOKS, MINUTE
from pipeline.faces import counted_faces
from pipeline.names import TRACK

MOST_SHOWN = 2000
TRACE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Show:
    """A show; `cameras` are all if none is named, `price` is of a laugh. It runs while `stopped_at` is None."""

    id: str
    name: str
    cameras: tuple[str, ...]
    price: float | None
    currency: str
    started_at: float
    stopped_at: float | None
    gone_at: float | None

    def as_json(self) -> dict[str, Any]:
        """Return the show as the API shows it."""
        about = {
            name: getattr(self, name) for name in ("id", "name", "price", "currency", "started_at", "stopped_at", "gone_at")
        }
        return {**about, "cameras": list(self.cameras), "running": self.stopped_at is None}

    def until(self, now: float) -> float:
        """Return up to when its data go."""
        return now if self.stopped_at is None else self.stopped_at


def show_of(row: Mapping[Any, Any]) -> Show:
    """Return the show of a row of `shows`."""
    return Show(**{**row, "cameras": tuple(json.loads(row["cameras"]))})


def receipt_of(connection: Connection, show: Show, now: float) -> dict[str, Any]:
    """Return the receipt of a show as it is now, as GET /api/shows/{show} shows it."""
    since, until = show.started_at, show.until(now)
    found = _spans(connection, show, until)
    counted = [laugh for laugh in found if not laugh.disputed]
    there = _there(connection, show, until)
    shown = laughs_between(connection, since, until, show.cameras, MOST_SHOWN)[::-1]
    return {
        "show": show.as_json(),
        "laughs": {"counted": len(counted), "disputed": len(found) - len(counted), "all": shown},
        "minutes": _by_minute(there, found),
        "peak": _peak(counted),
        "people": _people(connection, show, until),
        "amount": None if show.price is None else round(len(counted) * show.price, 2),
        "error": error_of(_rate(there)),
        "calls": _calls(connection, show, until),
    }


def trace_of(connection: Connection, laugh: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what was read of a laughing face in the two seconds around the peak, from the results themselves."""
    reach = TRACE_SECONDS / 2 + SMOOTHING_SECONDS
    around = results.c.captured_at.between(laugh["peak_at"] - reach, laugh["peak_at"] + reach)
    asked = select(results.c.captured_at, results.c.response).where(
        results.c.camera == laugh["camera"], around, results.c.faces > 0, results.c.response.isnot(None)
    )
    read = [
        (at, _signs(response, laugh["track"])) for at, response in connection.execute(asked.order_by(results.c.captured_at))
    ]
    told = [(at, signs, signs.laughter) for at, signs in read if signs]
    points = [(at, score) for at, _, score in told if score is not None]
    lines = dict(smoothed(points))
    return [
        {
            "at": round(at, 3),
            "score": round(score, 4),
            "smoothed": round(lines[at], 4),
            "smile": signs.smile,
            "happy": signs.happy,
            "mouth_open": signs.mouth_open,
        }
        for at, signs, score in told
        if score is not None and abs(at - laugh["peak_at"]) <= TRACE_SECONDS / 2
    ]


def lines() -> dict[str, float]:
    """Return the two lines between which laughs begin and end."""
    return {"begins_at": BEGINS_AT, "ends_at": ENDS_AT}


def _signs(response: bytes, track: str) -> Signs | None:
    return next((signs_of(face) for face in counted_faces(unpacked(response)) if face.get(TRACK) == track), None)


def _spans(connection: Connection, show: Show, until: float) -> Sequence[Any]:
    """Return when each laugh of a show began and ended, in which minute, and whether it is disputed."""
    where = (laughs.c.start >= show.started_at, laughs.c.start < until, *_at(laughs, show))
    asked = select(laughs.c.start, laughs.c.end, laughs.c.minute, laughs.c.disputed).where(*where)
    return connection.execute(asked.order_by(laughs.c.start)).all()


def _there(connection: Connection, show: Show, until: float) -> dict[int, tuple[float, int]]:
    """Return for how many seconds faces were seen in each minute, and how often they were looked at."""
    times = within(audience.c.at, show.started_at // MINUTE * MINUTE, until)
    asked = select(audience.c.at, func.sum(audience.c.seconds), func.sum(audience.c.looks))
    rows = connection.execute(asked.where(audience.c.step == MINUTE, *times, *_at(audience, show)).group_by(audience.c.at))
    return {int(at): (float(seconds), int(looks)) for at, seconds, looks in rows}


def _by_minute(there: Mapping[int, tuple[float, int]], found: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the laughs of each minute in which one began or somebody was there."""
    laughed: dict[int, list[int]] = defaultdict(list)
    for laugh in found:
        laughed[laugh.minute].append(laugh.disputed)
    return [
        {
            "at": at,
            "laughs": laughed[at].count(0),
            "disputed": laughed[at].count(1),
            "present": round(there[at][0] / MINUTE, 2) if at in there else 0.0,
        }
        for at in sorted(there.keys() | laughed.keys())
    ]


def _peak(counted: Sequence[Any]) -> dict[str, Any] | None:
    """Return when most laughed at the same time, and in which minute most laughs began; the first of several."""
    if not counted:
        return None
    changes = sorted([(laugh.start, 1) for laugh in counted] + [(laugh.end, -1) for laugh in counted])
    laughing, most, at = 0, 0, 0.0
    for when, change in changes:
        laughing += change
        if laughing > most:
            most, at = laughing, when
    by_minute = Counter(laugh.minute for laugh in counted)
    minute = min(by_minute, key=lambda one: (-by_minute[one], one))
    return {"at": at, "laughing": most, "minute": minute, "laughs": by_minute[minute]}


def _people(connection: Connection, show: Show, until: float) -> dict[str, Any]:
    """Return how many were there during the show, and for how long of it."""
    where = [stays.c.until >= show.started_at, stays.c.since < until, stays.c.looks >= LEAST_LOOKS, *_at(stays, show)]
    found = connection.execute(select(stays.c.since, stays.c.until).where(*where)).all()
    seconds = [min(left, until) - max(came, show.started_at) for came, left in found]
    return {
        "arrivals": len(found),
        "present": round(sum(seconds) / max(1.0, until - show.started_at), 2),
        "dwell_seconds": round(sum(seconds) / len(seconds), 1) if seconds else None,
    }


def _rate(there: Mapping[int, tuple[float, int]]) -> float | None:
    """Return how often a second each face was looked at."""
    seconds, looks = (sum(column) for column in zip(*there.values(), strict=True)) if there else (0.0, 0)
    return looks / seconds if seconds else None


def _calls(connection: Connection, show: Show, until: float) -> dict[str, Any]:
    """Return what was asked and paid: whole minutes from their sums, the rest of the first and the last one by one."""
    first, last = math.ceil(show.started_at / MINUTE) * MINUTE, math.floor(until / MINUTE) * MINUTE
    sums = (func.count(), func.sum(results.c.dollars), func.count(results.c.error))
    if first > last:
        parts = [select(*sums).where(results.c.captured_at >= show.started_at, results.c.captured_at < until)]
    else:
        before = select(*sums).where(results.c.captured_at >= show.started_at, results.c.captured_at < first)
        after = select(*sums).where(results.c.captured_at >= last, results.c.captured_at < until)
        parts = [before, after]
    found = [connection.execute(part.where(*_at(results, show), results.c.camera != NO_CAMERA)).one() for part in parts]
    if first < last:
        whole = select(func.sum(minutes.c.calls), func.sum(minutes.c.dollars), func.sum(minutes.c.errors))
        between = (minutes.c.minute >= first, minutes.c.minute < last, *_at(minutes, show), minutes.c.camera != NO_CAMERA)
        found.append(connection.execute(whole.where(*between)).one())
    calls, dollars, failed = (sum(row[place] or 0 for row in found) for place in range(3))
    return {"calls": int(calls), "dollars": round(float(dollars), 6), "failed": int(failed)}


def _at(table: Any, show: Show) -> list[Any]:
    """Return the condition that a row is of the show's cameras."""
    return [table.c.camera.in_(show.cameras)] if show.cameras else []
