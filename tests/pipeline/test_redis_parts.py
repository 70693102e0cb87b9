"""What the parts know of each other through Redis: the clock, the list of cameras, heartbeats, results."""

from __future__ import annotations

import json
import time

import pytest

from pipeline import keys
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.clock import RedisClock
from pipeline.entities import Camera, CameraState, CameraStatus
from pipeline.errors import BrokerError, CameraExists, UnknownCamera
from pipeline.presence import Presence, living
from pipeline.provider import Provider
from pipeline.results import MAX_BYTES, Results
from pipeline.settings import load
from pipeline.shared import Shared, SharedSettings
from tests.conftest import wait_until

DOOR = Camera("door", "rtsp://a:b@c/d", 2.0)


def test_the_clock_is_redis_time_within_its_error(broker: Broker) -> None:
    clock = RedisClock(broker.scripts)
    seconds, micros = broker.scripts.time()
    assert clock.now() - (seconds + micros / 1e6) < 0.1
    assert 0 < clock.error_seconds < 0.1
    before = clock.now()
    clock.synchronise()
    assert abs(clock.now() - before) < 0.1


def test_a_step_of_this_machines_clock_does_not_move_it(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, before = RedisClock(broker.scripts), time.time()
    monkeypatch.setattr(time, "time", lambda: before + 3600)
    assert clock.now() - before < 10


def test_the_list_of_cameras_has_a_version(broker: Broker) -> None:
    registry = CameraRegistry(broker.scripts)
    assert (registry.version(), registry.all()) == (0, [])
    registry.add(DOOR)
    assert (registry.version(), registry.all()) == (1, [DOOR])
    with pytest.raises(CameraExists):
        registry.add(DOOR)
    registry.remove("door")
    with pytest.raises(UnknownCamera):
        registry.get("door")


def test_a_camera_belongs_to_one_producer_at_a_time(broker: Broker) -> None:
    registry = CameraRegistry(broker.scripts)
    first = registry.lease("door", "one", 5)
    assert first
    assert registry.lease("door", "two", 5) is None
    assert registry.lease("door", "one", 5) == first
    assert registry.renew("door", "one", first, 5)
    registry.release("door", "one", first)
    second = registry.lease("door", "two", 5)
    assert second
    assert second > first
    assert not registry.renew("door", "one", first, 5)


def test_a_fencing_number_is_higher_even_after_redis_was_emptied(broker: Broker) -> None:
    registry = CameraRegistry(broker.scripts)
    numbers = [registry.lease("door", "one", 5)]
    for _ in range(3):
        registry.release("door", "one", numbers[-1] or 0)
        numbers.append(registry.lease("door", "one", 5))
    assert numbers == sorted(set(numbers), key=lambda number: number or 0)
    broker.scripts.flushall()
    again = registry.lease("door", "two", 5)
    assert again
    assert again >= int(time.time()) - 2


def test_a_status_is_forgotten_and_then_said_to_be_missing(broker: Broker) -> None:
    registry = CameraRegistry(broker.scripts)
    registry.report(CameraStatus("door", CameraState.LIVE, "well"), 0.05)
    assert registry.statuses(["door"])["door"].state is CameraState.LIVE
    wait_until(lambda: registry.statuses(["door"])["door"].state is CameraState.CONNECTING)
    assert "no producer" in registry.statuses(["door"])["door"].message


def test_a_process_is_alive_until_it_stops(broker: Broker) -> None:
    presence = Presence(broker.scripts, "worker", "1", "127.0.0.1:9", lambda: {"threads": 4})
    presence.start()
    wait_until(lambda: living(broker.scripts, "worker"))
    (process,) = living(broker.scripts)
    assert (process.role, process.metrics, process.details) == ("worker", "127.0.0.1:9", {"threads": 4})
    assert broker.scripts.pttl(keys.process("worker", presence.name)) <= 10_000
    presence.stop()
    assert living(broker.scripts) == []


def test_a_broken_result_is_left_out_and_a_newer_ones_members_stay(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    good = {"seq": 1, "captured_at": 1.0, "width": 1, "height": 1, "FaceDetails": [], "Novelty": {"a": 1}}
    for text in ("{", json.dumps(good), json.dumps({"seq": "x"}), "[]"):
        broker.scripts.xadd(keys.RESULTS, {"camera": "door", "published_at": "2.0", "result": text})
    broker.scripts.xadd(keys.RESULTS, {"something": "else"})
    (result,), _ = Results(broker.scripts).read()
    assert result.response["Novelty"] == {"a": 1}
    assert result.age_seconds == 1.0
    assert [found.seq for found in Results(broker.scripts).latest(camera="door")] == [1]
    assert "cannot be read and is left out" in caplog.text


def test_the_stream_is_bounded_by_bytes(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.results.MAX_BYTES", 200_000)
    for _ in range(300):
        broker.scripts.xadd(keys.RESULTS, {"result": "x" * 2000})
    results = Results(broker.scripts)
    results.trim()
    results.trim()
    assert broker.scripts.memory_usage(keys.RESULTS, samples=20) < 300_000
    assert MAX_BYTES > 1_000_000


def test_results_go_after_ten_minutes_even_when_nothing_new_comes(broker: Broker) -> None:
    now = int(time.time() * 1000)
    broker.scripts.xadd(keys.RESULTS, {"result": "old"}, id=f"{now - 601_000}-0")
    broker.scripts.xadd(keys.RESULTS, {"result": "young"}, id=f"{now - 590_000}-0")
    Results(broker.scripts).trim()
    assert [values[b"result"] for _, values in broker.scripts.xrange(keys.RESULTS)] == [b"young"]


def test_what_up_says_is_read_by_those_who_join_and_knows_no_loopback(broker: Broker) -> None:

    shared = SharedSettings(broker.scripts)
    assert shared.read() is None
    for url, told in (("http://127.0.0.1:9000", None), ("http://10.0.0.3:9000", "http://10.0.0.3:9000")):
        settings = load(endpoint_url=url, tps=9.0)
        shared.write(Shared.of(settings, Provider.of(settings)))
        found = shared.read()
        assert found
        assert (found.endpoint_url, found.tps) == (told, 9.0)
    broker.scripts.set(keys.SHARED, json.dumps({"provider": "local", "region": "x", "of_a_later_version": 1}))
    assert shared.read() == Shared("local", "x")


def test_a_server_that_does_not_answer_is_said_with_its_address() -> None:
    with pytest.raises(BrokerError, match=r"Redis at redis://127.0.0.1:1 does not answer"):
        Broker("redis://127.0.0.1:1").check()
    assert not Broker("redis://127.0.0.1:1").ping()
