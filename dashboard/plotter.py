"""Charts with their points, from the hour that is kept here or from a Prometheus server."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from dashboard.answers import RefusedError
from dashboard.charts import BY_ID, CHARTS, Chart, Role, Series
from dashboard.history import KEPT_SECONDS, SCRAPE_SECONDS, History
from dashboard.queries import Grid, Line, Query, duration
from pipeline.camera_spec import check_id
from pipeline.errors import SettingsError

MOST_POINTS = 1500
USUAL_POINTS = 180
LOCAL_WINDOW_SECONDS = 4 * SCRAPE_SECONDS
MOST_LINES = 200  # of one series; more cannot be told apart
DIGITS = 6
LATELY_POINTS = 3  # the very last sample may still be under way

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)([smhdw])?")


class Source(Protocol):
    """Whoever answers queries; `most_seconds` is how far back it knows, None when nobody can say."""

    name: str
    most_seconds: float | None

    def window(self, step: float) -> float:
        """Return over how many seconds a rate is taken, for points that are `step` seconds apart."""
        ...

    def lines(self, query: Query, camera: str | None, grid: Grid) -> list[Line]:
        """Return a query's answer at each time of the grid."""
        ...


class LocalSource:
    """Answers from the hour that is kept here."""

    name = "local"
    most_seconds: float | None = KEPT_SECONDS

    def __init__(self, history: History, window: float = LOCAL_WINDOW_SECONDS) -> None:
        self._history = history
        self._window = window

    def window(self, step: float) -> float:
        """Return over how many seconds a rate is taken, for points that are `step` seconds apart."""
        return max(step, self._window)

    def lines(self, query: Query, camera: str | None, grid: Grid) -> list[Line]:
        """Return a query's answer at each time of the grid."""
        with self._history.unchanged():
            return query.lines(self._history, {"camera": (camera,)} if camera else {}, grid)


class Plotter:
    """Answers for charts; its source says of itself which it is, and no other stands in for it."""

    def __init__(self, source: Source, now: Callable[[], float]) -> None:
        self._source = source
        self._now = now

    def definitions(self) -> dict[str, Any]:
        """Return all charts without their points."""
        return {
            "source": self._source.name,
            "most_seconds": self._source.most_seconds,
            "charts": [_definition(chart, self._source.window(SCRAPE_SECONDS)) for chart in CHARTS],
        }

    def plot(self, chart_id: str, span: str, step: str | None, camera: str | None) -> dict[str, Any]:
        """Return a chart's lines over the last `span` (``15m``), a point each `step`; raises SettingsError or RefusedError."""
        chart = _chart(chart_id)
        if camera is not None:
            check_id(camera)
            if not chart.by_camera:
                raise SettingsError(f"chart {chart.id!r} is not told by camera: leave camera={camera} out")
        grid = self._grid(span, step)
        lines = [(series, line) for series in chart.series for line in self._lines(series, camera, grid)]
        return {
            "id": chart.id,
            "source": self._source.name,
            "from": float(grid.times[0]),
            "to": float(grid.times[-1]),
            "step": float(grid.times[1] - grid.times[0]),
            "window": grid.window,
            "camera": camera,
            "series": [_as_json(series, line, grid) for series, line in lines],
            "floor": next((_newest(line) for series, line in lines if series.role is Role.FLOOR), None),
        }

    def _lines(self, series: Series, camera: str | None, grid: Grid) -> list[Line]:
        found = self._source.lines(series.query, camera, grid)
        return sorted(found, key=lambda line: sorted(line.labels.items()))[:MOST_LINES]

    def _grid(self, span: str, step: str | None) -> Grid:
        """Return times at whole steps, so that points stay where they are from one answer to the next."""
        seconds = parse_duration("range", span)
        most = self._source.most_seconds
        if most is not None and seconds > most:
            raise SettingsError(
                f"range {span!r} is longer than the {most / 60:g} minutes that are kept here: "
                "start with --prometheus URL for more"
            )
        apart = parse_duration("step", step) if step else max(SCRAPE_SECONDS, _round_step(seconds / USUAL_POINTS))
        if not 1 <= seconds / apart <= MOST_POINTS:
            raise SettingsError(f"step {step!r} makes no 1 to {MOST_POINTS} points of range {span!r}: leave it out")
        last = math.floor(self._now() / apart)
        return Grid(
            apart * np.arange(last - math.floor(seconds / apart), last + 1, dtype=np.float64), self._source.window(apart)
        )


def parse_duration(name: str, text: str) -> float:
    """Return the seconds of ``90s``, ``15m``, ``1h``, ``7d``; raises SettingsError."""
    found = _DURATION.fullmatch(text.strip())
    seconds = float(found[1]) * _UNITS[found[2] or "s"] if found else 0.0
    if seconds < 1:
        raise SettingsError(f"{name} {text[:40]!r} is no time of a second or more: write 90s, 15m, 1h or 7d")
    return seconds


def _chart(chart_id: str) -> Chart:
    chart = BY_ID.get(chart_id)
    if chart is None:
        raise RefusedError(404, "UnknownChart", f"there is no chart {chart_id!r}: /api/charts lists them")
    return chart


def _round_step(seconds: float) -> float:
    """Return a whole multiple of the time between scrapes, so that each point has one of its own."""
    return math.ceil(seconds / SCRAPE_SECONDS) * SCRAPE_SECONDS


def _definition(chart: Chart, window: float) -> dict[str, Any]:
    return {
        "id": chart.id,
        "title": chart.title,
        "unit": chart.unit,
        "help": chart.help,
        "by_camera": chart.by_camera,
        "series": [
            {"name": series.name, "role": str(series.role), "promql": series.query.promql({}, duration(window))}
            for series in chart.series
        ],
    }


def _as_json(series: Series, line: Line, grid: Grid) -> dict[str, Any]:
    return {
        "name": named(series.name, line.labels),
        "role": str(series.role),
        "labels": dict(line.labels),
        "points": [[float(at), _shown(value)] for at, value in zip(grid.times, line.values, strict=True)],
    }


def named(name: str, labels: Any) -> str:
    """Return a series' name with its labels' values in it."""
    for label, value in labels.items():
        name = name.replace(f"{{{label}}}", value)
    return name


def _shown(value: float) -> float | None:
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


def _newest(line: Line) -> float | None:
    """Return what a line says now, None when it ended some points ago."""
    lately = line.values[-LATELY_POINTS:]
    known = lately[np.isfinite(lately)]
    return _shown(float(known[-1])) if known.size else None
