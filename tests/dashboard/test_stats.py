"""The figures add up, and the bottleneck is named by the rule that the docs tell."""

from __future__ import annotations

import os
import time

import pytest

from dashboard.bottleneck import Signs, What, find
from dashboard.frames import total
from dashboard.settings import DashboardSettings
from dashboard.window import ResultWindow, ages_and_stages, made_of, percentiles
from pipeline import keys
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.entities import CameraState, CameraStatus, Result
from pipeline.mailbox import Balance
from pipeline.metrics import STAGES
from pipeline.presence import Presence
from tests.conftest import Valkey
from tests.dashboard.support import Api, Producer, Worker, camera, dashboard, put_cameras, until


def test_frames_add_up_per_camera_and_in_all(api: Api, broker: Broker) -> None:
    """sampled = analysed + superseded + dropped + failed + in flight, for each camera and for their sum."""
    put_cameras(broker, camera("a"), camera("idle"))
    producer, other = Producer(broker, "a"), Producer(broker, "b")
    for _ in range(4):
        producer.offer()
    other.drop("encode")
    other.offer()
    worker = Worker(broker)
    assert worker.serve_next()
    worker.error = {"Code": "AccessDenied", "Message": ""}
    assert worker.serve_next()
    producer.offer()
    stats = api.get("/api/stats")
    assert stats["frames"] == {
        "sampled": 7,
        "analysed": 1,
        "superseded": 3,
        "dropped": {"encode": 1},
        "failed": {"refused": 1},
        "in_flight": 1,
    }
    assert list(stats["cameras"]) == ["a", "b", "idle"]
    assert stats["cameras"]["a"]["frames"]["sampled"] == 5
    assert stats["cameras"]["idle"]["frames"]["sampled"] == 0
    assert stats["queue_length"] == 1


def test_ages_stages_and_faces_of_the_last_minute(api: Api, broker: Broker) -> None:
    """Percentiles come per camera and in all; the newest age runs on; faces are those of the newest result."""
    with Worker(broker) as worker:
        for count, name in enumerate(("a", "b", "a"), 1):
            Producer(broker, name).offer()
            worker.wait_for(count)
    stats = until(lambda: (found := api.get("/api/stats"))["rates"]["calls"] == 0.6 and found)
    assert stats["stages"]["service"] == {"p50": 0.1, "p95": 0.1, "p99": 0.1}
    assert stats["cameras"]["a"]["stages"]["upload"]["p95"] == 0.02
    assert 0 < stats["age"]["p50"] <= stats["age"]["p99"] < 5
    assert stats["cameras"]["b"]["faces"] == 1
    assert stats["cameras"]["b"]["newest_age"] >= stats["cameras"]["b"]["age"]["p50"] - 0.001
    again = api.get("/api/stats")
    assert again["cameras"]["b"]["newest_age"] > stats["cameras"]["b"]["newest_age"]


def test_results_from_before_the_start_count_too(session_valkey: Valkey, broker: Broker, settings: DashboardSettings) -> None:
    """A dashboard that is started later knows the last minute."""
    Producer(broker, "a").offer()
    assert Worker(broker).serve_next()
    with dashboard(session_valkey.url, settings) as api:
        stats = until(lambda: (found := api.get("/api/stats"))["age"]["p50"] and found)
    assert stats["cameras"]["a"]["faces"] == 1


def test_nothing_is_told_of_nothing(api: Api) -> None:
    """Without cameras the figures are empty, not wrong."""
    stats = api.get("/api/stats")
    assert stats["age"] == {"p50": None, "p95": None, "p99": None}
    assert stats["cameras"] == {}
    assert stats["cost"] == {"dollars_per_hour": 0.0, "dollars_per_month": 0.0, "cameras": {}, "budget": None}
    assert (stats["version"], stats["provider"]) == ("1.2.3", "local")
    assert stats["bottleneck"] == {"what": "cameras", "why": "there is no camera: add one"}


def test_rates_are_those_of_the_last_seconds(api: Api, broker: Broker) -> None:
    """Frames a second follow from the counters, and from nothing older than a few seconds."""
    producer = Producer(broker, "a")
    until(lambda: api.get("/api/stats")["rates"]["sampled"] == 0)
    for _ in range(10):
        producer.offer()
    rates = until(lambda: (found := api.get("/api/stats")["rates"])["sampled"] and found)
    assert 0 < rates["superseded"] <= rates["sampled"]


