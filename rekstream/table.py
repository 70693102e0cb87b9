"""The live table in the terminal: which cameras, how they are, what they see, how old that is, what it costs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from pipeline.faces import counted_faces
from pipeline.provider import Provider
from rekstream.client import Client, ServerError
from rekstream.words import faces_in_short

REFRESH_SECONDS = 1.0
MOST_NAME = 20
RESULTS_PER_CAMERA, MOST_RESULTS = 10, 1000  # the API gives no more at once
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
        self._seen: dict[str, str] = {}

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
            stats = self.look()
        except ServerError:
            return  # the dashboard is being started again; the next second shows more
        if self._live:
            self._live.update(self.table(stats), refresh=True)
        else:
            for camera in self._cameras:
                seen = self._seen.get(camera["id"], "-")
                self._console.print(plain_line(camera, _figures(stats, camera["id"]), seen), markup=False, soft_wrap=True)

    def look(self) -> dict[str, Any]:
        """Ask for what is shown, and return the figures; raises ServerError."""
        self._cameras, stats = self._client.cameras(), self._client.stats()
        for result in self._client.results(limit=min(MOST_RESULTS, RESULTS_PER_CAMERA * max(1, len(self._cameras)))):
            self._seen[result["camera"]] = faces_in_short(counted_faces(result))
        return stats

    def table(self, stats: Mapping[str, Any]) -> Group:
        """Return the cameras as rows, below them what is wrong with some, and the figures of the whole."""
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
        longest = max((len(camera["id"]) for camera in self._cameras), default=0)
        for name, width in (("camera", min(longest, MOST_NAME)), ("state", len("live"))):
            table.add_column(name, no_wrap=True, min_width=max(width, len(name)))
        for name in ("sampled/s", "analysed/s", "superseded/s", "age   ", "p95   "):
            table.add_column(name, justify="right", no_wrap=True, min_width=len(name))
        table.add_column("faces", no_wrap=True, overflow="ellipsis", min_width=6)
        for camera in self._cameras:
            table.add_row(*_row(camera, _figures(stats, camera["id"]), self._seen.get(camera["id"], "-")))
        troubles = [
            Text(f"{camera['id']}: {camera['status']['message']}", style="yellow")
            for camera in self._cameras
            if _is_troubled(camera)
        ]
        return Group(table, *troubles, Text(self._caption(stats), style="dim italic"))

    def _caption(self, stats: Mapping[str, Any]) -> str:
        cost, limit = stats["cost"], stats["bottleneck"]
        if not self._provider.paid:
            money = "0 $"
        else:
            budget = cost["budget"] or {"spent_dollars": 0.0, "limit_dollars": 0.0}
            money = f"{cost['dollars_per_hour']:.2f} $/h, {budget['spent_dollars']:.3f} of {budget['limit_dollars']:g} $ spent"
        calls = f"{stats['rates']['calls']:.1f} calls/s"
        return f"{stats['provider']} · {money} · {calls} · bottleneck: {limit['what']} ({limit['why']})"


def plain_line(camera: Mapping[str, Any], figures: Mapping[str, Any], faces: str) -> str:
    """Return the line about one camera where the output is no terminal."""
    rates, status = figures.get("rates", {}), camera["status"]
    message = status["message"]
    numbers = ", ".join(f"{name} {rates.get(name, 0.0):.1f}/s" for name in ("sampled", "analysed", "superseded"))
    gate = status.get("gate")
    numbers += f", saved {gate['saved']:.1f}/s ({gate['sees']})" if gate else ""
    seen = f"faces {faces}, newest {_seconds(figures.get('newest_age'))}, p95 {_seconds(_p95(figures))}"
    return f"{camera['id']}: {status['state']}, {numbers}, {seen}" + (f" ({message})" if message else "")


def _row(camera: Mapping[str, Any], figures: Mapping[str, Any], seen: str) -> list[str]:
    rates, status = figures.get("rates", {}), camera["status"]
    state = "paused" if camera["paused"] else status["state"]
    style = _STATE_STYLES.get(state, "yellow")
    return [
        camera["id"],
        f"[{style}]{state}[/]",
        *(f"{rates.get(name, 0.0):.1f}" for name in ("sampled", "analysed", "superseded")),
        _nobody(camera) or _age(figures.get("newest_age")),
        _seconds(_p95(figures)),
        escape(seen) if figures.get("faces") is not None else "-",
    ]


def _nobody(camera: Mapping[str, Any]) -> str:
    """Return what stands in place of an age where the gate sees nothing that would be worth a new result; '' elsewhere."""
    gate = camera["status"].get("gate")
    return f"[dim]{gate['sees']}[/]" if gate and gate["sees"] in ("nobody", "nothing moves") else ""


def _is_troubled(camera: Mapping[str, Any]) -> bool:
    status = camera["status"]
    return bool(status["message"]) and not camera["paused"] and status["state"] not in ("live", "ended", "off")


def _figures(stats: Mapping[str, Any], camera: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = stats["cameras"].get(camera, {})
    return found


def _p95(figures: Mapping[str, Any]) -> float | None:
    age: Mapping[str, float | None] = figures.get("age", {})
    return age.get("p95")


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} s"


def _age(value: float | None) -> str:
    if value is None:
        return "-"
    style = "green" if value <= FRESH_SECONDS else "yellow" if value <= OLD_SECONDS else "red"
    return f"[{style}]{value:.2f} s[/]"
