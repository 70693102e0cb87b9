"""The worst frames of the hour are the oldest ones, with their pictures; they go after an hour and with their camera."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from dashboard import worst
from dashboard.worst import GONE_SECONDS, HOUR, WorstFrames
from pipeline.broker import Broker
from pipeline.entities import Frame, Policy, Result, TakenFrame
from pipeline.jobs import QUEUE_KEY, JobQueue
from pipeline.ledger import Ledger
from pipeline.mailbox import Mailbox
from tests.dashboard.support import FACE, Api, camera, picture, put_cameras, until

T0 = 1_800_000_000.0


class Kept(WorstFrames):
    """The worst frames on a clock of the test's own, with pictures that name their result."""

    def __init__(self) -> None:
        self.time = T0
        self.asked: list[str] = []
        super().__init__(self._of, lambda: self.time)

    def came_out(self, camera_id: str, age: float, **changes: Any) -> str:
        """Let a result of this age come out now, and wait until it was looked at; return its id."""
        self.time += 0.01
        result_id = f"{int(self.time * 1000)}-0"
        result = Result(result_id, camera_id, 1, self.time - age, self.time, 1280, 720, "local", "tower:abc")
        self.add([replace(result, **changes)])
        self._arriving.join()
        return result_id

    def _of(self, _: str, result_id: str) -> bytes:
        self.asked.append(result_id)
        return f"picture of {result_id}".encode() * self.repeated

    repeated = 1


@pytest.fixture
def kept() -> Iterator[Kept]:
    frames = Kept()
    frames.start()
    yield frames
    frames.stop()


def ages(frames: list[worst.WorstFrame]) -> list[float]:
    return [round(frame.age_seconds, 3) for frame in frames]


def test_the_five_oldest_are_kept_and_the_oldest_of_each_camera(kept: Kept) -> None:
    for age in (0.4, 2.0, 0.9, 3.0, 0.5, 1.0, 0.8):
        kept.came_out("busy", age)
    kept.came_out("calm", 0.2)
    kept.came_out("calm", 0.1)
    assert ages(kept.overall()) == [3.0, 2.0, 1.0, 0.9, 0.8]
    assert [(frame.camera, round(frame.age_seconds, 3)) for frame in kept.by_camera()] == [("busy", 3.0), ("calm", 0.2)]


def test_a_picture_is_copied_only_of_what_is_kept(kept: Kept) -> None:
    old = [kept.came_out("a", 1.0 + number / 10) for number in range(5)]
    young = kept.came_out("a", 0.2)
    assert young not in kept.asked
    frame = kept.get(old[0])
    assert frame is not None
    assert frame.jpeg == f"picture of {old[0]}".encode()
    assert kept.get(young) is None


def test_after_an_hour_the_next_worst_takes_its_place(kept: Kept) -> None:
    kept.came_out("a", 9.0)
    kept.time += HOUR - 600
    later = kept.came_out("a", 0.7)
    assert ages(kept.overall()) == [9.0, 0.7]
    kept.time += 601
    assert [frame.id for frame in kept.overall()] == [later]
    assert ages(kept.by_camera()) == [0.7]


def test_no_picture_is_kept_for_longer_than_an_hour_though_nothing_new_comes(kept: Kept) -> None:
    """Also where Redis's clock was set back, and with it the end of the hour."""
    kept.came_out("a", 9.0)
    kept.time += HOUR - 1
    kept.expire()
    assert ages(kept.overall()) == [9.0]
    kept.time += 2
    kept.expire()
    assert kept._frames == {}
    kept.came_out("a", 9.0)
    kept.time -= 24 * HOUR
    assert kept.overall() == []
    kept.expire()
    assert kept._frames == {}


def test_failed_frames_and_photos_are_not_among_them(kept: Kept) -> None:
    kept.came_out("a", 5.0, error={"Code": "WorkerLost", "Message": ""})
    kept.came_out("photo-1", 5.0)
    assert kept.overall() == []


