"""What the audience was between two times, and is now: read from sums, stays and laughs, never from results.

Pure functions over a connection: the page, reports and receipts ask the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, select

from history.audience_tables import (
    AGE_BOUNDS,
    COUNTS,
    DWELL_BOUNDS,
    DWELLS,
    OLD,
    SECONDS,
    STEPS,
    audience,
    laughs,
    stays,
)
from history.schema import EMOTIONS, within
from history.stays import LEAST_LOOKS, MINUTE
from pipeline.errors import SettingsError

NOW = {
    "present": "Faces that were seen in the last seconds",
    "faces_per_minute": "Different faces that were seen in the last minute",
    "attention": "Share of those present who face the camera",
    "smiling": "Share of those present who smile",
    "laughs_per_minute": "Laughs that began in the last minute",
}
"""What is told of this moment, in words."""

HOUR = 3600.0
PRESENT_SECONDS = 5.0
"""Whoever was seen in the last so many seconds is there now."""

MOST_LAUGHS = 200
MOST_STEPS = 240
_LAST = 4_102_444_800.0  # 2100
_DIGITS = 4


def span_of(members: Mapping[str, Any], now: float) -> tuple[float, float]:
    """Return the times that a question is about: the hour before its end, which is now, if it names none."""
    until = _time("until", members.get("until"), now)
    since = _time("since", members.get("since"), until - HOUR)
    if since >= until:
        raise SettingsError(f"since {since:.0f} is not before until {until:.0f}: exchange them")
    return since, until


def step_of(since: float, until: float) -> int:
    """Return the length in seconds of the steps that show a range best."""
    return next((step for step in STEPS if until - since <= step * MOST_STEPS), STEPS[-1])


def audience_between(connection: Connection, since: float, until: float, cameras: Sequence[str] = ()) -> dict[str, Any]:
    """Return what the audience was, as GET /api/audience shows it: of these cameras, or of all; in whole steps."""
    step = step_of(since, until)
    first, end = since // step * step, -(-until // step) * step
    sums = sums_between(connection, step, first, end, cameras)
    whole = _total(sums.values())
    return {
        "since": first,
        "until": end,
        "step": step,
        "totals": _figures(whole, _span(sums, step, first, end)),
        "series": [
            {"at": at, **_figures(row, step), "laughing": _share(row["laughing"], row["seconds"]), "emotions": _emotions(row)}
            for at, row in sorted(sums.items())
        ],
        "emotions": _emotions(whole),
        "genders": {"Female": int(whole["female"]), "Male": int(whole["male"])},
        "ages": _groups(AGE_BOUNDS, OLD, whole),
        "dwell": _groups(DWELL_BOUNDS, DWELLS, whole),
        "laughs": laughs_between(connection, first, end, cameras, MOST_LAUGHS),
    }


def now_of(connection: Connection, now: float, cameras: Sequence[str] = ()) -> dict[str, Any]:
    """Return what the audience is now, in all and by camera."""
    columns = (stays.c.camera, stays.c.until, stays.c.looks, stays.c.faces_now, stays.c.smiles_now)
    asked = select(*columns).where(stays.c.until >= now - MINUTE, *_of(stays, cameras))
    rows = connection.execute(asked).mappings().all()
    began = (laughs.c.start >= now - MINUTE, laughs.c.disputed == 0, *_of(laughs, cameras))
    laughed = Counter(connection.execute(select(laughs.c.camera).where(*began)).scalars())  # grouped there, all would be read
    seen = sorted({row["camera"] for row in rows} | laughed.keys())
    return {
        "now": {"at": now, **_now(rows, now, laughed.total())},
        "cameras": [
            {"camera": name, **_now([row for row in rows if row["camera"] == name], now, laughed[name])} for name in seen
        ],
    }


def sums_between(
    connection: Connection, step: int, since: float, until: float, cameras: Sequence[str] = ()
) -> dict[int, Mapping[str, Any]]:
    """Return the sums of each step from `since` on and before `until`, in which somebody was there."""
    names = (*COUNTS, *SECONDS)
    where = (audience.c.step == step, *within(audience.c.at, since, until), *_of(audience, cameras))
    asked = select(audience.c.at, *(func.sum(audience.c[name]).label(name) for name in names)).group_by(audience.c.at)
    found = connection.execute(asked.where(*where)).mappings().all()
    return {int(row["at"]): dict(row) for row in found if row["looks"]}


def laughs_between(
    connection: Connection, since: float, until: float, cameras: Sequence[str] = (), most: int | None = None
) -> list[dict[str, Any]]:
    """Return laughs that began between two times at these cameras (all, if none is named), the newest first."""
    where = (laughs.c.start >= since, laughs.c.start < until, *_of(laughs, cameras))
    asked = select(laughs).where(*where).order_by(laughs.c.start.desc(), laughs.c.number.desc()).limit(most)
    return [laugh_as_json(row) for row in connection.execute(asked).mappings()]


def laugh_as_json(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a row of `laughs` as the API shows it."""
    times = {name: round(row[name], 3) for name in ("start", "end", "peak", "peak_at")}
    return {"id": row["number"], "camera": row["camera"], "track": row["track"], **times, "disputed": bool(row["disputed"])}


