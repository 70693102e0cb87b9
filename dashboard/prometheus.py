"""A Prometheus server that is asked instead of the figures kept here: any range, the same charts."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import httpx
import numpy as np

from dashboard.answers import RefusedError
from dashboard.queries import Grid, Line, Query, duration, quoted
from pipeline.errors import redact

PATIENCE_SECONDS = 10.0
WINDOW_SECONDS = 60.0  # over which rates are taken at least: two samples, where Prometheus scrapes every 30 s
MOST_BYTES = 16 * 1024 * 1024
MOST_ERROR_CHARACTERS = 300


class Prometheus:
    """Asks a Prometheus server at `url`, whose password is never shown; what goes wrong is RefusedError 502, one sentence."""

    name = "prometheus"
    most_seconds: float | None = None

    def __init__(self, url: str, window: float = WINDOW_SECONDS) -> None:
        self._shown = redact(url)
        self._window = window
        self._http = httpx.Client(base_url=url, timeout=PATIENCE_SECONDS, trust_env=False)

    def window(self, step: float) -> float:
        """Return over how many seconds a rate is taken, for points that are `step` seconds apart."""
        return max(step, self._window)

    def lines(self, query: Query, camera: str | None, grid: Grid) -> list[Line]:
        """Return a query's answer at each time of the grid, whose steps are equal."""
        matchers = {"camera": f"={quoted(camera)}"} if camera else {}
        return self.ask(query.promql(matchers, duration(grid.window)), grid)

    def ask(self, promql: str, grid: Grid) -> list[Line]:
        """Return the answer to some PromQL at each time of the grid."""
        step = grid.times[1] - grid.times[0] if grid.times.size > 1 else 1.0
        asked = {"query": promql, "start": f"{grid.times[0]:.3f}", "end": f"{grid.times[-1]:.3f}", "step": f"{step:.3f}"}
        answer = self._get("api/v1/query_range", asked)
        try:
            return [Line(_labels(found["metric"]), _values(found["values"], grid, step)) for found in answer["data"]["result"]]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise self._refused("answers in a shape that is not Prometheus's") from error

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def _get(self, path: str, asked: Mapping[str, str]) -> dict[str, Any]:
        try:
            with self._http.stream("GET", path, params=dict(asked)) as answer:
                text = self._bounded(answer)
        except httpx.TimeoutException as error:
            raise self._refused(f"did not answer within {PATIENCE_SECONDS:g} s: ask for a shorter range") from error
        except httpx.HTTPError as error:
            raise self._refused(f"does not answer ({type(error).__name__}): is it running, and is the URL right?") from error
        return self._checked(answer.status_code, text)

    def _checked(self, status: int, text: bytes) -> dict[str, Any]:
        try:
            found = json.loads(text)
        except ValueError as error:
            raise self._refused(f"answers with status {status} and no JSON: is the URL that of a Prometheus?") from error
        if not isinstance(found, dict) or found.get("status") != "success":
            why = found.get("error", "") if isinstance(found, dict) else ""
            raise self._refused(f"refuses the query with status {status}: {redact(str(why))[:MOST_ERROR_CHARACTERS]}")
        return found

    def _bounded(self, answer: httpx.Response) -> bytes:
        text, deadline = bytearray(), time.monotonic() + PATIENCE_SECONDS
        for chunk in answer.iter_bytes():
            text += chunk
            if time.monotonic() > deadline:
                raise self._refused(f"did not answer within {PATIENCE_SECONDS:g} s: ask for a shorter range")
            if len(text) > MOST_BYTES:
                raise self._refused(f"answers with more than {MOST_BYTES:,} bytes: ask for a shorter range or a longer step")
        return bytes(text)

    def _refused(self, what: str) -> RefusedError:
        return RefusedError(502, "PrometheusError", f"Prometheus at {self._shown} {what}")


def _labels(metric: Mapping[str, str]) -> dict[str, str]:
    return {name: str(value) for name, value in metric.items() if name != "__name__"}


def _values(values: list[tuple[float, str]], grid: Grid, step: float) -> Any:
    found = np.full(grid.times.size, np.nan)
    for at, value in values:
        found[round((float(at) - grid.times[0]) / step)] = float(value)
    return np.where(np.isfinite(found), found, np.nan)
