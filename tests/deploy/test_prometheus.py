"""Prometheus, the alerts and Grafana as deploy/ sets them up, for real: every query asks something that is there."""

from __future__ import annotations

import json
import math
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
import redis
import yaml
from websockets.sync.client import connect

from dashboard.charts import CHARTS, Chart
from dashboard.history import History
from dashboard.plotter import LocalSource, named
from dashboard.prometheus import Prometheus
from dashboard.queries import Grid, Level, Quantile, Query, Rate, Times, Total
from dashboard.scraper import Scrape, Scraper
from dashboard.settings import DashboardSettings
from pipeline.broker import Broker
from pipeline.presence import living
from scripts import grafana
from tests.conftest import Valkey, wait_until
from tests.dashboard.support import LOCAL, dashboard, until
from tests.deploy.prometheus import FOLDER, PROMETHEUS, PROMTOOL, PrometheusServer, write_blocks
from tests.rekstream.running import Up

pytestmark = pytest.mark.skipif(not (PROMETHEUS and PROMTOOL), reason="Debian's package prometheus is not installed")

WINDOW, MOMENTS = 5.0, 4  # seconds over which rates are taken here, and at how many seconds the two are compared
LEAST_LINES = 35  # there are 43 or more
STEADY = WINDOW + MOMENTS + 2
CLOSE = 0.2  # they read the processes up to a second apart, on a machine that may be busy; on the same samples see above
MOVING = ("in_flight", "queue", "threads", "capture_fps", "display_age")  # differ from one moment to the next


