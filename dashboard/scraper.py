"""Reads /metrics of every living process, as Prometheus does, and keeps nothing but the figures that are asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families

from pipeline.presence import Process

PATIENCE_SECONDS = 2.0
MOST_BYTES = 16 * 1024 * 1024
AT_ONCE = 8
MOST_REMEMBERED = 50_000

_ADDRESS = re.compile(r"[\w.\-]+:\d{1,5}|\[[0-9a-fA-F:.]+\]:\d{1,5}")


@dataclass(frozen=True, slots=True)
class Scrape:
    """What one process said: values by the text of their series (``metric{label="value"}``), None when it did not answer."""

    process: str
    values: Mapping[str, float] | None


class Scraper:
    """Scrapes this process (`own` is its text) and all others but dashboards: what Redis holds is told once.

    `living` may raise redis.RedisError. A process that does not answer within 2 s, or with more than 16 MB, is told as such.
    """

    def __init__(self, metrics: Collection[str], own: Callable[[], str], living: Callable[[], list[Process]]) -> None:
        self._metrics = frozenset(metrics)
        self._own = own
        self._living = living
        self._http = httpx.Client(timeout=PATIENCE_SECONDS, trust_env=False)
        self._threads = ThreadPoolExecutor(AT_ONCE, "scrape")

    def scrape(self) -> list[Scrape]:
        """Return what every process says now."""
        others = [process for process in self._living() if process.role != "dashboard" and process.metrics]
        own = Scrape("dashboard", figures(self._own(), self._metrics))
        return [own, *self._threads.map(self._ask, others)]

    def close(self) -> None:
        """Let the connections go."""
        self._threads.shutdown()
        self._http.close()

    def _ask(self, process: Process) -> Scrape:
        name = f"{process.role} {process.name} on {process.host}"
        try:
            return Scrape(name, figures(self._text(process.metrics), self._metrics))
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            return Scrape(name, None)

    def _text(self, address: str) -> str:
        """Return what a process serves; the address was written into Redis by that process, and is not simply believed."""
        if not _ADDRESS.fullmatch(address):
            raise ValueError(f"{address!r} is no address")
        with self._http.stream("GET", f"http://{address}/metrics") as answer:
            answer.raise_for_status()
            text = bytearray()
            for chunk in answer.iter_bytes():
                text += chunk
                if len(text) > MOST_BYTES:
                    raise ValueError(f"{address} answers more than {MOST_BYTES} bytes")
        return text.decode()


def figures(text: str, metrics: Collection[str]) -> dict[str, float]:
    """Return the values of these metrics by the text of their series; raises ValueError for what is no metrics."""
    return dict(_figures(text, metrics))


class SeriesReader:
    """Takes the text of a series apart, each once: the same ones come with every scrape."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, Mapping[str, str]]] = {}

    def read(self, series: str) -> tuple[str, Mapping[str, str]]:
        """Return metric and labels; raises ValueError."""
        known = self._known.get(series)
        if known is None:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            sample = next(iter(text_string_to_metric_families(f"{series} 0\n"))).samples[0]
            known = self._known[series] = (sample.name, sample.labels)
        return known


def _figures(text: str, metrics: Collection[str]) -> Iterator[tuple[str, float]]:
    for line in text.splitlines():
        if line.partition("{")[0].partition(" ")[0] in metrics:
            series, _, value = line.rpartition(" ")
            yield series, float(value)
