"""What a change would bring is computed from what is measured, and comes true when the change is really made."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from bench.loops import film
from dashboard.observed import Observer
from dashboard.settings import DashboardSettings
from dashboard.what_if import Change, WhatIf
from dashboard.window import MINUTE, ResultWindow, Seen
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.entities import CameraState, CameraStatus, Purpose, Result
from pipeline.provider import Provider
from pipeline.results import Results
from tests.conftest import Valkey
from tests.dashboard.support import PATIENCE, Api, Producer, Worker, camera, dashboard, put_cameras, until
from tests.endpoint import Endpoint
from workers.pool import WorkerProcess, WorkerSettings

STAGES = {"encode": 0.002, "queue": 0.002, "limit": 0.002, "upload": 0.01, "service": 0.2, "publish": 0.001}


class Minute:
    """A minute of a system that never was: figures and results as `WhatIf` is given them."""

    def __init__(self, broker: Broker, settings: DashboardSettings) -> None:
        self.settings = settings
        self.registry = CameraRegistry(broker.scripts)
        self.connection = broker.scripts
        self.window = ResultWindow(lambda: self.now)
        self.now = 1_800_000_000.0
        self.figures: dict[str, Any] = {
            "now": self.now,
            "cameras": {},
            "workers": {"alive": 4},
            "limits": [],
            "rehearsal": None,
            "bottleneck": {"what": "none"},
        }

    def camera(self, name: str, fps: float, width: int = 1920) -> None:
        put = camera(name, fps=fps)
        self.registry.put([put])
        state = CameraStatus(
            name, CameraState.LIVE, reported_at=time.time(), width=width, height=width * 9 // 16, capture_fps=25.0
        )
        self.registry.report(state, 60.0)
        self.figures["cameras"][name] = {"rates": {"sampled": fps}}

    def results(self, name: str, per_second: float, **stages: float) -> None:
        """Let results of these stages come out evenly over the minute."""
        times = STAGES | stages
        age = sum(times.values())
        count = int(per_second * MINUTE)
        moments = [self.now - MINUTE + 0.01 + number / per_second for number in range(count)]
        self.window.add(
            Result(f"{at * 1000:.0f}-{name}", name, 1, at - age, at, 1920, 1080, "local", stages=times) for at in moments
        )

    def ask(self, change: Change | None = None) -> dict[str, Any]:
        observer = Observer(self.connection, self.settings)
        return WhatIf(observer, self.settings.provider, lambda: self.figures, self.window.last_minute).look(change)


ELSEWHERE = Provider("endpoint", "us-east-1", "http://10.0.0.9")


@pytest.fixture
def minute(broker: Broker, settings: DashboardSettings) -> Minute:
    return Minute(broker, replace(settings, provider=ELSEWHERE))


def card(answer: dict[str, Any], name: str) -> dict[str, Any]:
    return next(entry for entry in answer["cards"] if entry["id"] == name)


def test_now_is_reproduced_first_and_its_error_told(minute: Minute) -> None:
    minute.camera("a", 5.0)
    minute.results("a", 5.0)
    answer = minute.ask()
    assert answer["now"]["age_p50"] == pytest.approx(0.217, abs=0.001)
    assert answer["now"]["results_per_second"] == pytest.approx(5.0, rel=0.02)
    assert answer["error"]["largest"] < 0.05
    assert answer["reliable"]


def test_a_model_that_misses_what_is_known_says_so(minute: Minute) -> None:
    """Results that come out at half the sampled rate for no reason that the model knows of are not explained away."""
    minute.camera("a", 5.0)
    minute.results("a", 2.0)
    answer = minute.ask()
    assert answer["error"]["results_per_second"] > 1.0
    assert not answer["reliable"]


def test_where_threads_are_all_busy_more_of_them_bring_more(minute: Minute) -> None:
    minute.figures["workers"]["alive"] = 1
    minute.camera("a", 20.0)
    minute.results("a", 4.6, queue=0.02)
    more = card(minute.ask(), "workers")
    assert more["what"] == "2 worker threads instead of 1"
    assert more["then"]["results_per_second"] == pytest.approx(9.2, rel=0.1)
    assert card(minute.ask(), "quota")["then"]["results_per_second"] == pytest.approx(4.6, rel=0.05)


def test_where_the_limit_holds_back_more_quota_brings_more(minute: Minute) -> None:
    minute.figures["limits"] = [{"operation": "DetectFaces", "rate": 5.0}]
    minute.figures["workers"]["alive"] = 16
    for name in ("a", "b"):
        minute.camera(name, 10.0)
        minute.results(name, 2.49, limit=0.05)
    answer = minute.ask()
    assert card(answer, "quota")["then"]["results_per_second"] == pytest.approx(9.96, rel=0.05)
    assert "100 % more results" in card(answer, "quota")["says"]
    assert card(answer, "workers")["says"] == "changes next to nothing"


def test_money_follows_the_results(broker: Broker, settings: DashboardSettings) -> None:
    minute = Minute(broker, replace(settings, provider=Provider("aws", "us-east-1")))
    minute.camera("a", 1.0)
    minute.results("a", 1.0)
    answer = minute.ask(Change(fps=0.5))
    assert answer["now"]["dollars_per_hour"] == pytest.approx(3.6, rel=0.03)
    assert card(answer, "asked")["then"]["dollars_per_hour"] == pytest.approx(1.8, rel=0.1)


def test_smaller_pictures_shorten_an_upload_by_their_bytes(minute: Minute) -> None:
    minute.camera("a", 2.0)
    minute.results("a", 2.0, upload=0.52)
    smaller = card(minute.ask(), "pixels")
    assert smaller["change"] == {"pixels": 1280}
    assert "a face of 40 pixels has 27 then" in smaller["what"]
    saved = 0.5 * (1 - (1280 / 1920) ** 2)
    assert smaller["then"]["age_p50"] == pytest.approx(0.727 - saved, rel=0.05)


def test_the_local_servers_cores_are_what_more_threads_share(
    broker: Broker, settings: DashboardSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads beyond the cores wait in the server; another machine brings cores of its own."""
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    minute = Minute(broker, settings)
    minute.camera("a", 60.0)
    minute.results("a", 20.0, service=0.2, upload=0.0, queue=0.0, limit=0.0)
    answer = minute.ask()
    assert card(answer, "workers")["then"]["results_per_second"] == pytest.approx(20.0, rel=0.1)
    assert card(answer, "workers")["then"]["age_p50"] > 1.6 * answer["now"]["age_p50"]
    assert card(answer, "machine")["then"]["results_per_second"] == pytest.approx(40.0, rel=0.1)
    assert all(entry["id"] != "quota" for entry in answer["cards"])


