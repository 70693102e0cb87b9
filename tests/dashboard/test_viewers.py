"""The smooth picture: who watches gets the newest, at most as fast as it can take it; who does not, costs nothing."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from contextlib import suppress
from itertools import pairwise

import pytest
from websockets.exceptions import ConnectionClosed

from dashboard.settings import DashboardSettings
from dashboard.viewers import Mode, Viewer
from pipeline import keys
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.entities import Preview
from pipeline.previews import MOST_BYTES, pack
from pipeline.results import Results
from tests.conftest import Valkey
from tests.dashboard.support import Api, Producer, Worker, camera, dashboard, picture, put_cameras, until
from tests.dashboard.watching import SMALL, Showing, viewing

PHOTO = picture()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.viewers.NO_PREVIEW_SECONDS", 0.3)


def analyse(broker: Broker, name: str) -> str:
    """Let one frame of a camera be analysed, and return its result's id."""
    Producer(broker, name).offer(PHOTO)
    assert Worker(broker).serve_next()
    return Results(broker.scripts).last_id()


# --- who gets what ---


def test_a_viewer_gets_the_previews_of_the_cameras_that_it_watches(api: Api, broker: Broker) -> None:
    """As they come, with the header that the docs show; of other cameras nothing is asked."""
    put_cameras(broker, camera("a"), camera("b"))
    door, yard = Showing(broker, "a"), Showing(broker, "b")
    with viewing(api, a="preview") as viewer:
        door.wait_until_watched()
        assert (door.publish(), yard.publish()) == (1, 0)
        shown = viewer.next()
        assert sorted(shown.header) == ["camera", "captured_at", "height", "kind", "width"]
        assert (shown.kind, shown.camera, shown.header["width"], shown.header["height"]) == ("preview", "a", 320, 180)
        assert shown.jpeg == SMALL
        assert abs(shown.header["captured_at"] - viewer.ask(ping=1)["now"]) < 1
        viewer.watch(b="preview")
        yard.wait_until_watched()
        door.wait_until_watched(False)
        yard.publish()
        assert viewer.next().camera == "b"


def test_a_viewer_gets_no_more_previews_than_it_asks_for(api: Api, broker: Broker) -> None:
    """A wall of cameras does not need all of them; analysed pictures come as ever."""
    put_cameras(broker, camera("a"))
    door, began = Showing(broker, "a"), time.time()
    with viewing(api) as viewer:
        viewer.say(rate=2.5)
        viewer.watch(a="preview")
        door.wait_until_watched()
        for tenth in range(21):
            door.publisher.publish(Preview("a", began + tenth / 10, 320, 180, SMALL))
        moments = [viewer.next().header["captured_at"]]
        while moments[-1] < began + 1.95:
            moments.append(viewer.next().header["captured_at"])
        assert min(later - earlier for earlier, later in pairwise(moments)) > 0.35


def test_two_viewers_share_one_subscription(api: Api, broker: Broker) -> None:
    """Redis sends each preview once; when one viewer leaves the other goes on, when both have left nobody listens."""
    put_cameras(broker, camera("a"))
    door = Showing(broker, "a")
    with viewing(api, a="preview") as first:
        with viewing(api, a="preview") as second:
            door.wait_until_watched()
            until(lambda: second.ask(ping=0))
            assert door.publish() == 1
            assert first.next().jpeg == second.next().jpeg == SMALL
        assert door.publish() == 1
        assert first.next().kind == "preview"
    left = time.monotonic()
    door.wait_until_watched(False)
    assert time.monotonic() - left < 5


