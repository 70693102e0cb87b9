"""What happened is told in one sentence each, once, to those who listen and to those who ask later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from dashboard.notices import MOST_NOTICES, Level, NoticeBoard
from dashboard.reporter import Reporter
from pipeline import keys
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.entities import CameraState, CameraStatus
from tests.dashboard.support import Api, Listener, Producer, Worker, camera, put_cameras, until

DOOR = {"id": "door", "url": "rtsp://admin:***@10.0.0.7/main", "paused": False}


class Clock:
    def __init__(self) -> None:
        self.at = 1_795_000_000.0

    def __call__(self) -> float:
        return self.at


class Desk:
    """A reporter whose clock and world the test holds."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.published: list[Mapping[str, Any]] = []
        self.board = NoticeBoard(self.clock, lambda kind, notice: self.published.append(notice))
        self.reporter = Reporter(self.board, self.clock, 0.001, "127.0.0.1:6379")
        self.stats: dict[str, Any] = {"cost": {"budget": None}, "workers": {"list": []}, "limits": [], "cameras": {}}
        self.cameras: dict[str, dict[str, Any]] = {}

    def look(self, seconds: float = 1.0) -> list[tuple[str, str]]:
        """Let time pass, look, and return level and text of what was told."""
        self.clock.at += seconds
        before = len(self.published)
        self.reporter.look(self.stats, self.cameras.values())
        return [(notice["level"], notice["text"]) for notice in self.published[before:]]

    def change(self, **members: Any) -> None:
        """Put new members into the statistics, as a new object."""
        self.stats = self.stats | members

    def state(self, state: str, message: str = "", paused: bool = False, since: float = 1.0) -> None:
        status = {"state": state, "message": message, "since": since, "width": 1280, "height": 720, "codec": "h264"}
        self.cameras = self.cameras | {"door": {**DOOR, "paused": paused, "status": status}}

    def failed(self, **causes: int) -> None:
        self.change(cameras={"door": {"frames": {"failed": causes}}})

    def limit(self, rate: float = 20.0, cuts: int = 0, held: float = 0.0, why: str = "") -> None:
        limit = {"scope": "local", "operation": "DetectFaces", "quota": 20.0, "rate": rate, "cuts": cuts}
        self.change(limits=[limit | {"held_seconds": held, "held_why": why}])

    def workers(self, *names: str) -> None:
        listed = [{"name": name, "host": f"host-{name}", "pid": 7, "threads": 4} for name in names]
        self.change(workers={"list": listed})

    def budget(self, spent: float) -> None:
        self.change(cost={"budget": {"limit_dollars": 1.0, "spent_dollars": spent, "left_dollars": 1.0 - spent}})


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_camera_that_rests_says_so_once_and_until_when(desk: Desk) -> None:
    desk.state("live")
    desk.look()
    desk.state("off", "resting until Mon 08:00")
    assert desk.look() == [("info", "camera door is resting until Mon 08:00")]
    assert desk.look() == []


def test_the_first_look_tells_only_what_is_wrong(desk: Desk) -> None:
    """Whoever starts the dashboard again is not told that everything is as it was."""
    desk.state("live")
    desk.workers("a")
    assert desk.look() == []
    other = Desk()
    other.state("unauthorized", "the camera wants another password")
    assert other.look() == [("bad", "camera door is unauthorized: the camera wants another password")]


def test_cameras_come_change_and_go(desk: Desk) -> None:
    desk.look()
    desk.state("connecting")
    assert desk.look() == [("info", "camera door was added: rtsp://admin:***@10.0.0.7/main")]
    desk.state("live")
    assert desk.look() == [("info", "camera door is live: 1280x720 h264")]
    assert desk.look() == []
    desk.state("stalled", "no picture for 5 s: is the camera hanging?")
    assert desk.look() == [("warn", "camera door is stalled: no picture for 5 s: is the camera hanging?")]
    desk.state("off", paused=True)
    assert desk.look() == [("info", "camera door is paused")]
    desk.cameras = {}
    assert desk.look() == []
    assert desk.look(2) == [("info", "camera door was removed")]


def test_a_redis_that_lost_everything_and_got_it_back_is_no_news_of_cameras_or_workers(desk: Desk) -> None:
    """They were missing for a moment only."""
    desk.state("live")
    desk.workers("a")
    desk.look()
    cameras, desk.cameras = desk.cameras, {}
    desk.workers()
    assert desk.look() == []
    desk.cameras = cameras
    desk.workers("a")
    assert desk.look() == []
    assert desk.look(60) == []