def test_limits_show_cut_and_regrowth(api: Api, broker: Broker) -> None:
    """The rate after a throttle grows back by 5 % of the quota a second; a hold tells its reason and its end."""
    now = time.time()
    scope = "http://user:secret@127.0.0.1:4566|us-east-1"
    broker.scripts.hset(keys.rate(scope, "DetectFaces"), mapping={"quota": 50, "rate": 20, "cut_at": now - 10, "cuts": 3})
    held = {"quota": 5, "held_until": now + 20, "held_why": "AccessDeniedException: no"}
    broker.scripts.hset(keys.rate("local|us-east-1", "SearchFaces"), mapping=held)
    cut, search = api.get("/api/stats")["limits"]
    assert (cut["operation"], cut["quota"], cut["cuts"], cut["held_why"]) == ("DetectFaces", 50, 3, "")
    assert 44 < cut["rate"] < 50
    assert cut["scope"] == "http://user:***@127.0.0.1:4566|us-east-1"
    assert (search["operation"], search["calls"], search["held_why"]) == ("SearchFaces", 0, "AccessDeniedException: no")
    assert 15 < search["held_seconds"] <= 20


def test_workers_are_those_alive(api: Api, broker: Broker) -> None:
    """Processes and their threads by what they do, as their heartbeats say."""
    nobody = {"processes": 0, "threads": 0, "alive": 0, "waiting": 0, "calling": 0, "idle": 0, "list": []}
    assert api.get("/api/stats")["workers"] == nobody
    with Worker(broker), Worker(broker):
        both = {"processes": 2, "threads": 4, "alive": 4, "waiting": 0, "calling": 2, "idle": 2}
        told = until(lambda: (found := api.get("/api/stats")["workers"])["processes"] == 2 and found)
        listed = told.pop("list")
        assert told == both
        assert [(one["threads"], one["calling"], one["version"], one["pid"]) for one in listed] == [
            (2, 1, "1", os.getpid())
        ] * 2
        assert all(one["name"] and one["host"] and one["started_at"] for one in listed)
    assert api.get("/api/stats")["workers"] == nobody


def test_silent_cameras_are_named(api: Api, broker: Broker) -> None:
    """A camera that delivers nothing is what is wrong, when all else keeps up."""
    put_cameras(broker, camera("a"), camera("b"), camera("off", paused=True))
    CameraRegistry(broker.scripts).report(CameraStatus("a", CameraState.LIVE, capture_fps=25.0), 30)
    assert api.get("/api/stats")["bottleneck"]["why"] == "no pictures come from 1 of 3 cameras (b)"
    CameraRegistry(broker.scripts).report(CameraStatus("b", CameraState.LIVE, capture_fps=2.0), 30)
    assert api.get("/api/stats")["bottleneck"] == {
        "what": "cameras",
        "why": "fewer frames than are asked for come from 1 of 3 cameras (b)",
    }


def test_health_ready_and_targets(api: Api, broker: Broker) -> None:
    """Healthy means up, ready means Redis and worker threads; the targets are the living processes."""
    assert api.get("/healthz") == {"ok": True, "version": "1.2.3"}
    answer = api.http.get("/readyz")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "NoWorkers")
    with Worker(broker):
        assert api.get("/readyz") == {"ready": True, "worker_threads": 2}
        silent = Presence(broker.scripts, "producer", "1")
        silent.start()
        targets = until(lambda: len(found := api.get("/prometheus/targets")) == 2 and found)
        silent.stop()
    by_role = {target["labels"]["role"]: target for target in targets}
    assert by_role["worker"]["targets"] == ["127.0.0.1:9"]
    assert by_role["dashboard"]["targets"] == [api.url.removeprefix("http://")]
    assert len(by_role["dashboard"]["labels"]["name"]) == 12


def test_metrics_are_collected_at_scrape(api: Api, broker: Broker) -> None:
    """Prometheus gets the counters that stand in Redis, by camera and cause."""
    put_cameras(broker, camera("idle"))
    producer = Producer(broker, "a")
    producer.drop("encode")
    producer.offer()
    producer.offer()
    text = api.http.get("/metrics").text
    for line in (
        'rekstream_frames_sampled_total{camera="a"} 3.0',
        'rekstream_frames_sampled_total{camera="idle"} 0.0',
        'rekstream_frames_superseded_total{camera="a"} 1.0',
        'rekstream_frames_analysed_total{camera="a"} 0.0',
        'rekstream_frames_dropped_total{camera="a",cause="encode"} 1.0',
        'rekstream_frames_in_flight{camera="a"} 1.0',
        "rekstream_queue_length 1.0",
        "rekstream_worker_processes 0.0",
    ):
        assert line in text.splitlines()
    assert "rekstream_clock_error_seconds" in text
    assert "# TYPE rekstream_frames_failed counter" in text.replace("_total counter", " counter")


BUSY = {"queue": 0.01, "limit": 0.01, "upload": 0.05, "service": 0.3}
LOSING = {"cameras": 2, "sampled": 10.0, "lost": 4.0, "threads": 8}


