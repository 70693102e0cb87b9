"""What was spent, in words for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Json = Mapping[str, Any]

_DAY = 86_400
_CENT = 0.01
_MOST_LINES = 31


def money_in_words(found: Json) -> str:
    """Return what GET /api/money answers as lines."""
    return "\n".join(_lines(found))


def dollars(value: float) -> str:
    """Return ``$1,234.50``, with more digits below a cent."""
    return f"${value:,.2f}" if value == 0 or abs(value) >= _CENT else f"${value:.6f}".rstrip("0")


def _lines(found: Json) -> Iterator[str]:
    yield f"{_time(found['since'])} to {_time(found['until'])} (UTC): {_amount(found)}\n"
    when = _day if found["bucket_seconds"] == _DAY else _time
    yield from _table("operation", found["by_operation"], lambda entry: f"{entry['operation']} ({entry['provider']})")
    yield from _table("camera", found["by_camera"], lambda entry: str(entry["camera"]))
    yield from _table("day" if when is _day else "hour", found["series"][-_MOST_LINES:], lambda entry: when(entry["at"]))
    month = found["month"]
    yield f"this month so far: {_amount(month)}"
    for forecast in month["forecasts"]:
        yield f"  as in the last {_length(forecast['seconds'])} until its end: {_amount(forecast)}"
    yield from _budget(found["budget"])
    if any(tariff["assumed"] for tariff in found["prices"]):
        yield "some prices are assumed: see docs/money.md for how to correct them"


def _table(name: str, entries: Sequence[Json], label: Callable[[Json], str]) -> Iterable[str]:
    if not entries:
        return []
    labels = [label(entry) for entry in entries]
    width = max(len(text) for text in (name, *labels))
    rows = [f"{text:<{width}}  {entry['calls']:>11,}  {_amount(entry)}" for text, entry in zip(labels, entries, strict=True)]
    return [f"{name:<{width}}  {'calls':>11}", *rows, ""]


def _budget(budget: Json | None) -> Iterator[str]:
    if budget is None:
        return
    share = budget["spent_dollars"] / budget["limit_dollars"] if budget["limit_dollars"] else 1.0
    spent, limit = dollars(budget["spent_dollars"]), dollars(budget["limit_dollars"])
    yield f"budget: {spent} of {limit} spent ({share:.0%}) since {_time(budget['start'])}"
    yield f"  {dollars(budget['by_camera_dollars'])} of it by camera, {dollars(budget['not_by_camera_dollars'])} not by camera"
    if budget["spent_at"]:
        yield f"  at this rate it is spent at {_time(budget['spent_at'])}"


def _amount(entry: Json) -> str:
    """Return what was paid, and what would have been paid on AWS."""
    if not entry["would_cost"]:
        return dollars(entry["dollars"])
    would = f"{dollars(entry['would_cost'])} on AWS"
    return f"{dollars(entry['dollars'])} and would be {would} more" if entry["dollars"] else f"nothing paid, would be {would}"


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def _length(seconds: float) -> str:
    for unit, name in ((604_800, "week"), (_DAY, "day"), (3600, "hour")):
        if seconds >= unit:
            return name if seconds < 2 * unit else f"{seconds / unit:.0f} {name}s"
    return f"{seconds / 60:.0f} minutes"
