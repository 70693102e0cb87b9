"""Everything about charts, wired: who scrapes, what is kept, who answers."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, generate_latest

from dashboard.charts import CHARTS
from dashboard.history import History
from dashboard.plotter import LocalSource, Plotter, Source
from dashboard.prometheus import Prometheus
from dashboard.scraper import Scraper
from pipeline.broker import Broker
from pipeline.clock import RedisClock
from pipeline.presence import living


class ChartDesk:
    """Answers for charts: from Prometheus where one is named, else from the last hour, kept here; `registry` is our own."""

    def __init__(self, broker: Broker, clock: RedisClock, registry: CollectorRegistry, prometheus: str | None) -> None:
        self._clock = clock
        self._history = History(need for chart in CHARTS for need in chart.needs())
        self._prometheus = Prometheus(prometheus) if prometheus else None
        source: Source = self._prometheus or LocalSource(self._history)
        self._plotter = Plotter(source, clock.now)
        self._scraper = Scraper(
            self._history.metrics, lambda: generate_latest(registry).decode(), lambda: living(broker.scripts)
        )

    def scrape(self) -> None:
        """Keep what all processes measured by now, where nobody else does; may raise redis.RedisError."""
        if self._prometheus is None:
            scrapes = self._scraper.scrape()
            self._history.add(self._clock.now(), scrapes)

    def definitions(self) -> dict[str, Any]:
        """Return all charts without their points, who answers, and which processes could not be read lately."""
        return self._plotter.definitions() | {"unreached": self._history.unreached}

    def plot(self, chart_id: str, span: str, step: str | None = None, camera: str | None = None) -> dict[str, Any]:
        """Return a chart with its lines over the last `span`; raises SettingsError or RefusedError."""
        return self._plotter.plot(chart_id, span, step, camera)

    def close(self) -> None:
        """Let all connections go."""
        if self._prometheus:
            self._prometheus.close()