def test_the_frames_of_a_removed_camera_go_but_not_those_of_an_emptied_redis(kept: Kept) -> None:
    kept.came_out("a", 1.0)
    kept.keep_only({"a"})
    kept.keep_only(())
    kept.time += GONE_SECONDS - 1
    kept.keep_only(())
    kept.keep_only({"a"})
    kept.time += 2
    kept.keep_only(())
    assert ages(kept.overall()) == [1.0]
    kept.time += GONE_SECONDS + 1
    kept.keep_only(())
    assert kept.overall() == []
    assert kept._frames == {}


def test_memory_is_bounded_and_the_least_old_lose_their_pictures_first(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worst, "MOST_BYTES", 10_000)
    kept.repeated = 100
    for age in (1.0, 3.0, 2.0, 4.0, 5.0):
        kept.came_out("a", age)
    assert [frame.row["has_picture"] for frame in kept.overall()] == [True, True, True, False, False]
    assert sum(frame.size for frame in kept.overall()) <= 10_000
    monkeypatch.setattr(worst, "MOST_BYTES", 300)
    kept.came_out("a", 6.0)
    assert ages(kept.overall()) == [6.0]


def take_next(broker: Broker, mailbox: Mailbox) -> TakenFrame:
    """Take the next waiting frame as a worker does."""
    job: Any = broker.scripts.lpop(QUEUE_KEY)
    name, _, token = job.decode().rpartition("-")
    taken = mailbox.take(name, token)
    assert taken is not None
    return taken


def finish(mailbox: Mailbox, taken: TakenFrame) -> None:
    frame = taken.frame
    about = {"seq": taken.seq, "captured_at": frame.captured_at, "answered_at": taken.taken_at, "width": 320, "height": 240}
    result = {**about, "provider": "local", "worker": "tower:abc", "stages": {"service": 0.5}, "FaceDetails": [FACE]}
    mailbox.finish(taken, "analysed", result)


def test_the_worst_frame_has_its_picture_even_where_a_newer_one_was_ahead_of_it(api: Api, broker: Broker) -> None:
    """A frame that took long is often overtaken by those after it; its own picture is shown all the same."""
    put_cameras(broker, camera("a"))
    mailbox, ledger = Mailbox(broker.scripts, JobQueue(broker.jobs)), Ledger()
    seconds, micros = broker.scripts.time()
    pictures = [picture(width=320 + 8 * number) for number in range(2)]
    taken = []
    for number, jpeg in enumerate(pictures):
        statement = ledger.statement(ledger.sample())
        frame = Frame("a", statement.number, seconds + micros / 1e6 - 3 + number, jpeg, 320, 240)
        mailbox.offer(frame, statement, Policy.LATEST)
        taken.append(take_next(broker, mailbox))
    finish(mailbox, taken[1])
    until(lambda: len(api.get("/api/worst")["worst"]) == 1)
    finish(mailbox, taken[0])
    rows = until(lambda: (rows := api.get("/api/worst")["worst"]) and len(rows) == 2 and rows)
    assert rows[0]["age_seconds"] > rows[1]["age_seconds"] > 2
    assert (rows[0]["worker"], rows[0]["host"], rows[0]["faces"]) == ("tower:abc", "tower", 1)
    assert "FaceDetails" not in rows[0]
    for row, jpeg in zip(rows, pictures, strict=True):
        answer = api.http.get(f"/api/worst/{row['id']}/frame.jpg")
        assert (answer.content, answer.headers["Content-Type"]) == (jpeg, "image/jpeg")
        assert answer.headers["Cache-Control"] == "no-store"
    assert api.get(f"/api/worst/{rows[0]['id']}")["FaceDetails"] == [FACE]
    assert [row["id"] for row in api.get("/api/worst")["by_camera"]] == [rows[0]["id"]]


def test_what_is_not_kept_is_said_in_one_sentence(api: Api) -> None:
    answer = api.http.get("/api/worst/1-0/frame.jpg")
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "result '1-0' is not among the worst of the last hour"