def test_the_alerts_fire_when_they_should_and_keep_still_otherwise() -> None:
    """promtool plays each case through; each alert is in one, and says a sentence."""
    assert PROMTOOL
    done = subprocess.run([PROMTOOL, "test", "rules", "tests.yml"], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    alerts = [rule for rule in rules() if "alert" in rule]
    played = set(re.findall(r"alertname: (\w+)", (FOLDER / "tests.yml").read_text()))
    assert {rule["alert"] for rule in alerts} == played
    assert all(rule["annotations"]["summary"].endswith((".", "?")) for rule in alerts)


def test_a_dashboard_that_asks_for_a_token_is_found_and_read(session_valkey: Valkey, broker: Broker, tmp_path: Path) -> None:
    token = "of-this-test-only"
    with (
        dashboard(session_valkey.url, DashboardSettings(tmp_path / "data", LOCAL, port=0, token=token)) as api,
        PrometheusServer(tmp_path, api.url, token) as server,
    ):
        wait_until(lambda: [found["value"][1] for found in server.query('up{role="dashboard"}')] == ["1"], 30)


def test_the_grafana_dashboard_is_made_from_the_charts() -> None:
    """Whoever changes a chart runs `python scripts/grafana.py`."""
    assert grafana.TARGET.read_text() == grafana.text()


def measured(seconds: int) -> Iterator[tuple[float, dict[str, dict[str, float]]]]:
    """Yield a time and what three processes say then, about every five seconds; one of them begins anew halfway."""
    chance = np.random.default_rng(3)
    counters: dict[str, dict[str, float]] = {name: {} for name in "abc"}
    for second in range(0, seconds, 5):
        for name, counted in counters.items():
            if name == "b" and second == seconds // 2:
                counted.clear()
            for stage, typical in (("upload", 0.03), ("service", 0.3)):
                spent = typical * chance.lognormal(0, 0.6, 30)
                for bound in ("0.05", "0.1", "0.2", "0.4", "1.0", "+Inf"):
                    series = f'stage_seconds_bucket{{stage="{stage}",le="{bound}"}}'
                    counted[series] = counted.get(series, 1000.0) + float((spent <= float(bound)).sum())
            counted["calls_total"] = counted.get("calls_total", 50_000.0) + float(chance.integers(0, 90))
        threads = {f'threads{{state="{state}"}}': float(chance.integers(0, 9)) for state in ("idle", "calling")}
        yield second + float(chance.integers(0, 400)) / 1000, {name: counted | threads for name, counted in counters.items()}


def test_on_the_same_samples_every_kind_of_query_has_the_same_value(tmp_path: Path) -> None:
    """Rates, quantiles, sums and largest ones, to a millionth; only where a counter just began anew to some percent."""
    stages = {"stage": ("service", "upload")}
    asked: list[Query] = [Rate("calls_total"), Times(3600, Rate("calls_total")), Level("threads", ("state",))]
    asked += [Quantile(q, "stage_seconds", ("stage",)) for q in (0.1, 0.5, 0.95, 0.99)]
    asked += [Total(Quantile(0.5, "stage_seconds", ("stage",), stages)), Rate("stage_seconds_bucket", ("stage", "le"))]
    history = History(need for query in asked for need in query.needs(()))
    began = math.floor(time.time() / 60) * 60 - 3600
    samples: dict[str, list[tuple[str, float, float]]] = {}
    for second, said in measured(300):
        history.add(began + second, [Scrape(name, values) for name, values in said.items()])
        for name, values in said.items():
            for series, value in values.items():
                metric, _, labels = series.rstrip("}").partition("{")
                full = f'{metric}{{{labels}{"," * bool(labels)}process="{name}"}}'
                samples.setdefault(full, []).append((full, value, began + second))
    write_blocks(tmp_path, (sample for series in samples.values() for sample in series))
    with PrometheusServer(tmp_path) as server, closing(Prometheus(server.url)) as there:
        for window in (20.0, 60.0):
            grid = Grid(began + np.arange(80.0, 295.0, 5.0), window)
            for query in asked:
                told = {tuple(line.labels.items()): line.values for line in there.lines(query, None, grid)}
                kept = {tuple(sorted(line.labels.items())): line.values for line in query.lines(history, {}, grid)}
                assert set(kept) == {tuple(sorted(key)) for key in told}
                for key, values in told.items():
                    off = np.abs(kept[tuple(sorted(key))] - values) / np.maximum(np.abs(values), 1e-9)
                    assert np.median(off) < 1e-5, (query, key)
                    assert np.max(off) < 0.03, (query, key)


@dataclass
class Run:
    """A running system, what was kept of it here, and the Prometheus that scrapes it."""

    up: Up
    history: History
    prometheus: PrometheusServer


class Keeper:
    """Scrapes a system each second from here, as the dashboard does, and paints results, as a page does."""

    def __init__(self, url: str, broker: Broker) -> None:
        self.history = History(need for chart in CHARTS for need in chart.needs())
        self._url = url
        self._broker = broker
        self._scraper = Scraper(self.history.metrics, lambda: httpx.get(f"{url}/metrics").text, lambda: living(broker.scripts))
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=target) for target in (self._scrape, self._paint)]

    def __enter__(self) -> Keeper:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _scrape(self) -> None:
        while not self._stop.wait(1 - time.time() % 1):
            with suppress(redis.RedisError, httpx.HTTPError):
                self.history.add(time.time(), self._scraper.scrape())

    def _paint(self) -> None:
        with connect(f"{self._url.replace('http', 'ws')}/api/live") as page:
            while not self._stop.wait(0.5):
                results = httpx.get(f"{self._url}/api/results?limit=5").json()["results"]
                painted = [{"camera": one["camera"], "id": one["id"], "at": one["published_at"] + 0.03} for one in results]
                page.send(json.dumps({"painted": painted}))