def test_the_newest_analysed_frame_comes_at_once(api: Api, broker: Broker) -> None:
    """Whoever begins to watch sees what there is, with its age and the id of its result."""
    put_cameras(broker, camera("a"))
    result = analyse(broker, "a")
    for mode in ("preview", "frame"):
        with viewing(api, a=mode) as viewer:
            shown = viewer.next()
            assert (shown.kind, shown.header["result_id"], shown.jpeg) == ("frame", result, PHOTO)
            assert (shown.header["width"], shown.header["height"]) == (1280, 720)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The cameras whose newest analysed frame was read from Redis, once for each time."""
    looks: list[str] = []
    read = Results.newest_frame
    monkeypatch.setattr(Results, "newest_frame", lambda self, name: looks.append(name) or read(self, name))
    return looks


def test_frames_are_read_once_for_all_viewers(looks: list[str], api: Api, broker: Broker) -> None:
    """Three viewers of a camera cost one look into Redis a result."""
    put_cameras(broker, camera("a"))
    with viewing(api, a="frame") as one, viewing(api, a="frame") as two, viewing(api, a="frame") as three:
        for viewer in (one, two, three):
            viewer.ask(ping=0)
        until(lambda: looks)
        looks.clear()
        result = analyse(broker, "a")
        assert {viewer.next_where(lambda shown: shown.kind == "frame").header["result_id"] for viewer in (one, two, three)} == {
            result
        }
    assert looks == ["a"]


def test_analysed_frames_stand_in_for_previews_that_do_not_come(api: Api, broker: Broker) -> None:
    """While previews come there are no frames between them; a while after the last one there are."""
    put_cameras(broker, camera("a"))
    door = Showing(broker, "a")
    with viewing(api, a="preview") as viewer:
        door.wait_until_watched()
        door.publish()
        assert viewer.next().kind == "preview"
        skipped = analyse(broker, "a")
        until(lambda: api.get("/api/results")["next"] == skipped)
        door.publish()
        assert viewer.next().kind == "preview"
        threading.Event().wait(0.35)  # NO_PREVIEW_SECONDS, as set above
        result = analyse(broker, "a")
        assert viewer.next().header["result_id"] == result


def test_a_camera_that_is_added_later_is_shown_then(api: Api, broker: Broker) -> None:
    """Until then nothing is asked of Redis by its name."""
    put_cameras(broker, camera("a"))
    with viewing(api, a="preview", b="preview") as viewer:
        Showing(broker, "a").wait_until_watched()
        late = Showing(broker, "b")
        assert not late.is_watched()
        put_cameras(broker, camera("b"))
        late.wait_until_watched()
        late.publish()
        assert viewer.next().camera == "b"
        CameraRegistry(broker.scripts).remove("b")
        late.wait_until_watched(False)


# --- what may go wrong ---


def test_a_slow_viewer_gets_fewer_pictures_and_none_that_is_old(api: Api, broker: Broker) -> None:
    """It reads four pictures a second of forty; each is fresh, both cameras have their turn, and others get them all."""
    put_cameras(broker, camera("a"), camera("b"))
    showing = [Showing(broker, "a"), Showing(broker, "b")]
    large = SMALL + bytes(30_000)
    over = threading.Event()

    def publish() -> None:
        while not over.wait(0.05):
            for each in showing:
                each.publish(large)

    with viewing(api, buffer=8192, a="preview", b="preview") as slow, viewing(api, a="preview") as quick:
        for each in showing:
            each.wait_until_watched()
        publisher = threading.Thread(target=publish)
        publisher.start()
        seen, ages = [], []
        for _ in range(8):
            threading.Event().wait(0.25)  # a slow machine
            shown = slow.next()
            seen.append(shown)
            seconds, micros = broker.scripts.time()
            ages.append(seconds + micros / 1e6 - shown.header["captured_at"])
        fresh = [quick.next() for _ in range(20)]
        over.set()
        publisher.join()
    assert max(ages) < 1.5
    assert sorted({shown.camera for shown in seen[2:]}) == ["a", "b"]
    for name in ("a", "b"):
        moments = [shown.header["captured_at"] for shown in seen if shown.camera == name]
        assert moments == sorted(moments)
    assert [shown.camera for shown in fresh] == ["a"] * 20


def test_slots_hold_the_newest_and_the_longest_waiting_goes_first() -> None:
    """A busy camera cannot push a quiet one aside, and no picture is older than the one before it."""

    async def story() -> None:
        viewer = Viewer(lambda: 10.0)
        viewer.want({"a": Mode.PREVIEW, "b": Mode.PREVIEW})
        viewer.hand("a", 1.0, b"a1")
        viewer.hand("b", 1.0, b"b1")
        viewer.hand("a", 3.0, b"a3")
        viewer.hand("a", 2.0, b"a2")
        assert [await viewer.next(), await viewer.next()] == [b"a3", b"b1"]
        viewer.hand("b", 1.0, b"b1 again")
        viewer.hand("a", 4.0, b"a4")
        viewer.want({"b": Mode.FRAME})
        viewer.hand("b", 0.5, b"another kind of picture")
        assert await viewer.next() == b"another kind of picture"
        viewer.hand("b", 99.0, b"from before the clock was set back")
        viewer.hand("b", 9.0, b"now")
        assert await viewer.next() == b"now"

    asyncio.run(asyncio.wait_for(story(), 5))


def test_redis_comes_back(own_valkey: Valkey, settings: DashboardSettings) -> None:
    """After a restart previews go on to those who stayed."""
    broker = Broker(own_valkey.url)
    put_cameras(broker, camera("a"))
    with dashboard(own_valkey.url, settings) as api, viewing(api, a="preview") as viewer:
        door = Showing(broker, "a")
        door.wait_until_watched()
        door.publish()
        assert viewer.next().kind == "preview"
        own_valkey.kill()
        own_valkey.start()

        def is_shown() -> bool:
            door.publish()
            with suppress(TimeoutError):
                return viewer.next(0.1).kind == "preview"
            return False

        until(is_shown)  # once the list of cameras is back, too
    broker.close()


def test_what_is_no_preview_is_dropped(api: Api, broker: Broker) -> None:
    """Nothing that comes over the channel disturbs the pictures after it."""
    put_cameras(broker, camera("a"))
    door = Showing(broker, "a")
    about = {"camera": "a", "captured_at": 1.0, "width": 1, "height": 1}
    broken = (
        b"",
        b"\0\0\0\x02{}",
        b"\xff\xff\xff\xff{}",
        pack(about, b"no picture"),
        pack(about, SMALL + bytes(MOST_BYTES)),
        pack(about | {"camera": "b"}, SMALL),
        pack(about | {"width": None}, SMALL),
        pack(about | {"width": float("inf")}, SMALL),
        pack(about | {"captured_at": float("nan")}, SMALL),
        b"\0\0\x01\xff" + b"[" * 511 + SMALL,
        b"\0\0\0\x02[]" + SMALL,
        b"\0\0\0\x02{\xff" + SMALL,
    )
    with viewing(api, a="preview") as viewer:
        door.wait_until_watched()
        for message in broken:
            broker.scripts.publish(keys.preview("a"), message)
        door.publish()
        assert viewer.next().jpeg == SMALL


def test_too_large_a_preview_is_not_published(broker: Broker) -> None:
    """The bound is one sentence, and holds before Redis hears of it."""
    with pytest.raises(Exception, match="1,000,000 are the most"):
        Showing(broker, "a").publish(SMALL + bytes(MOST_BYTES))


NONSENSE: tuple[tuple[str | bytes, str], ...] = (
    ("[" * 5000, "is no JSON"),
    ("nonsense", "is no JSON"),
    (b"{}", "not bytes"),
    ("{}", "watch, rate, ping or painted"),
    ('{"hello": 1}', "watch, rate, ping or painted"),
    ('{"watch": ["a"]}', "watch is an object"),
    ('{"watch": {"a": "everything"}}', "watch is an object"),
    ('{"watch": {"a": ["preview"]}}', "watch is an object"),
    ('{"rate": 0}', "rate is"),
    ('{"rate": "all"}', "rate is"),
    ('{"rate": 1' + "0" * 400 + "}", "rate is"),
    ('{"ping": {}}', "ping is"),
    ('{"ping": NaN}', "ping is"),
    ('{"painted": {}}', "painted is a list"),
    ('{"painted": [{"camera": "a", "id": 5, "at": 1}]}', "painted holds"),
    ('{"painted": [3]}', "painted holds"),
    ('{"watch": {' + ",".join(f'"c{number}": "frame"' for number in range(501)) + "}}", "500 can"),
    ('{"ping": 1, "pad": "' + "x" * 70_000 + '"}', "too long"),
)


def test_a_message_that_nobody_understands_ends_the_socket(api: Api) -> None:
    """With 1008 and the reason in a sentence; the next viewer is served."""
    for message, reason in NONSENSE:
        with viewing(api) as viewer:
            viewer.connection.send(message)
            with pytest.raises(ConnectionClosed) as closed:
                viewer.next()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, reason in closed.value.rcvd.reason) == (1008, True), message[:40]
    with viewing(api) as viewer:
        assert viewer.ask(ping="\ud800")["pong"] == "\ud800"


def test_too_many_messages_end_the_socket(api: Api) -> None:
    """A hundred at once are taken, and fifty a second after them."""
    with viewing(api) as viewer, pytest.raises(ConnectionClosed) as closed:
        deque(iter(lambda: viewer.ask(ping=1), None), maxlen=0)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008
    assert "50 messages a second" in closed.value.rcvd.reason


def test_there_is_room_for_so_many_viewers_and_no_more(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes later is told to try again; who leaves makes room."""
    monkeypatch.setattr("dashboard.routes.live.MOST_VIEWERS", 1)
    monkeypatch.setattr("dashboard.viewers.MOST_VIEWERS", 1)
    with viewing(api) as first:
        first.ask(ping=1)
        with viewing(api) as second, pytest.raises(ConnectionClosed) as closed:
            second.next()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1013
    assert closed.value.rcvd.reason == "1 watch already: close one of them"
    until(lambda: _is_let_in(api))


