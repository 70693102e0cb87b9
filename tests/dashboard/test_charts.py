"""Charts as the API tells them: definitions, points, ranges, and who answers."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from prometheus_client import CollectorRegistry

from dashboard.charts import CHARTS
from dashboard.routes.charts import AT_ONCE, MOST_WAITING
from dashboard.settings import DashboardSettings
from pipeline.broker import Broker
from pipeline.errors import SettingsError
from pipeline.metrics import MetricsServer, WorkerMetrics
from pipeline.presence import Presence
from pipeline.settings import load
from tests.conftest import Valkey
from tests.dashboard.support import Api, Producer, Worker, camera, dashboard, put_cameras, until


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the dashboard of a test scrape five times a second."""
    monkeypatch.setattr("dashboard.parts.SCRAPE_SECONDS", 0.2)


@contextmanager
def worker_metrics(broker: Broker) -> Iterator[WorkerMetrics]:
    """A worker process as the dashboard sees it: a heartbeat that says where its metrics are."""
    registry = CollectorRegistry()
    server = MetricsServer(registry, "127.0.0.1")
    presence = Presence(broker.scripts, "worker", "1", server.address)
    presence.start()
    yield WorkerMetrics(registry)
    presence.stop()
    server.stop()


def newest(api: Api, chart: str, name: str, **asked: Any) -> float | None:
    """Return the last known point of a line."""
    found = [
        line for line in api.get(f"/api/charts/{chart}", range="30s", step="1s", **asked)["series"] if line["name"] == name
    ]
    known = [value for _, value in found[0]["points"] if value is not None] if found else []
    return known[-1] if known else None


def test_charts_say_what_they_show_and_ask(api: Api) -> None:
    """Each has a title, a unit, a sentence, and its queries as PromQL."""
    told = api.get("/api/charts")
    assert told["source"] == "local"
    assert told["most_seconds"] == 3600
    assert [chart["id"] for chart in told["charts"]] == [chart.id for chart in CHARTS]
    assert all(chart["title"] and chart["unit"] and chart["help"].endswith(".") for chart in told["charts"])
    assert told["charts"][0]["series"][1] == {
        "name": "p95",
        "role": "value",
        "promql": "histogram_quantile(0.95, sum by (le) (rate(rekstream_result_age_seconds_bucket[20s])))",
    }


def test_what_workers_measured_is_seen_in_all_and_by_camera(api: Api, broker: Broker) -> None:
    """Ages come from the workers' own /metrics; the floor is the sum of the unavoidable stages' medians."""
    with worker_metrics(broker) as metrics:
        until(lambda: newest(api, "workers", "processes") == 1)

        def measure() -> bool:
            metrics.result_age_seconds.labels("a").observe(0.35)
            metrics.result_age_seconds.labels("b").observe(4.0)
            for stage, seconds in (("encode", 0.004), ("upload", 0.04), ("service", 0.25), ("publish", 0.004), ("queue", 3.0)):
                metrics.stage_seconds.labels("a", stage).observe(seconds)
            return newest(api, "age", "p50", camera="a") is not None

        until(measure)
        assert newest(api, "age", "p50", camera="a") == pytest.approx(0.35)
        assert newest(api, "age", "p50", camera="b") == pytest.approx(4.0)
        assert newest(api, "age", "p99") == pytest.approx(5.0, rel=0.2)
        assert api.get("/api/charts/age", range="30s", step="1s")["floor"] == pytest.approx(0.00375 + 0.0375 + 0.25 + 0.00375)
        assert newest(api, "stages", "queue", camera="b") is None


def test_what_redis_holds_is_seen_once(api: Api, broker: Broker) -> None:
    """Frames are those of this dashboard's own /metrics."""
    put_cameras(broker, camera("a"))
    producer = Producer(broker, "a")
    with Worker(broker):
        until(lambda: producer.offer() and (newest(api, "frames", "analysed") or 0) > 0)
        producer.drop("late")
        until(lambda: (newest(api, "frames", "dropped: late", camera="a") or 0) > 0)
    assert newest(api, "frames", "sampled", camera="nobody") is None


