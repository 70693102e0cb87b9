"""Attendance as CSV: a row for each person and day, and one for each camera that saw them then."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

COLUMNS = (
    "day", "person", "person id", "camera", "state", "first", "last", "seen first", "seen last",
    "minutes in sight", "visits", "gaps", "minutes of gaps", "excused", "corrected by",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_of(found: Mapping[str, Any]) -> str:
    """Return what history.attendance answers as CSV; times as the clock showed; the row of all cameras names none."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(COLUMNS)
    rows.writerows([_cell(value) for value in row] for entry in found["attendance"] for row in _rows(entry))
    return text.getvalue()


def _rows(entry: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    about = (entry["day"], entry["Person"]["Name"], entry["Person"]["Id"])
    correction, clock = entry["correction"] or {}, entry["clock"]
    times = (clock["first"], clock["last"], clock["seen_first"], clock["seen_last"])
    yield (*about, "", entry["state"], *times, *_figures(entry), correction.get("excused"), correction.get("by"))
    for seen in entry["cameras"]:
        clock = (seen["clock"]["first"], seen["clock"]["last"])
        yield (*about, seen["camera"], "", *clock, *clock, *_figures(seen), "", "")


def _figures(of: Mapping[str, Any]) -> tuple[Any, ...]:
    out_of_sight = sum(gap["until"] - gap["since"] for gap in of["gaps"])
    return round(of["seconds"] / 60, 1), of["visits"], len(of["gaps"]), round(out_of_sight / 60, 1)


def _cell(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