@pytest.fixture(scope="module")
def valkey() -> Iterator[Valkey]:
    server = Valkey()
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def run(valkey: Valkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The demo, and pictures that are too small to be analysed."""
    folder = tmp_path_factory.mktemp("prometheus")
    small = folder / "small"
    small.mkdir()
    cv2.imwrite(str(small / "small.png"), np.zeros((40, 40, 3), np.uint8))
    broker = Broker(valkey.url)
    with (
        Up(folder, ["demo", str(small)], "--redis", valkey.url, "--fps", "4") as up,
        PrometheusServer(folder, up.api) as prometheus,
        Keeper(up.api, broker) as keeper,
    ):
        yield Run(up, keeper.history, prometheus)
    broker.close()


def test_the_hour_that_is_kept_here_says_what_prometheus_says(run: Run) -> None:
    """The same charts, the same lines; over the same moments the median here lies about where the values there lie."""
    server = run.prometheus
    is_measured = f'count_over_time(rekstream_api_calls_total{{outcome="ok"}}[{STEADY:g}s]) >= {STEADY - 1:g}'
    wait_until(lambda: server.query(is_measured), 40)
    grid = Grid(math.floor(time.time() - 1) - np.arange(float(MOMENTS))[::-1], WINDOW)
    with closing(Prometheus(server.url)) as there:
        here = LocalSource(run.history)
        compared = [name for chart in CHARTS for name in compare(chart, lines(there, chart, grid), lines(here, chart, grid))]
    assert len(compared) > LEAST_LINES


def test_the_dashboard_asks_the_prometheus_that_it_is_told(run: Run, valkey: Valkey, tmp_path: Path) -> None:
    """Another dashboard of the same system, with --prometheus: the same chart from there, beyond the hour."""
    settings = DashboardSettings(data=tmp_path, provider=LOCAL, port=0, prometheus=run.prometheus.url)
    with dashboard(valkey.url, settings) as api:
        told = until(lambda: (chart := api.get("/api/charts/age", range="2h", step="5s"))["series"] and chart, 40)
        assert told["source"] == "prometheus"
        assert [line["name"] for line in told["series"]] == ["p50", "p95", "p99", "floor"]
        assert api.get("/api/charts/cameras", range="1m", step="1s")["series"][-1]["points"]


def compare(chart: Chart, told: dict[str, Any], kept: dict[str, Any]) -> list[str]:
    """Return the lines that were compared: those that Prometheus knows at all moments."""
    trifle = 2 / WINDOW if chart.unit in ("frames/s", "calls/s") else 1e-3  # a frame or two at the edges of the window
    steady = [name for name, values in told.items() if np.isfinite(values).all()]
    assert set(steady) <= set(kept), chart.id
    for name in steady if chart.id not in MOVING else ():
        what = f"{chart.id} {name}: {kept[name]} here, {told[name]} there"
        least, most = np.min(told[name]) * (1 - CLOSE) - trifle, np.max(told[name]) * (1 + CLOSE) + trifle
        assert least <= np.median(kept[name]) <= most, what
    return steady


def test_every_query_of_grafana_and_of_the_rules_finds_something(run: Run) -> None:
    """None is empty once Rekognition has throttled; photos, whose ids never come again, leave no series."""
    server = run.prometheus
    httpx.put(f"{run.up.api}/api/rehearsal", json={"tps": {"DetectFaces": 2}}, headers={"X-Rekstream": "1"}).raise_for_status()
    portrait = next((Path(grafana.ROOT) / "rekstream" / "demo").glob("*.jpg"))
    photo = httpx.post(f"{run.up.api}/api/photos?attributes=default", content=portrait.read_bytes(), timeout=30)
    assert still_empty(server, queries(), 20) == []
    for rule in rules():
        server.query(rule["expr"])
    assert still_empty(server, [rule["record"] for rule in rules() if "record" in rule], 20) == []
    assert photo.status_code in (200, 502), photo.text
    assert server.query('{camera=~"photo-.*"}') == []
    wait_until(lambda: server.query('ALERTS{alertname="RekstreamThrottled"}'))
    assert {target["metric"]["role"] for target in server.query("up == 1")} == {
        *("dashboard", "history", "people", "producer", "worker")
    }


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "rules.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def queries() -> list[str]:
    """Return every query of the Grafana dashboard as Grafana sends it, for all cameras."""
    panels = json.loads(grafana.TARGET.read_text())["panels"]
    asked = [target["expr"] for panel in panels for target in panel["targets"]]
    return [query.replace("$__rate_interval", "8s").replace("$camera", ".*") for query in asked]


def still_empty(server: PrometheusServer, asked: list[str], seconds: float) -> list[str]:
    """Return the queries that find nothing within `seconds`."""
    deadline = time.monotonic() + seconds
    while asked and time.monotonic() < deadline:
        asked = [query for query in asked if not finds(server, query)]
        time.sleep(0.2)
    return asked


def finds(server: PrometheusServer, query: str) -> bool:
    """Say whether a query has a value that is a number, lately."""
    return any(math.isfinite(float(line["value"][1])) for line in server.query(query))


def lines(source: Prometheus | LocalSource, chart: Chart, grid: Grid) -> dict[str, Any]:
    return {
        named(series.name, line.labels): line.values
        for series in chart.series
        for line in source.lines(series.query, None, grid)
    }