_NOTHING: Mapping[str, Any] = dict.fromkeys((*COUNTS, *SECONDS), 0)


def _of(table: Table, cameras: Sequence[str]) -> list[ColumnElement[bool]]:
    return [table.c.camera.in_(cameras)] if cameras else []


def _total(rows: Any) -> dict[str, float]:
    whole: dict[str, float] = dict(_NOTHING)
    for row in rows:
        for name in whole:
            whole[name] += row[name]
    return whole


def _span(sums: Mapping[int, Any], step: int, since: float, until: float) -> float:
    """Return how long it was in all that somebody may have been there: before the first and after the last was nobody."""
    return max(sums) + step - min(sums) if sums else until - since


def _figures(sums: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """Return what sums over so many seconds say."""
    return {
        "present": round(sums["seconds"] / seconds, _DIGITS),
        "faces_per_minute": round(sums["seen"] * MINUTE / seconds, _DIGITS),
        "arrivals": int(sums["arrivals"]),
        "dwell_seconds": round(sums["dwell"] / sums["arrivals"], 1) if sums["arrivals"] else None,
        "attention": _share(sums["facing"], sums["posed"]),
        "smiling": _share(sums["smiling"], sums["told"]),
        "laughs": int(sums["laughs"]),
    }


def _emotions(sums: Mapping[str, Any]) -> dict[str, float]:
    """Return the share of the time that each emotion was the surest, the largest first; none where nothing is told."""
    felt = {name.upper(): _share(sums[name], sums["felt"]) for name in EMOTIONS if sums[name] > 0}
    return dict(sorted(((name, share) for name, share in felt.items() if share), key=lambda one: -one[1]))


def _groups(bounds: Sequence[int], columns: Sequence[str], sums: Mapping[str, Any]) -> list[dict[str, Any]]:
    spans = list(pairwise((*bounds, None)))
    return [{"from": low, "to": high, "people": int(sums[name])} for (low, high), name in zip(spans, columns, strict=True)]


def _now(rows: Sequence[Mapping[Any, Any]], now: float, laughed: int) -> dict[str, Any]:
    there = [row for row in rows if row["until"] >= now - PRESENT_SECONDS]
    return {
        "present": len(there),
        "faces_per_minute": sum(row["looks"] >= LEAST_LOOKS for row in rows),
        "attention": _mean([row["faces_now"] for row in there]),
        "smiling": _mean([row["smiles_now"] for row in there]),
        "laughs_per_minute": laughed,
    }


def _mean(values: Sequence[int | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), _DIGITS) if known else None


def _share(part: float, whole: float) -> float | None:
    return round(min(1.0, max(0.0, part / whole)), _DIGITS) if whole > 0 else None


def _time(name: str, value: Any, instead: float) -> float:
    if value is None:
        return instead
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= _LAST:
        raise SettingsError(f"{name} {str(value)[:40]!r} is no time: write seconds since 1970")
    return float(value)
