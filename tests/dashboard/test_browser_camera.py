"""A browser's webcam is a camera like any other, for as long as its socket lives."""

from __future__ import annotations

import json
import math
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from dashboard.browser_camera import BrowserCameras, Wishes
from dashboard.settings import DashboardSettings
from pipeline import keys
from pipeline.broker import Broker
from pipeline.camera_spec import CameraDefaults
from pipeline.cameras import CameraRegistry
from pipeline.clock import RedisClock
from pipeline.export import export
from pipeline.jobs import JobQueue
from pipeline.mailbox import Balance, Mailbox
from producer.fleet import Fleet, FleetSettings
from tests.conftest import Valkey
from tests.dashboard.support import Api, Worker, dashboard, picture, until
from tests.dashboard.watching import Viewing, viewing


class Browser:
    """A page that has become a camera."""

    def __init__(self, api: Api, **wishes: Any) -> None:
        self.socket: ClientConnection = connect(api.url.replace("http", "ws") + "/api/browser-camera").__enter__()
        self.say(**wishes)
        self.terms = self.hear()
        self.id = self.terms.get("camera", "")

    def say(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def hear(self, member: str | None = None) -> dict[str, Any]:
        """Return the next message, or the next that has this member."""
        while True:
            message: dict[str, Any] = json.loads(self.socket.recv(timeout=10))
            if member is None or member in message:
                return message

    def send(self, jpeg: bytes, at: float = 0.0) -> dict[str, Any]:
        self.socket.send(struct.pack(">d", at or time.time()) + jpeg)
        return self.hear("ack")

    def ends(self) -> tuple[dict[str, Any], int]:
        """Return the error that comes and the close code after it."""
        error = self.hear("error")["error"]
        with pytest.raises(ConnectionClosed) as closed:
            self.socket.recv(timeout=10)
        assert closed.value.rcvd is not None
        assert error["message"].startswith(closed.value.rcvd.reason)
        return error, closed.value.rcvd.code

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


JPEG = picture()


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.routes.browser_camera.TEND_SECONDS", 0.1)
    monkeypatch.setattr("dashboard.parts.SWEEP_SECONDS", 0.2)


@pytest.fixture
def balance(broker: Broker) -> Callable[[str], Balance]:
    return Mailbox(broker.scripts, JobQueue(broker.jobs)).balance


def ids(api: Api) -> list[str]:
    return [camera["id"] for camera in api.get("/api/cameras")["cameras"]]


def status(api: Api, camera: str) -> dict[str, Any]:
    return next(entry["status"] for entry in api.get("/api/cameras")["cameras"] if entry["id"] == camera)


def test_its_pictures_become_results_like_those_of_any_camera(
    api: Api, broker: Broker, balance: Callable[[str], Balance]
) -> None:
    with Worker(broker), Browser(api, name="My phone", fps=4, attributes="smile") as browser:
        assert browser.terms == {"camera": "my-phone", "fps": 4, "paused": False}
        camera = api.get("/api/cameras")["cameras"][0]
        assert (camera["url"], camera["attributes"]) == ("browser:My phone", ["SMILE"])
        assert browser.send(JPEG) == {"ack": 1, "offered": "enqueued"}
        result = until(lambda: api.get("/api/results", camera="my-phone")["results"])[0]
        assert (result["width"], result["height"]) == (320, 240)
        assert abs(result["age_seconds"] - sum(result["stages"].values())) < 0.3
        assert api.http.get("/api/cameras/my-phone/frame.jpg").content == JPEG
        until(lambda: status(api, "my-phone")["state"] == "live")
        now = status(api, "my-phone")
        assert (now["width"], now["height"], now["codec"], now["message"]) == (320, 240, "jpeg", "")
        assert now["capture_fps"] > 0
        assert balance("my-phone") == Balance(sampled=1, analysed=1)


def test_who_watches_sees_its_pictures_at_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten a second at most; nobody who watches costs nothing."""
    monkeypatch.setattr("dashboard.browser_camera.PREVIEWS_PER_SECOND", 0.001)
    with Browser(api, name="a") as browser, viewing(api, a="preview") as viewer:
        until(lambda: browser.send(JPEG) and (shown := _shown(viewer)) and shown == [("preview", JPEG)])
        browser.send(JPEG)
        assert _shown(viewer) == []


def _shown(viewer: Viewing) -> list[tuple[str, bytes]]:
    """Return what came for a viewer within a moment."""
    found = []
    with suppress(TimeoutError):
        while True:
            shown = viewer.next(0.2)
            found.append((shown.kind, shown.jpeg))
    return found


def test_the_newest_picture_wins_and_each_is_accounted_for(api: Api, balance: Callable[[str], Balance]) -> None:
    """Replaced, refused, and skipped before they were sent: sampled is the sum, before and after the settling."""
    with Browser(api) as browser:
        offered = [browser.send(jpeg)["offered"] for jpeg in (JPEG, JPEG, JPEG[:-40], b"GIF89a", picture(width=60))]
        assert offered == ["enqueued", "replaced", "refused", "refused", "refused"]
        browser.say(dropped=3)
        browser.say(dropped=10**9)
        until(lambda: balance("browser").sampled == 1008)
        lost = {"picture": 3, "late": 1003}
        assert balance("browser") == Balance(sampled=1008, superseded=1, in_flight=1, dropped=lost)
        assert browser.send(JPEG)["offered"] == "replaced"
        assert balance("browser").adds_up
        assert balance("browser").superseded == 2


def test_a_refused_picture_is_answered_with_the_sentence(api: Api) -> None:
    bomb = bytearray(JPEG)
    place = bomb.index(b"\xff\xc0")
    bomb[place + 5 : place + 9] = struct.pack(">HH", 9000, 9000)
    with Browser(api) as browser:
        said = [browser.send(jpeg)["message"] for jpeg in (b"", bytes(bomb), JPEG + bytes(1_500_000), picture(width=60))]
    assert said == [
        "a message has to be 8 bytes of time and a JPEG: this is none",
        "the picture is 9000 x 9000 pixels, each side may have 4096 at most",
        f"the JPEG has {len(JPEG) + 1_500_000:,} bytes, a browser may send 1,500,000: send a smaller one",
        "the picture is 60 x 240 pixels, each side has to be 80 at least",
    ]


def test_a_wrong_clock_makes_no_picture_from_the_future_or_of_yesterday(api: Api, broker: Broker) -> None:
    lies = [math.nan, math.inf, -1e300, 1e9, 4e9]
    with Worker(broker) as worker, Browser(api) as browser:
        for served, lie in enumerate(lies, start=1):
            browser.send(JPEG, lie)
            worker.wait_for(served)
        results = until(lambda: len(found := api.get("/api/results", camera="browser")["results"]) == len(lies) and found)
        assert all(0 <= result["age_seconds"] < 11 for result in results)


def test_the_browser_learns_the_servers_clock(api: Api) -> None:
    with Browser(api) as browser:
        before = time.time()
        browser.say(ping=17)
        answer = browser.hear("pong")
        assert answer["pong"] == 17
        assert before - 1 < answer["now"] < time.time() + 1


def test_when_the_socket_ends_nothing_of_the_camera_is_left(
    api: Api, broker: Broker, balance: Callable[[str], Balance]
) -> None:
    with Browser(api, name="a") as browser:
        browser.send(JPEG)
        browser.socket.socket.close()  # as a phone that is switched off: no farewell
    until(lambda: ids(api) == [])
    until(lambda: balance("a") == Balance(sampled=1, dropped={"removed": 1}))
    left = {name.decode() for name in broker.scripts.keys("*:a")}
    assert left <= {keys.counts("a"), keys.fence("a")}


def test_what_a_worker_still_held_is_dropped_soon_after(
    api: Api, broker: Broker, monkeypatch: pytest.MonkeyPatch, balance: Callable[[str], Balance]
) -> None:
    """A picture that was analysed after its camera had gone is not kept for a minute."""
    monkeypatch.setattr("dashboard.browser_camera.SWEEP_SECONDS", 0.5)
    with Browser(api, name="a") as browser:
        browser.send(JPEG)
        token = broker.scripts.hget(keys.box("a"), "token").decode()  # type: ignore[union-attr]
        mailbox = Mailbox(broker.scripts, JobQueue(broker.jobs))
        taken = mailbox.take("a", token)
    until(lambda: ids(api) == [])
    assert taken
    mailbox.finish(taken, "analysed", {"seq": 1, "captured_at": 1.0, "width": 1, "height": 1})
    assert broker.scripts.exists(keys.newest("a"))
    until(lambda: not broker.scripts.exists(keys.newest("a")))


def test_two_pages_are_two_cameras_and_a_third_may_be_too_many(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.browser_camera.MOST_CAMERAS", 2)
    with Browser(api) as one, Browser(api) as two:
        assert [one.id, two.id] == ["browser", "browser-2"]
        with Browser(api) as three:
            assert three.terms["error"]["code"] == "Busy"
        two.socket.close()
        until(lambda: ids(api) == ["browser"])
        with Browser(api) as three:
            assert three.id == "browser-2"


def test_a_page_that_lost_its_connection_takes_its_camera_over(api: Api, balance: Callable[[str], Balance]) -> None:
    """The new socket has the name at once; the old one, should it still live, is told."""
    with Browser(api, name="a", key="k1") as old:
        old.send(JPEG)
        with Browser(api, name="a", key="k1") as new:
            assert new.id == "a"
            assert old.ends()[0] == {"code": "CameraOver", "message": "camera 'a' has ended here: connect again"}
            assert new.send(JPEG)["offered"] == "enqueued"
            assert balance("a").adds_up
            assert balance("a").sampled == 2


def test_people_pause_change_and_remove_it(api: Api) -> None:
    with Browser(api, name="a") as browser:
        assert api.http.patch("/api/cameras/a", json={"paused": True, "fps": 60}).status_code == 200
        assert browser.hear("paused") == {"camera": "a", "fps": 25, "paused": True}
        assert browser.send(JPEG)["offered"] == "paused"
        until(lambda: status(api, "a")["state"] == "off")
        api.http.patch("/api/cameras/a", json={"paused": False})
        assert browser.hear("paused")["paused"] is False
        for member, value in (("url", "demo"), ("policy", "every"), ("preview_url", "demo")):
            answer = api.http.patch("/api/cameras/a", json={member: value})
            assert answer.status_code == 422
            assert (
                answer.json()["error"]["message"] == f"{member} of camera 'a' cannot change: its pictures come from a browser"
            )
        assert api.http.delete("/api/cameras/a").status_code == 204
        assert browser.ends() == ({"code": "CameraRemoved", "message": "camera 'a' was removed"}, 1008)
    assert ids(api) == []


def test_another_camera_may_take_the_name_of_one_that_was_removed(api: Api) -> None:
    with Browser(api, name="a") as browser:
        api.http.delete("/api/cameras/a")
        api.http.post("/api/cameras", json={"id": "a", "url": "rtsp://10.0.0.7/a"})
        browser.ends()
    assert [camera["url"] for camera in api.get("/api/cameras")["cameras"]] == ["rtsp://10.0.0.7/a"]


def test_only_the_socket_makes_such_cameras(api: Api) -> None:
    answer = api.http.post("/api/cameras", json={"url": "browser:x"})
    assert answer.status_code == 422
    assert "it adds itself on the page /camera" in answer.json()["error"]["message"]


def test_a_silent_browser_stalls_and_says_why(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.browser_status.STALLED_SECONDS", 0.3)
    with Browser(api, name="a") as browser:
        browser.send(JPEG)
        until(lambda: status(api, "a")["state"] == "stalled")
        assert "no picture for" in status(api, "a")["message"]
        browser.say(hidden=True)
        until(lambda: status(api, "a")["message"] == "the page of this camera is hidden: bring its tab to the front")
        assert status(api, "a")["stalls"] == 1


FIRST_FAULTS: list[tuple[str | bytes, str]] = [
    ("no json", "a message is not JSON: 'no json'"),
    ("[1]", 'the first message has to be a JSON object, for example {"name": "my phone"}'),
    (b"12", "the first message has to be text, not bytes"),
    ("[" * 4000, "a message is not JSON: " + repr("[" * 80)),
    ('{"name": "' + "a" * 41 + '"}', f"name {'a' * 40!r} cannot be used: write up to 40 characters"),
    ('{"name": "a\\u0000"}', "name 'a\\x00' cannot be used: write up to 40 characters"),
    ('{"fps": 26}', "fps 26: a browser sends 25 pictures a second at most"),
    ('{"fps": "many"}', "fps 'many': write how many frames a second, for example 5"),
    ('{"attributes": "nose"}', "attributes 'nose': there is no attribute 'nose': choose among "),
    ('{"key": "\\ud800"}', "key cannot be used: send up to 64 characters that nobody else can guess"),
    ('{"key": 7}', "key cannot be used: send up to 64 characters that nobody else can guess"),
]
LATER_FAULTS = [
    ('"words"', "a message has to be a JSON object, or bytes"),
    ('{"dropped": -1}', "dropped -1 is not a number of frames"),
    ('{"dropped": true}', "dropped True is not a number of frames"),
    (" " * 5000, "a message of 5000 characters is too long: 4096 are taken"),
]


def test_a_first_message_that_cannot_be_used_is_answered_with_a_sentence(api: Api) -> None:
    for message, sentence in FIRST_FAULTS:
        with connect(api.url.replace("http", "ws") + "/api/browser-camera") as socket:
            socket.send(message)
            said = json.loads(socket.recv(timeout=10))["error"]
            assert said["code"] == "SettingsError"
            assert said["message"].startswith(sentence)
            with pytest.raises(ConnectionClosed):
                socket.recv(timeout=10)
    assert ids(api) == []


def test_a_later_message_that_cannot_be_used_ends_the_socket(api: Api) -> None:
    for message, sentence in LATER_FAULTS:
        with Browser(api) as browser:
            browser.socket.send(message)
            assert browser.ends() == ({"code": "SettingsError", "message": sentence}, 1008)
    until(lambda: ids(api) == [])


def test_more_than_thirty_messages_a_second_end_the_socket(api: Api) -> None:
    with Browser(api) as browser:
        for _ in range(60):
            browser.say(ping=0)
        assert "more than 30 messages a second" in browser.ends()[0]["message"]


def test_a_message_of_megabytes_is_not_even_taken(api: Api) -> None:
    with Browser(api) as browser, pytest.raises(ConnectionClosed) as closed:
        browser.send(bytes(3_000_000))
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


def test_a_page_of_another_origin_is_refused(api: Api) -> None:
    address = api.url.replace("http", "ws") + "/api/browser-camera"
    with pytest.raises(InvalidStatus) as refused, connect(address, origin=Origin("https://evil.example")):
        pass
    assert refused.value.response.status_code == 403


def test_it_comes_back_into_a_redis_that_was_emptied(api: Api, broker: Broker, balance: Callable[[str], Balance]) -> None:
    """By its own doing and under its name; once it has ended, nobody puts it back."""
    with Browser(api, name="a") as browser:
        browser.send(JPEG)
        broker.scripts.flushall()
        until(lambda: ids(api) == ["a"])
        assert browser.send(JPEG)["offered"] in ("enqueued", "replaced")
        assert balance("a").adds_up
    until(lambda: ids(api) == [])
    broker.scripts.flushall()
    until(lambda: broker.scripts.get(keys.CAMERAS_VERSION))  # the keeper has looked
    assert ids(api) == []


def test_pictures_that_come_while_redis_is_away_are_accounted_for(own_valkey: Valkey, settings: DashboardSettings) -> None:
    with dashboard(own_valkey.url, settings) as api, Browser(api, name="a") as browser:
        browser.send(JPEG)
        own_valkey.kill()
        assert [browser.send(JPEG)["offered"] for _ in range(3)] == ["away"] * 3
        own_valkey.start()
        broker = Broker(own_valkey.url)
        until(lambda: CameraRegistry(broker.scripts).all())
        assert browser.send(JPEG)["offered"] == "enqueued"
        count = Mailbox(broker.scripts, JobQueue(broker.jobs)).balance("a")
        assert count.adds_up
        assert (count.sampled, count.dropped["redis"]) == (4, 3)
        broker.close()


def leave_behind(broker: Broker, name: str, key: str = "") -> None:
    """Leave what a dashboard leaves that was killed while a browser was connected."""
    camera = BrowserCameras(broker, RedisClock(broker.scripts), CameraDefaults()).admit(Wishes(name, key))
    camera.offer(struct.pack(">d", time.time()) + JPEG)


def test_what_a_killed_dashboard_left_behind_goes_with_its_lease(
    broker: Broker, session_valkey: Valkey, settings: DashboardSettings, balance: Callable[[str], Balance]
) -> None:
    leave_behind(broker, "a")
    with dashboard(session_valkey.url, settings) as api:
        assert ids(api) == ["a"]
        with Browser(api, name="a") as browser:  # another page has to take another name
            assert browser.id == "a-2"
            broker.scripts.delete(keys.lease("a"))  # four seconds later
            until(lambda: ids(api) == ["a-2"])
            assert balance("a").in_flight == 0
            assert balance("a").adds_up


def test_a_page_finds_its_camera_again_that_a_killed_dashboard_left_behind(
    broker: Broker, session_valkey: Valkey, settings: DashboardSettings, balance: Callable[[str], Balance]
) -> None:
    leave_behind(broker, "a", "k1")
    with dashboard(session_valkey.url, settings) as api, Browser(api, name="a", key="k1", fps=2) as browser:
        assert browser.terms == {"camera": "a", "fps": 2, "paused": False}
        assert browser.send(JPEG)["offered"] == "replaced"
        assert ids(api) == ["a"]
        assert balance("a") == Balance(sampled=2, superseded=1, in_flight=1)
        assert "k1" not in str(broker.scripts.hgetall(keys.lease("a")))


def test_a_dashboard_that_is_stopped_takes_its_browsers_with_it(
    broker: Broker, session_valkey: Valkey, settings: DashboardSettings
) -> None:
    with dashboard(session_valkey.url, settings) as api:
        browser = Browser(api, name="a")
    with pytest.raises(ConnectionClosed):
        browser.hear("ack")
    assert CameraRegistry(broker.scripts).all() == []
    assert not broker.scripts.exists(keys.lease("a"))


def test_a_dashboard_whose_lease_went_to_another_lets_go(api: Api, broker: Broker) -> None:
    registry = CameraRegistry(broker.scripts)
    with Browser(api, name="a") as browser:
        owner = broker.scripts.hget(keys.lease("a"), "owner")
        assert owner
        broker.scripts.delete(keys.lease("a"))
        assert registry.lease("a", "somebody", 60)
        assert "another browser's" in browser.ends()[0]["message"]
    assert ids(api) == ["a"]  # it is the other's now: not ours to remove


def test_producers_leave_browsers_alone(api: Api, broker: Broker, session_valkey: Valkey) -> None:
    fleet = Fleet(CameraRegistry(broker.scripts), FleetSettings(session_valkey.url))
    with Browser(api, name="a"):
        fleet.tend()
        assert fleet.processes == {}
        assert export(api.get("/api/cameras")["cameras"]) == "cameras: {}\n"
    fleet.close()


def test_sixteen_browsers_at_once_disturb_nobody(api: Api, balance: Callable[[str], Balance]) -> None:
    """All are heard at the same time, and every picture of each is counted."""
    browsers = [Browser(api, name=f"b{number}") for number in range(16)]
    threads = [threading.Thread(target=lambda b=browser: [b.send(JPEG) for _ in range(10)]) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(balance(browser.id).sampled == 10 and balance(browser.id).adds_up for browser in browsers)
    for browser in browsers:
        browser.socket.close()
    until(lambda: ids(api) == [])