def _is_let_in(api: Api) -> bool:
    try:
        with viewing(api) as viewer:
            return bool(viewer.ask(ping=1))
    except ConnectionClosed:
        return False


# --- how old it was when it was seen ---


def test_pages_tell_when_they_painted_a_result(api: Api, broker: Broker) -> None:
    """The age of its picture then is a figure of the last minute, per camera and in all, and a histogram."""
    put_cameras(broker, camera("a"), camera("b"))
    result = analyse(broker, "a")
    first = until(lambda: api.get("/api/results")["results"])[0]
    captured_at, published_at = first["captured_at"], first["published_at"]
    nothing = {"p50": None, "p95": None, "p99": None}
    assert api.get("/api/stats")["display"] == nothing
    with viewing(api) as viewer:
        now = viewer.ask(ping=1)["now"]
        viewer.ask(painted=[{"camera": "a", "id": result, "at": now}], ping=2)
        stats = api.get("/api/stats")
        assert stats["display"]["p95"] == pytest.approx(now - captured_at, abs=1e-5)
        assert stats["paint"]["p50"] == pytest.approx(now - published_at, abs=1e-5)
        assert stats["cameras"]["a"]["display"] == stats["display"]
        assert stats["cameras"]["b"]["display"] == nothing
        with viewing(api) as another:
            another.ask(painted=[{"camera": "a", "id": result, "at": now}], ping=2)
    assert 'rekstream_display_age_seconds_count{camera="a"} 2.0' in api.http.get("/metrics").text
    CameraRegistry(broker.scripts).remove("a")
    until(lambda: 'age_seconds_count{camera="a"}' not in api.http.get("/metrics").text)
    assert api.get("/api/stats")["display"] == nothing


def test_what_a_page_cannot_know_is_not_believed(api: Api, broker: Broker) -> None:
    """Before the result was out, from the future, another camera's, unknown, or told again: none of it counts."""
    put_cameras(broker, camera("a"))
    first, result = analyse(broker, "a"), analyse(broker, "a")
    published_at = until(lambda: len(found := api.get("/api/results")["results"]) == 2 and found)[-1]["published_at"]
    with viewing(api) as viewer:
        now = viewer.ask(ping=1)["now"]
        truth = {"camera": "a", "id": result, "at": now}
        lies = [
            truth | {"at": published_at - 1},
            truth | {"at": now + 60},
            truth | {"at": float("nan")},
            truth | {"at": 10**400},
            truth | {"camera": "b"},
            truth | {"id": "1-1"},
            truth | {"id": ""},
        ]
        viewer.ask(painted=[*lies, truth, truth, truth | {"id": first}], ping=2)
    assert 'rekstream_display_age_seconds_count{camera="a"} 1.0' in api.http.get("/metrics").text