def test_a_camera_that_is_tried_again_and_again_is_told_of_once(desk: Desk) -> None:
    """It changes between connecting and not found for as long as it is away."""
    desk.look()
    desk.state("connecting")
    desk.look()
    told = []
    for _ in range(5):
        desk.state("not_found", "there is no such path")
        told += desk.look()
        desk.state("connecting", "there is no such path")
        told += desk.look()
    assert told == [("bad", "camera door is not found: there is no such path")]


def test_a_camera_that_never_was_reached_is_told_with_the_reason(desk: Desk) -> None:
    """Once, however often it is tried."""
    desk.look()
    desk.state("connecting")
    desk.look()
    desk.state("connecting", "nothing listens at 10.0.0.7:554")
    assert desk.look() == [("warn", "camera door is not connected: nothing listens at 10.0.0.7:554")]
    assert desk.look() == []
    desk.state("live")
    assert desk.look() == [("info", "camera door is live: 1280x720 h264")]


def test_a_camera_that_no_producer_reports_of_is_told_after_some_seconds(desk: Desk) -> None:
    """Not at the start, nor in the moment after Redis was emptied."""
    desk.state("live")
    desk.look()
    for _ in range(2):
        desk.state("connecting", "no producer has this camera yet", since=0.0)
        assert desk.look() + desk.look(3) == []
        desk.state("live")
        assert desk.look() == []
    desk.state("connecting", "no producer has this camera yet", since=0.0)
    desk.look()
    assert desk.look(5) == [("warn", "camera door is not connected: no producer has this camera yet")]


def test_a_camera_that_flaps_is_told_of_sparingly(desk: Desk) -> None:
    """Six changes a minute one by one; then how many there were, and how it is, also when it keeps still by then."""
    desk.state("live")
    desk.look()
    told = []
    for _ in range(10):
        desk.state("stalled", "no picture")
        told += desk.look()
        desk.state("live")
        told += desk.look()
    assert told == [("warn", "camera door is stalled: no picture"), ("info", "camera door is live: 1280x720 h264")] * 3
    assert desk.look(41) == [("info", "camera door is live: 1280x720 h264 (14 changes within 60 s)")]
    assert desk.look() == []


def test_workers_come_and_go_by_their_host(desk: Desk) -> None:
    desk.workers("a")
    desk.look()
    desk.workers("a", "b")
    assert desk.look() == [("info", "a worker with 4 threads began on host-b")]
    desk.workers("b")
    desk.look()
    assert desk.look(5) == [("warn", "the worker on host-a (process 7) is gone, 1 left")]
    desk.workers()
    desk.look()
    (told,) = desk.look(5)
    assert told == (
        "bad",
        "the worker on host-b (process 7) is gone, none is left, nothing is analysed: start one with `rekstream work`",
    )


def test_throttles_are_told_with_what_the_limit_was_and_is(desk: Desk) -> None:
    """The first at once; those of the next ten seconds together, also when no more come."""
    desk.limit()
    desk.look()
    desk.limit(rate=14.0, cuts=1)
    assert desk.look() == [("warn", "DetectFaces was throttled: the limit went from 20.0 to 14.0 of 20 calls/s")]
    desk.limit(rate=9.8, cuts=2)
    assert desk.look() == []
    desk.limit(rate=6.9, cuts=3)
    assert desk.look() == []
    desk.limit(rate=19.0, cuts=3)
    assert desk.look(10) == [("warn", "DetectFaces was throttled 2 times: the limit is now 19.0 of 20 calls/s")]


def test_calls_that_are_held_back_and_let_out(desk: Desk) -> None:
    desk.limit(held=30, why="Rekognition refuses the call (AccessDenied): check the credentials")
    (told,) = desk.look()
    assert told == ("bad", "calls are held back: Rekognition refuses the call (AccessDenied): check the credentials")
    assert desk.look() == []
    desk.limit()
    assert desk.look() == [("info", "calls of DetectFaces are let out again")]


