"""Reads /metrics of every living process, as Prometheus does, and keeps nothing but the figures that are asked for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families

from pipeline.presence import Process

PATIENCE_SECONDS = 2.0
MOST_BYTES = 16 * 1024 * 1024
AT_ONCE = 8
MOST_SERIES = 50_000  # of one process

_ADDRESS = re.compile(r"[\w.\-]+:\d{1,5}|\[[0-9a-fA-F:.]+\]:\d{1,5}")


@dataclass(frozen=True, slots=True)
class Scrape:
    """What one process said: values by the text of their series (``metric{label="value"}``), None when it did not answer."""

    process: str
    values: Mapping[str, float] | None


class Scraper:
    """Scrapes this process (`own` is its text) and all others but dashboards: what Redis holds is told once.

    `living` may raise redis.RedisError. A process that has not answered whole within 2 s, or with more than 16 MB or 50,000
    series, is told as such.
    """

    def __init__(self, metrics: Collection[str], own: Callable[[], str], living: Callable[[], list[Process]]) -> None:
        self._metrics = frozenset(metrics)
        self._own = own
        self._living = living

    def scrape(self) -> list[Scrape]:
        """Return what every process says now."""
        others = [process for process in self._living() if process.role != "dashboard" and process.metrics]
        own = Scrape("dashboard", figures(self._own(), self._metrics))
        return [own, *asyncio.run(self._ask_all(others))]

    async def _ask_all(self, processes: Iterable[Process]) -> list[Scrape]:
        """Ask AT_ONCE at a time, on a loop of its own: there a bound on time holds however slowly bytes come."""
        turns = asyncio.Semaphore(AT_ONCE)
        async with httpx.AsyncClient(verify=False, trust_env=False) as http:  # noqa: S501  # nothing here is https
            return await asyncio.gather(*(self._ask(http, process, turns) for process in processes))

    async def _ask(self, http: httpx.AsyncClient, process: Process, turns: asyncio.Semaphore) -> Scrape:
        name = f"{process.role} {process.name} on {process.host}"
        try:
            async with turns, asyncio.timeout(PATIENCE_SECONDS):
                text = await _text(http, process.metrics)
            return Scrape(name, figures(text, self._metrics))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError):
            return Scrape(name, None)


async def _text(http: httpx.AsyncClient, address: str) -> str:
    """Return what a process serves; the address was written into Redis by that process, and is not simply believed."""
    if not _ADDRESS.fullmatch(address):
        raise ValueError(f"{address!r} is no address")
    async with http.stream("GET", f"http://{address}/metrics") as answer:
        answer.raise_for_status()
        text = bytearray()
        async for chunk in answer.aiter_bytes():
            text += chunk
            if len(text) > MOST_BYTES:
                raise ValueError(f"{address} answers more than {MOST_BYTES} bytes")
    return text.decode()


def figures(text: str, metrics: Collection[str]) -> dict[str, float]:
    """Return the values of these metrics by the text of their series; raises ValueError for what is no metrics."""
    found: dict[str, float] = {}
    for series, value in _figures(text, metrics):
        found[series] = value
        if len(found) > MOST_SERIES:
            raise ValueError(f"more than {MOST_SERIES} series")
    return found


class SeriesReader:
    """Takes the text of a series apart, each once: the same ones come with every scrape."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, Mapping[str, str]]] = {}

    def read(self, series: str) -> tuple[str, Mapping[str, str]]:
        """Return metric and labels; raises ValueError."""
        known = self._known.get(series)
        if known is None:
            if len(self._known) >= MOST_SERIES:
                self._known.clear()
            known = self._known[series] = _taken_apart(series)
        return known


def _taken_apart(series: str) -> tuple[str, Mapping[str, str]]:
    try:
        (family,) = text_string_to_metric_families(f"{series} 0\n")
        (sample,) = family.samples
        float(sample.labels.get("le", "0"))
    except (ValueError, KeyError, IndexError) as error:
        raise ValueError(f"{series[:80]!r} is no series") from error
    return sample.name, sample.labels


def _figures(text: str, metrics: Collection[str]) -> Iterator[tuple[str, float]]:
    for line in text.splitlines():
        if line.partition("{")[0].partition(" ")[0] in metrics:
            series, _, value = line.rpartition(" ")
            yield series, float(value)
