"""One event stream tells results, cameras and figures, and goes on through anything that happens to Redis."""

from __future__ import annotations

import asyncio

import pytest

from dashboard.events import _following
from dashboard.live import Event
from dashboard.live import Listener as LiveListener
from dashboard.settings import DashboardSettings
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.entities import CameraState, CameraStatus
from tests.conftest import Valkey
from tests.dashboard.support import Api, Listener, Producer, Worker, camera, dashboard, put_cameras, until


def test_the_beginning_tells_everything(api: Api, broker: Broker) -> None:
    """A new listener gets every camera and the figures at once, then results as they come out."""
    put_cameras(broker, camera("a"), camera("b"))
    with Listener(api) as listener, Worker(broker) as worker:
        until(lambda: listener.of("stats"))
        told = [shown["id"] for shown in listener.of("camera")]
        assert told[:2] == ["a", "b"]  # and again, where a round of news fell in between
        assert set(told) == {"a", "b"}
        for count, name in enumerate(("a", "b", "a"), 1):
            Producer(broker, name).offer()
            worker.wait_for(count)
        until(lambda: [result["camera"] for result in listener.of("result")] == ["a", "b", "a"])
    told = [(data["id"], identity) for kind, data, identity in listener.events if kind == "result"]
    assert all(inside == outside for inside, outside in told)
    assert {inside for inside, _ in told} <= {result["id"] for result in api.get("/api/results")["results"]}


def test_cameras_are_told_when_they_change(api: Api, broker: Broker) -> None:
    """A camera that is added, changes its state or goes is an event."""
    with Listener(api) as listener:
        until(lambda: listener.of("stats"))
        put_cameras(broker, camera("door"))
        until(lambda: listener.of("camera"))
        CameraRegistry(broker.scripts).report(CameraStatus("door", CameraState.LIVE), 30)
        until(lambda: listener.of("camera")[-1].get("status", {}).get("state") == "live")
        api.http.delete("/api/cameras/door")
        until(lambda: listener.of("camera")[-1] == {"id": "door", "removed": True})


def test_who_comes_back_misses_nothing(api: Api, broker: Broker) -> None:
    """With Last-Event-ID, as browsers send it, come first the results that were missed, each once."""
    producer = Producer(broker, "door")
    with Worker(broker) as worker:
        for count in (1, 2, 3):
            producer.offer()
            worker.wait_for(count)
        ids = [result["id"] for result in api.get("/api/results")["results"]]
        with Listener(api, **{"Last-Event-ID": ids[0]}) as listener:
            until(lambda: len(listener.of("result")) == 2)
            producer.offer()
            until(lambda: len(listener.of("result")) == 3)
    assert [result["seq"] for result in listener.of("result")] == [2, 3, 4]
    assert api.http.get("/api/events", headers={"Last-Event-ID": "yesterday"}).status_code == 422


def test_what_was_missed_and_is_also_told_live_comes_once() -> None:
    """A result that came between the two is not sent twice."""
    live = LiveListener()
    for event in (Event("result", "old", "5-0"), Event("stats", "{}"), Event("result", "new", "5-1"), None):
        live.hand(event)

    async def told() -> list[str]:
        return [text async for text in _following(live, "5-0")]

    assert [text.splitlines()[-2] for text in asyncio.run(told())] == ["data: {}", "data: new"]


def test_the_stream_goes_on_through_a_restart_of_redis(own_valkey: Valkey, settings: DashboardSettings) -> None:
    """A listener keeps its connection while Redis dies, and hears results of the new one."""
    broker = Broker(own_valkey.url)
    with dashboard(own_valkey.url, settings) as api, Listener(api) as listener:
        with Worker(broker):
            Producer(broker, "door").offer()
            until(lambda: listener.of("result"))
            own_valkey.kill()
            assert api.http.get("/api/stats").status_code == 503
            own_valkey.start()
            producer = Producer(broker, "gate")
            until(lambda: _offered(producer) and listener.of("result")[-1]["camera"] == "gate")
        assert not listener.ended.is_set()
    broker.close()


def test_silence_is_filled_with_heartbeats(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment now and then keeps the connection alive while nothing else is sent."""
    monkeypatch.setattr("dashboard.events.HEARTBEAT_SECONDS", 0.05)
    with Listener(api) as listener:
        until(lambda: listener.comments > 2)


def test_a_listener_who_falls_behind_is_sent_away(api: Api, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded: who does not keep up is disconnected, and catches up when it comes back."""
    monkeypatch.setattr("dashboard.live.LISTENER_EVENTS", 1)
    with Listener(api) as listener:
        assert listener.ended.wait(5)


def test_listeners_end_with_the_dashboard(own_valkey: Valkey, settings: DashboardSettings) -> None:
    """Stopping does not wait for those who listen."""
    with dashboard(own_valkey.url, settings) as api:
        listener = Listener(api)
        until(lambda: listener.of("stats"))
    assert listener.ended.wait(5)
    listener.close()


def _offered(producer: Producer) -> bool:
    try:
        return bool(producer.offer())
    except OSError:
        return False