def test_a_camera_is_not_sampled_faster_than_it_delivers(minute: Minute) -> None:
    minute.camera("a", 20.0)
    minute.results("a", 20.0, service=0.05)
    assert card(minute.ask(), "faster")["what"] == "25.0 frames a second sampled instead of 20.0"


def test_nothing_is_computed_from_nothing(api: Api) -> None:
    answer = api.get("/api/what-if")
    assert answer["now"] is None
    assert answer["cards"] == []
    assert "fewer than 20 results" in answer["why"]


def test_the_route_takes_factors_and_refuses_nonsense(api: Api, broker: Broker) -> None:
    with Worker(broker), filming(broker, 1, 20.0):
        answer = until(lambda: (found := api.get("/api/what-if", fps=0.5, pixels=640))["now"] and found, 30)
    assert answer["cards"][0]["change"] == {"fps": 0.5, "pixels": 640}
    refused = api.http.get("/api/what-if", params={"threads": 0})
    assert refused.status_code == 422
    assert "threads '0'" in refused.json()["error"]["message"]


# --- what really happens ---


@contextmanager
def filming(broker: Broker, cameras: int, fps: float) -> Iterator[None]:
    """Let cameras offer frames until the block ends; nobody is followed in what is no picture."""
    stop = threading.Event()
    put_cameras(broker, *(camera(f"cam{number}", fps=fps, purpose=Purpose.AUDIENCE) for number in range(cameras)))
    producers = [Producer(broker, f"cam{number}") for number in range(cameras)]
    threads = [
        threading.Thread(target=film, args=(producer.offer, fps, number / cameras, stop))
        for number, producer in enumerate(producers)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@contextmanager
def working(broker: Broker, provider: Provider, threads: int) -> Iterator[None]:
    """Run a real worker until the block ends."""
    stop = threading.Event()
    process = WorkerProcess(broker, WorkerSettings(provider, threads), stop)
    process.start()
    try:
        yield
    finally:
        stop.set()
        process.shut_down()


def measured(api: Api, broker: Broker, threads: int, count: int) -> list[Result]:
    """Wait until the new worker runs steadily, then return its next `count` results."""
    until(lambda: api.get("/api/stats")["workers"]["alive"] == threads, PATIENCE)
    results = Results(broker.scripts)
    began = results.wait(results.last_id(), PATIENCE)[-1]
    first = results.wait(began.id, PATIENCE)[-1]
    return until(lambda: len(found := results.read(first.id, count)[0]) == count and found, PATIENCE)


def test_what_is_foretold_comes_true(session_valkey: Valkey, broker: Broker, settings: DashboardSettings) -> None:
    """Four times the threads, then a quarter of the quota: rates and ages come as computed, within 35 % (or 50 ms)."""
    with Endpoint(seconds=0.06) as endpoint, filming(broker, 2, 15.0):
        provider = Provider("endpoint", "us-east-1", endpoint.url, 40.0)
        with dashboard(session_valkey.url, replace(settings, provider=provider)) as api:
            seen: list[Result] = []
            what_if = foreteller(api, broker, replace(settings, provider=provider), seen)
            with working(broker, provider, 1):
                seen[:] = measured(api, broker, 1, 30)
                with_threads = what_if.look(Change(threads=4))["cards"][0]["then"]
            with working(broker, provider, 4):
                seen[:] = measured(api, broker, 4, 40)
                now = what_if.look(Change(quota=0.25))
            with working(broker, replace(provider, tps=10.0), 4):
                after = measured(api, broker, 4, 20)
    assert with_threads["results_per_second"] > 24
    for foretold, came in ((with_threads, now["now"]), (now["cards"][0]["then"], figures_of(after))):
        assert foretold["results_per_second"] == pytest.approx(came["results_per_second"], rel=0.35)
        assert foretold["age_p50"] == pytest.approx(came["age_p50"], rel=0.35, abs=0.05)


def foreteller(api: Api, broker: Broker, settings: DashboardSettings, seen: list[Result]) -> WhatIf:
    """Return what computes from the dashboard's own figures and from what was seen since the last change."""

    def figures() -> dict[str, Any]:
        return {**api.get("/api/stats"), "now": seen[-1].published_at}

    def last() -> list[Seen]:
        window = ResultWindow(lambda: seen[-1].published_at)
        window.add(seen)
        return window.last_minute()

    return WhatIf(Observer(broker.scripts, settings), settings.provider, figures, last)


def figures_of(results: list[Result]) -> dict[str, float]:
    ages = sorted(result.age_seconds for result in results)
    span = results[-1].published_at - results[0].published_at
    return {"age_p50": ages[len(ages) // 2], "results_per_second": (len(results) - 1) / span}