def test_a_process_that_cannot_be_read_is_named(api: Api, broker: Broker) -> None:
    """Nothing is lost silently: `unreached` says whose figures are missing, also where an address makes no sense."""
    for address in ("127.0.0.1:9", "example.com/x:1@127.0.0.1"):
        presence = Presence(broker.scripts, "worker", "1", address)
        presence.start()
        unreached = until(lambda: api.get("/api/charts")["unreached"])
        assert unreached[0].startswith(f"worker {presence.name} on ")
        presence.stop()
        until(lambda: not api.get("/api/charts")["unreached"])


class Drips(BaseHTTPRequestHandler):
    """Plays a process whose answer comes a byte at a time, without an end."""

    def do_GET(self) -> None:
        server: Any = self.server
        with suppress(OSError):
            self.wfile.write(b"HTTP/1.0 200 OK\r\n")
            while not server.over.wait(0.02):
                self.wfile.write(b"a")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def dripping() -> Iterator[str]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Drips)
    server.over = threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.over.set()
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_process_whose_answer_has_no_end_holds_nobody_up(
    api: Api, broker: Broker, dripping: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of its bytes comes in time, its answer does not: it is named, the others are read, the dashboard ends."""
    monkeypatch.setattr("dashboard.scraper.PATIENCE_SECONDS", 0.2)
    presence = Presence(broker.scripts, "worker", "1", dripping)
    presence.start()
    try:
        assert until(lambda: api.get("/api/charts")["unreached"])[0].startswith(f"worker {presence.name} on ")
        with worker_metrics(broker) as metrics:
            until(lambda: _counted(metrics) and (newest(api, "calls", "ok") or 0) > 0)
    finally:
        presence.stop()


def _counted(metrics: WorkerMetrics) -> bool:
    metrics.api_calls.labels("DetectFaces", "us-east-1", "ok").inc()
    return True


def test_a_question_that_has_no_answer_is_one_sentence(api: Api) -> None:
    for path, status, says in (
        ("age?range=2h", 422, "longer than the 60 minutes that are kept here: start with --prometheus URL"),
        ("age?range=soon", 422, "range 'soon' is no time of a second or more: write 90s, 15m, 1h or 7d"),
        ("age?range=1h&step=1s", 422, "step '1s' makes no 1 to 1500 points of range '1h'"),
        ("age?range=15m&step=1h", 422, "step '1h' makes no 1 to 1500 points"),
        ("age?camera=a%22%7D", 422, "a"),
        ("queue?camera=a", 422, "chart 'queue' is not told by camera: leave camera=a out"),
        ("speed", 404, "there is no chart 'speed': /api/charts lists them"),
    ):
        answer = api.http.get(f"/api/charts/{path}")
        assert answer.status_code == status
        assert says in answer.json()["error"]["message"]


def test_points_stand_at_whole_steps_so_that_they_do_not_move(api: Api) -> None:
    """Two answers share their times."""
    told = api.get("/api/charts/queue", range="10m")
    assert told["step"] == 5
    assert told["to"] - told["from"] == 600
    assert {at % 5 for at, _ in told["series"][0]["points"]} == {0}


class Answers(BaseHTTPRequestHandler):
    """Plays a Prometheus that answers whatever the test put into `say`."""

    def do_GET(self) -> None:
        server: Any = self.server
        server.asked.append((self.path, self.headers.get("Authorization")))
        status, body = server.say(parse_qs(urlsplit(self.path).query))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def fake() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.asked, server.say = [], lambda asked: (200, b"{}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def with_prometheus(session_valkey: Valkey, broker: Broker, settings: DashboardSettings, fake: Any) -> Iterator[Api]:
    url = f"http://grafana:s3cret@127.0.0.1:{fake.server_port}/under/a/path"
    with dashboard(session_valkey.url, replace(settings, prometheus=url)) as running:
        yield running


def matrix(asked: dict[str, list[str]]) -> tuple[int, bytes]:
    """Answer every query with one line that leaves out its first point."""
    start, step = float(asked["start"][0]), float(asked["step"][0])
    values = [[start + step, "0.5"], [start + 2 * step, "NaN"]]
    result = {"resultType": "matrix", "result": [{"metric": {"stage": "service"}, "values": values}]}
    return 200, json.dumps({"status": "success", "data": result}).encode()


def test_prometheus_is_asked_for_any_range_with_its_password(with_prometheus: Api, fake: Any) -> None:
    """The same chart, another source, which is named; a camera becomes a condition of the query."""
    fake.say = matrix
    told = with_prometheus.get("/api/charts/stages", range="7d", camera="front_door")
    assert told["source"] == "prometheus"
    (line,) = told["series"]
    assert (line["name"], [value for _, value in line["points"]][:3]) == ("service", [None, 0.5, None])
    path, authorization = fake.asked[-1]
    assert path.startswith("/under/a/path/api/v1/query_range?")
    assert authorization == "Basic Z3JhZmFuYTpzM2NyZXQ="
    (query,) = parse_qs(urlsplit(path).query)["query"]
    assert 'rekstream_stage_seconds_bucket{camera="front_door"}' in query


def test_windows_of_any_length_are_written_as_prometheus_reads_them(with_prometheus: Api, fake: Any) -> None:
    """It knows neither 1.2096e+06s nor 90.5s."""
    fake.say = matrix
    for span, step, window in (("520w", "2w", "[1209600s]"), ("1h", "90.5s", "[90500ms]"), ("15m", "5s", "[60s]")):
        assert with_prometheus.http.get("/api/charts/frames", params={"range": span, "step": step}).status_code == 200
        (query,) = parse_qs(urlsplit(fake.asked[-1][0]).query)["query"]
        assert window in query


def answering(status: int, body: bytes, asked: dict[str, list[str]]) -> tuple[int, bytes]:
    return status, body


def test_what_is_wrong_with_prometheus_is_one_sentence_without_its_password(with_prometheus: Api, fake: Any) -> None:
    for status, body, says in (
        (200, b"<html>", "answers with status 200 and no JSON: is the URL that of a Prometheus?"),
        (400, b'{"status": "error", "error": "bad range"}', "refuses the query with status 400: bad range"),
        (200, b'{"status": "success", "data": {}}', "answers in a shape that is not Prometheus's"),
        (200, b" " * (16 * 1024 * 1024 + 1), "answers with more than 16,777,216 bytes"),
    ):
        fake.say = partial(answering, status, body)
        answer = with_prometheus.http.get("/api/charts/age")
        assert answer.status_code == 502
        assert says in answer.json()["error"]["message"]
        assert "s3cret" not in answer.text


def test_a_prometheus_that_hangs_makes_nobody_else_wait(with_prometheus: Api, fake: Any) -> None:
    """More charts wait for it than there are threads; all the rest is answered as ever, and who comes too late is told."""
    answers = threading.Event()
    fake.say = lambda asked: (answers.wait(20), matrix(asked))[1]
    said = asyncio.run(_ask_meanwhile(with_prometheus, answers))
    assert Counter(answer.status_code for answer in said) == {200: AT_ONCE + MOST_WAITING, 503: 1}


async def _ask_meanwhile(api: Api, answers: threading.Event) -> list[httpx.Response]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=api.url, timeout=30, limits=limits) as http:
        charts = [asyncio.create_task(http.get("/api/charts/throttles")) for _ in range(AT_ONCE + MOST_WAITING + 1)]
        try:
            await asyncio.wait(charts, return_when=asyncio.FIRST_COMPLETED, timeout=5)
            await http.get("/api/notices", timeout=5)
        finally:
            answers.set()
            said = await asyncio.gather(*charts)
    return said


def test_a_prometheus_that_is_away_is_said_and_nothing_stands_in_for_it(
    session_valkey: Valkey, broker: Broker, settings: DashboardSettings
) -> None:
    with dashboard(session_valkey.url, replace(settings, prometheus="http://me:s3cret@127.0.0.1:9")) as api:
        answer = api.http.get("/api/charts/age")
    assert answer.status_code == 502
    assert answer.json()["error"]["message"].startswith("Prometheus at http://me:***@127.0.0.1:9 does not answer")


@pytest.mark.parametrize("url", ["localhost:9090", "ftp://x", "http://", "http://u:s3cret@h:99999999"])
def test_what_is_no_url_of_a_prometheus_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(SettingsError, match=r"prometheus .* is no URL of a Prometheus: write http://HOST:9090") as refused:
        load(prometheus=url)
    assert "s3cret" not in str(refused.value)
