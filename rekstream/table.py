"""The live table in the terminal: which cameras, how they are, what they see, how old that is, what it costs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from pipeline.provider import Provider
from rekstream.client import Client, ServerError

REFRESH_SECONDS = 1.0
PLAIN_SECONDS = 5.0  # between lines where the output is no terminal
FRESH_SECONDS, OLD_SECONDS = 1.0, 3.0
_STATE_STYLES = {"live": "green", "ended": "dim", "off": "dim", "connecting": "yellow", "stalled": "red", "unauthorized": "red"}


class LiveTable:
    """Shows the API's figures once a second; `refresh` may be called as often as one likes."""

    def __init__(self, console: Console, client: Client, provider: Provider) -> None:
        self._console = console
        self._client = client
        self._provider = provider
        self._live = Live(console=console, auto_refresh=False, transient=False) if console.is_terminal else None
        self._next = 0.0
        self._cameras: list[dict[str, Any]] = []

    def __enter__(self) -> LiveTable:
        if self._live:
            self._live.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live:
            self._live.__exit__(kind, error, trace)

    @property
    def all_ended(self) -> bool:
        """Whether there are cameras and each of them, being a file or folder, has been analysed to its end."""
        return bool(self._cameras) and all(camera["status"]["state"] == "ended" for camera in self._cameras)

    def refresh(self) -> None:
        """Ask for the figures and show them, if it is time."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + (REFRESH_SECONDS if self._live else PLAIN_SECONDS)
        try:
            self._cameras, stats = self._client.cameras(), self._client.stats()
        except ServerError:
            return  # the dashboard is being started again; the next second shows more
        if self._live:
            self._live.update(self._table(stats), refresh=True)
        else:
            for camera in self._cameras:
                self._console.print(plain_line(camera, _figures(stats, camera["id"])), markup=False, soft_wrap=True)

    def _table(self, stats: Mapping[str, Any]) -> Table:
        table = Table(box=None, pad_edge=False, caption=escape(self._caption(stats)), caption_justify="left")
        table.add_column("camera", no_wrap=True)
        table.add_column("state")
        for name in ("sampled/s", "analysed/s", "superseded/s", "faces", "newest age", "p95"):
            table.add_column(name, justify="right", no_wrap=True)
        for camera in self._cameras:
            table.add_row(*_row(camera, _figures(stats, camera["id"])))
        return table

    def _caption(self, stats: Mapping[str, Any]) -> str:
        cost, limit = stats["cost"], stats["bottleneck"]
        if not self._provider.paid:
            money = "0 $"
        else:
            budget = cost["budget"] or {"spent_dollars": 0.0, "limit_dollars": 0.0}
            money = f"{cost['dollars_per_hour']:.2f} $/h, {budget['spent_dollars']:.3f} of {budget['limit_dollars']:g} $ spent"
        calls = f"{stats['rates']['calls']:.1f} calls/s"
        return f"{stats['provider']} · {money} · {calls} · bottleneck: {limit['what']} ({limit['why']})"


def plain_line(camera: Mapping[str, Any], figures: Mapping[str, Any]) -> str:
    """Return the line about one camera where the output is no terminal."""
    rates, message = figures.get("rates", {}), camera["status"]["message"]
    numbers = ", ".join(f"{name} {rates.get(name, 0.0):.1f}/s" for name in ("sampled", "analysed", "superseded"))
    seen = f"faces {_count(figures.get('faces'))}, newest {_seconds(figures.get('newest_age'))}, p95 {_seconds(_p95(figures))}"
    return f"{camera['id']}: {camera['status']['state']}, {numbers}, {seen}" + (f" ({message})" if message else "")


def _row(camera: Mapping[str, Any], figures: Mapping[str, Any]) -> list[str]:
    rates, status = figures.get("rates", {}), camera["status"]
    state = "paused" if camera["paused"] else status["state"]
    style = _STATE_STYLES.get(state, "yellow")
    said = f"\n{escape(status['message'])}" if status["message"] and state != "live" else ""
    return [
        camera["id"],
        f"[{style}]{state}[/]{said}",
        *(f"{rates.get(name, 0.0):.1f}" for name in ("sampled", "analysed", "superseded")),
        _count(figures.get("faces")),
        _age(figures.get("newest_age")),
        _seconds(_p95(figures)),
    ]


def _figures(stats: Mapping[str, Any], camera: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = stats["cameras"].get(camera, {})
    return found


def _p95(figures: Mapping[str, Any]) -> float | None:
    age: Mapping[str, float | None] = figures.get("age", {})
    return age.get("p95")


def _count(value: int | None) -> str:
    return "-" if value is None else str(value)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"


def _age(value: float | None) -> str:
    if value is None:
        return "-"
    style = "green" if value <= FRESH_SECONDS else "yellow" if value <= OLD_SECONDS else "red"
    return f"[{style}]{value:.2f} s[/]"
