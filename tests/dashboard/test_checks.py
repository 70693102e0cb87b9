"""Sources are checked by a producer, wherever it runs; the dashboard opens none."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator

import pytest

from pipeline.broker import Broker
from pipeline.checks import MOST_WAITING, Checks, SourceCheck
from pipeline.presence import Presence, living
from tests.dashboard.support import Api, until
from tests.dashboard.test_cameras import SECRET, URL, add, refusal

PATH = "/api/cameras/check"


class Looker:
    """A producer that finds the same everywhere, and remembers what it was asked."""

    def __init__(self, broker: Broker) -> None:
        self.urls: list[str] = []
        self._checks = Checks(broker)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            if request := self._checks.take(0.1):
                self.urls.append(request.url)
                self._checks.answer(request, SourceCheck(True, "H.264, 640 x 360", 640, 360, 24.9, (31, 33), b"jpeg"))


@pytest.fixture
def producer(broker: Broker) -> Iterator[None]:
    """A producer that is there, whether it looks or not."""
    presence = Presence(broker.scripts, "producer", "1")
    presence.start()
    until(lambda: living(broker.scripts, "producer"))
    yield
    presence.stop()


@pytest.fixture
def looker(producer: None, broker: Broker) -> Iterator[Looker]:
    looker = Looker(broker)
    yield looker
    looker.close()


def test_a_source_is_checked_where_the_cameras_are(api: Api, looker: Looker) -> None:
    """What the producer found is the answer; nothing is added."""
    answer = api.http.post(PATH, json={"url": URL})
    assert answer.json() == {
        "ok": True,
        "sentence": "H.264, 640 x 360",
        "width": 640,
        "height": 360,
        "fps": 24.9,
        "faces": [31, 33],
        "picture": base64.b64encode(b"jpeg").decode(),
    }
    assert looker.urls == [URL]
    assert api.get("/api/cameras")["cameras"] == []


def test_a_hidden_password_is_that_of_the_camera(api: Api, looker: Looker) -> None:
    """With the camera's id, the URL that the API shows can be checked; elsewhere it stays unknown."""
    shown = add(api, id="door", url=URL)
    other = str(shown["url"]).replace("main", "sub")
    assert api.http.post(PATH, json={"url": other, "id": "door"}).status_code == 200
    assert looker.urls == [URL.replace("main", "sub")]
    assert "hides a secret" in refusal(api, 422, path=PATH, url="rtsp://admin:***@10.6.6.6/main", id="door")
    assert "***" in refusal(api, 422, path=PATH, url=shown["url"])


def test_a_url_that_can_be_none_is_refused_at_once(api: Api, looker: Looker) -> None:
    """By the sentence that adding it would bring."""
    assert "starts with gopher://" in refusal(api, 422, path=PATH, url="gopher://x/y")
    assert "url is missing" in refusal(api, 422, path=PATH)
    assert looker.urls == []


def test_without_a_producer_it_says_so(api: Api) -> None:
    """Nobody waits for one that is not there."""
    assert "rekstream produce" in refusal(api, 503, path=PATH, url="demo")


def test_only_some_wait(api: Api, producer: None, broker: Broker) -> None:
    """The list is bounded; who is beyond is told to come back."""
    checks = Checks(broker)
    waiting = [threading.Thread(target=checks.ask, args=("demo", 30.0)) for _ in range(MOST_WAITING)]
    for thread in waiting:
        thread.start()
    until(lambda: broker.scripts.llen("rekstream:checks") == MOST_WAITING)
    assert "already" in refusal(api, 503, path=PATH, url="demo")
    while request := checks.take(0.1):
        checks.answer(request, SourceCheck(ok=False, sentence="no"))
    for thread in waiting:
        thread.join()


def test_a_producer_without_time_is_told(api: Api, producer: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer says that nobody looked."""
    monkeypatch.setattr("dashboard.checks.REQUEST_SECONDS", 0.2)
    assert "within 0.2 s" in refusal(api, 504, path=PATH, url="demo")


def test_the_cameras_are_exported_without_their_passwords(api: Api) -> None:
    """As a file that `rekstream up` reads, with the variables that it needs named first."""
    add(api, id="door", url=URL, preview_url="http://10.0.0.7/low?token=abc", fps=2)
    answer = api.http.get("/api/cameras.yml")
    assert answer.headers["content-disposition"] == 'attachment; filename="rekstream.yml"'
    assert SECRET not in answer.text
    assert answer.text == (
        "# set DOOR_PASSWORD in the environment\n"
        "# set DOOR_PREVIEW_PASSWORD in the environment\n"
        "cameras:\n"
        "  door:\n"
        "    url: rtsp://admin:${DOOR_PASSWORD}@10.0.0.7:554/main\n"
        "    preview_url: http://10.0.0.7/low?token=${DOOR_PREVIEW_PASSWORD}\n"
        "    fps: 2.0\n"
        "    attributes:\n"
        "    - all\n"
        "    gate: 'off'\n"
    )