def test_the_budget_is_told_of_at_four_fifths_and_when_it_is_spent(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Spent means that the next call would be above it. Both stand in the log, too."""
    told = []
    for spent in (0.0, 0.79, 0.805, 0.9, 0.9995, 1.0, 0.0):
        desk.budget(spent)
        told += desk.look()
    assert told == [
        ("warn", "80% of the budget of 1 dollars is spent"),
        ("bad", "the budget of 1 dollars is spent: no paid call is made before it is raised or the next period begins"),
        ("info", "1 dollars of the budget of 1 dollars are left again"),
    ]
    assert [record.message for record in caplog.records] == [text for _, text in told[:2]]


def test_failures_are_told_first_at_once_then_once_a_minute_with_their_count(desk: Desk) -> None:
    """By camera and cause; those from before the start are no news."""
    desk.failed(timeout=90)
    assert desk.look() == []
    desk.failed(timeout=91, denied=1)
    assert desk.look() == [
        ("warn", "camera door: a frame was not analysed, Rekognition did not answer in time"),
        ("bad", "camera door: a frame was not analysed, Rekognition refuses the credentials"),
    ]
    for count in range(92, 112):
        desk.failed(timeout=count, denied=1)
        assert desk.look() == []
    assert desk.look(60) == [("warn", "camera door: 20 frames were not analysed, Rekognition did not answer in time")]


def test_redis_is_away_once_and_back_with_how_long(desk: Desk) -> None:
    desk.reporter.redis_is_away()
    desk.reporter.redis_is_away()
    assert [notice["text"] for notice in desk.published] == [
        "Redis at 127.0.0.1:6379 does not answer: nothing is analysed until it does"
    ]
    assert desk.look(12) == [("info", "Redis answers again after 12 s")]


def test_the_last_500_are_kept_and_their_ids_rise_from_one_dashboard_to_the_next(desk: Desk) -> None:
    """No password stands in one."""
    for number in range(MOST_NOTICES + 3):
        desk.board.tell(Level.INFO, "camera", f"rtsp://admin:s3cret@{number}/")
    notices, following = desk.board.after(0, 1000)
    assert len(notices) == MOST_NOTICES
    assert notices[-1].text == f"rtsp://admin:***@{MOST_NOTICES + 2}/"
    assert desk.board.after(following, 10) == ([], following)
    assert len(desk.board.after(notices[-4].id, 10)[0]) == 3
    desk.clock.at += 10
    assert NoticeBoard(desk.clock, lambda kind, notice: None).after(0, 1)[1] > following


def texts(api: Api) -> list[str]:
    return [notice["text"] for notice in api.get("/api/notices")["notices"]]


def test_what_happens_in_the_system_is_told_live_and_on_request(api: Api, broker: Broker) -> None:
    """Camera, state, worker, throttle, failure: from the real figures."""
    until(lambda: api.get("/api/stats")["now"] and len(api.get("/api/notices")) == 2)
    with Listener(api) as listener:
        until(lambda: listener.of("stats"))
        put_cameras(broker, camera("yard"))
        until(lambda: "camera yard was added: rtsp://10.0.0.7/yard" in texts(api))
        registry = CameraRegistry(broker.scripts)
        registry.report(CameraStatus("yard", CameraState.NOT_FOUND, "there is no such path", since=1.0), 60)
        until(lambda: "camera yard is not found: there is no such path" in texts(api))
        with Worker(broker) as worker:
            until(lambda: any(text.startswith("a worker with 2 threads began on ") for text in texts(api)))
            listed = api.get("/api/stats")["workers"]["list"]
            assert [(entry["threads"], entry["calling"], entry["pid"] > 0) for entry in listed] == [(2, 1, True)]
            worker.error = {"Code": "ThrottlingException", "Message": "slow down"}
            Producer(broker, "yard").offer()
            until(lambda: any(text.startswith("camera yard: a frame was not analysed") for text in texts(api)))
        limit = {"quota": "20", "tat": "1", "cuts": "0"}
        broker.scripts.hset(keys.rate("local", "DetectFaces"), mapping=limit)
        until(lambda: api.get("/api/stats")["limits"])
        until(lambda: len(listener.of("stats")) and listener.of("stats")[-1]["limits"])
        broker.scripts.hset(keys.rate("local", "DetectFaces"), mapping=limit | {"cuts": "1", "rate": "14", "cut_at": "9e9"})
        until(lambda: any(text.startswith("DetectFaces was throttled: the limit went from 20.0 to ") for text in texts(api)))
        until(lambda: len(listener.of("notice")) == len(texts(api)))
    first, *_ = api.get("/api/notices")["notices"]
    assert api.get("/api/notices", after=first["id"])["notices"][0]["id"] == first["id"] + 1
    assert first == listener.of("notice")[0]


def test_notices_are_asked_for_within_bounds(api: Api) -> None:
    for wrong in ({"after": -1}, {"limit": 0}, {"limit": 501}, {"after": "x"}):
        assert api.http.get("/api/notices", params=wrong).status_code == 422


def test_a_rehearsal_is_told_when_it_begins_changes_and_ends() -> None:
    """Slowness that was asked for is never mistaken for real."""
    desk = Desk()
    desk.look()
    desk.change(rehearsal={"latency": 0.5})
    began = ("warn", "the local server rehearses from now on: slowness and errors are not real")
    assert desk.look() == [began]
    assert desk.look() == []
    desk.change(rehearsal={"latency": 0.9})
    assert desk.look() == [("warn", "the local server rehearses something else now: slowness and errors are not real")]
    desk.change(rehearsal=None)
    assert desk.look() == [("info", "the rehearsal is over")]