@pytest.mark.parametrize(
    ("signs", "what", "why"),
    [
        (Signs(), What.CAMERAS, "there is no camera"),
        (Signs(cameras=1), What.NONE, "nothing to do"),
        (Signs(cameras=1, sampled=5, threads=2, idle=2), What.NONE, "every sampled frame is analysed"),
        (Signs(cameras=1, sampled=5, lost=0.1, threads=2), What.NONE, "every sampled frame is analysed"),
        (Signs(cameras=1, sampled=5), What.WORKERS, "no worker is running"),
        (Signs(cameras=1, queue_length=1), What.WORKERS, "no worker is running"),
        (Signs(cameras=1, held="the budget is spent", threads=0, sampled=5), What.QUOTA, "the budget is spent"),
        (Signs(**LOSING, calls=19, quota=20, allowed=20, stages=BUSY), What.QUOTA, "19.0 of 20.0 calls/s"),
        (Signs(**LOSING, calls=7, quota=20, allowed=7, stages=BUSY), What.QUOTA, "was cut after a throttle"),
        (Signs(**LOSING, calls=5, quota=20, allowed=20, stages=BUSY), What.WORKERS, "8 of 8 threads are busy"),
        (Signs(**LOSING, calls=5, allowed=20, stages=BUSY, is_local_service=True), What.SERVICE, "takes 300 ms"),
        (Signs(**LOSING, calls=5, allowed=20, stages=BUSY | {"service": 1.4}), What.SERVICE, "takes 1400 ms"),
        (Signs(**LOSING, calls=5, allowed=20, stages=BUSY | {"upload": 0.9}), What.UPLINK, "sending a frame takes 900 ms"),
        (Signs(**LOSING, idle=4, calls=5, stages=BUSY | {"queue": 0.5}), What.WORKERS, "the stage queue takes longest"),
        (Signs(**LOSING, idle=4, calls=5, stages=BUSY | {"limit": 0.5}), What.QUOTA, "the stage limit"),
        (Signs(**LOSING, idle=4, calls=5, stages=BUSY | {"upload": 0.5}), What.UPLINK, "the stage upload"),
        (Signs(**LOSING, idle=4, calls=5, stages=BUSY), What.SERVICE, "the stage service takes longest, 300 ms"),
        (Signs(**LOSING, failed=1, quota=20, allowed=20, stages=BUSY), What.SERVICE, "1.0 of 10.0 frames/s fail"),
        (
            Signs(cameras=1, sampled=5, failed=1, threads=1, quota=1000, allowed=90),
            What.QUOTA,
            "90.0 (the limit of 1000 was cut",
        ),
        (Signs(cameras=3, silent=("a", "b")), What.CAMERAS, "come from 2 of 3 cameras (a, b)"),
        (Signs(cameras=3, slow=("a",), sampled=1, threads=1), What.CAMERAS, "come from 1 of 3 cameras (a)"),
    ],
)
def test_the_bottleneck_rule(signs: Signs, what: What, why: str) -> None:
    """The first rule that fits names the bottleneck, and one sentence says why."""
    found = find(signs)
    assert found.what is what
    assert why in found.why


def test_percentiles_are_values_that_were_there() -> None:
    """Nearest rank: of a hundred values the 50th, 95th and 99th."""
    assert percentiles([value / 100 for value in range(100, 0, -1)]) == {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    assert percentiles([3.0, 1.0, 2.0]) == {"p50": 2.0, "p95": 3.0, "p99": 3.0}
    assert percentiles([2.0]) == {"p50": 2.0, "p95": 2.0, "p99": 2.0}


def test_a_sum_of_balances_adds_up() -> None:
    """The sum of accounts that add up adds up."""
    one = Balance(sampled=5, analysed=1, superseded=1, in_flight=1, dropped={"x": 1}, failed={"y": 1})
    other = Balance(sampled=2, analysed=1, dropped={"x": 1})
    assert total([one, other]).adds_up
    assert total([one, other]).dropped == {"x": 2}


def test_what_a_frame_is_made_of_adds_up_to_its_age() -> None:
    """The stages of the average and of the slow frame are those of frames that were, not percentiles of each stage."""
    window = ResultWindow(lambda: 1000.0)
    for number in range(100):
        stages = dict.fromkeys(STAGES, 0.01) | {"service": 0.1 + number / 1000, "queue": 0.2 - number / 2000}
        age = sum(stages.values())
        window.add([Result(f"{number}-0", "a", number, 999.0 - age, 999.0, 1280, 720, "local", stages=stages)])
    found = made_of(window.last_minute())
    ages = ages_and_stages(window.last_minute())["age"]
    for name in ("p50", "p95"):
        parts = found[name]
        assert parts is not None
        assert sum(parts.values()) == pytest.approx(ages[name], abs=0.003)
    assert found["p95"]["service"] > found["p50"]["service"]  # type: ignore[index]  # not None, as was asserted
    assert found["p95"]["queue"] < found["p50"]["queue"]  # type: ignore[index]  # not None, as was asserted
    assert made_of([]) == {"p50": None, "p95": None}
