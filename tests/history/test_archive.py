"""What the history does with the archive: it shows the picture of a result, and erases what must not stay."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from history.archive import ArchivedPictures, erasures, spans_of
from history.process import HistoryProcess
from history.schema import results
from pipeline import keys
from pipeline.archive import Archive, ArchiveError, ArchiveSettings, Item
from pipeline.archives import open_archive
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.entities import Camera, Purpose
from pipeline.errors import StorageError, UnknownFrame
from pipeline.presence import Presence
from pipeline.requests import Requests
from pipeline.shared import Shared, SharedSettings
from pipeline.tracks import NUMBERS_A_SECOND, NUMBERS_SINCE, began_about
from tests.conftest import wait_until
from tests.history.support import face, history_process, publish, rows
from vision import tracks as vision_tracks

MORNING = 1_795_000_000.5
DAY = 86_400.0


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return open_archive(ArchiveSettings(folder=tmp_path / "frames"))


@pytest.fixture
def process(broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HistoryProcess]:
    """A history that does its chores about pictures when the test says so."""
    monkeypatch.setattr(ArchivedPictures, "chores", lambda _: ())
    with history_process(broker, tmp_path, archive=ArchiveSettings(folder=tmp_path / "frames"), keep=30 * DAY) as found:
        wait_until(lambda: broker.scripts.exists(keys.serving("history")))
        yield found


def room(process: HistoryProcess) -> ArchivedPictures:
    return next(room for room in process.rooms if isinstance(room, ArchivedPictures))


def put(
    archive: Archive, camera: str, at: float, result: str = "1-1", *, is_covered: bool = False, track: str | None = None
) -> Item:
    item = Item(camera, at, result)
    about = {"id": result, "Covered": is_covered, "FaceDetails": [{"Track": track}] if track else []}
    archive.write(item, b"picture", json.dumps(about).encode())
    return item


def forget(process: HistoryProcess, *tracks: str) -> None:
    with process.database.writing() as connection:
        room(process).forget(connection, "p", tracks)


def remaining(process: HistoryProcess, *tracks: str) -> dict[str, int]:
    with process.database.reading() as connection:
        return dict(room(process).remaining(connection, "p", tracks))


def ask(broker: Broker, camera: str, result: str) -> dict[str, Any]:
    return Requests(broker, "history").ask("history.frame", {"camera": camera, "id": result})


def test_the_picture_of_a_result_is_shown(broker: Broker, process: HistoryProcess, archive: Archive) -> None:
    first, second = publish(broker, "door", MORNING), publish(broker, "door", MORNING + 1)
    wait_until(lambda: len(rows(process, results)) == 2)
    put(archive, "door", MORNING, first)
    assert base64.b64decode(ask(broker, "door", first)["image"]) == b"picture"
    for camera, result in (("door", second), ("yard", first), ("../door", first), ("door", "x")):
        with pytest.raises(UnknownFrame, match="is archived"):
            ask(broker, camera, result)


def test_an_archive_that_is_away_is_not_asked_again_at_once(broker: Broker, process: HistoryProcess, tmp_path: Path) -> None:
    """The page asks for many pictures: they must not hold up other questions."""
    result = publish(broker, "door", MORNING)
    wait_until(lambda: len(rows(process, results)) == 1)
    (tmp_path / "frames").write_text("a file")
    for _ in range(2):
        with pytest.raises(StorageError, match="cannot be used"):
            ask(broker, "door", result)
        (tmp_path / "frames").unlink(missing_ok=True)
    assert room(process)._reading._value == 3


def test_in_privacy_only_a_covered_picture_is_shown(broker: Broker, process: HistoryProcess, archive: Archive) -> None:
    SharedSettings(broker.scripts).write(Shared("local", "us-east-1", privacy=True))
    bare, covered = publish(broker, "door", MORNING), publish(broker, "door", MORNING + 1)
    wait_until(lambda: len(rows(process, results)) == 2)
    put(archive, "door", MORNING, bare)
    put(archive, "door", MORNING + 1, covered, is_covered=True)
    assert ask(broker, "door", covered)["covered"] is True
    with pytest.raises(UnknownFrame, match="from before privacy"):
        ask(broker, "door", bare)


def test_without_an_archive_it_says_so(broker: Broker, tmp_path: Path) -> None:
    with history_process(broker, tmp_path) as process:
        wait_until(lambda: broker.scripts.exists(keys.serving("history")))
        with pytest.raises(UnknownFrame, match="start with --archive"):
            ask(broker, "door", "1-1")
        with process.database.writing() as connection:
            assert room(process).forget(connection, "p", ["door-1"]) == {}
            assert room(process).remaining(connection, "p", ["door-1"]) == {}


def test_forgetting_erases_what_was_taken_while_somebody_was_followed(
    broker: Broker, process: HistoryProcess, archive: Archive
) -> None:
    """Also the pictures between, in which nobody was found; not those of others, elsewhere or at another time."""
    for at in (MORNING, MORNING + 10):
        publish(broker, "door", at, [face("door-1")])
    publish(broker, "door", MORNING + 60, [face("door-2")])
    wait_until(lambda: len(rows(process, results)) == 3)
    for seconds in (0, 5, 10):
        put(archive, "door", MORNING + seconds)
    others = {put(archive, "door", MORNING + 60), put(archive, "yard", MORNING + 5)}
    assert remaining(process, "door-1") == {"archived pictures": 3}
    forget(process, "door-1")
    assert remaining(process, "door-1") == {"archived pictures": 3}  # no transaction waits for an archive
    assert room(process).settle() == {"archived pictures": 3}
    assert remaining(process, "door-1") == {"archived pictures": 0}
    assert {item for camera in ("door", "yard") for item in archive.items(camera)} == others


def test_a_picture_that_comes_late_is_erased_too(
    broker: Broker, process: HistoryProcess, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(broker, "door", MORNING, [face("door-1")])
    wait_until(lambda: len(rows(process, results)) == 1)
    forget(process, "door-1")
    room(process).settle()
    put(archive, "door", MORNING)
    room(process).erase_again()
    assert list(archive.items("door")) == []
    assert len(rows(process, erasures)) == 1
    monkeypatch.setattr(type(process.house.clock), "now", lambda _: MORNING + 30 * 365 * DAY)
    room(process).erase_again()
    assert rows(process, erasures) == []


def test_what_cannot_be_erased_is_said_and_is_erased_later(
    broker: Broker, process: HistoryProcess, archive: Archive, tmp_path: Path
) -> None:
    """No transaction waits for an archive: what else is known of somebody is forgotten."""
    publish(broker, "door", MORNING, [face("door-1")])
    wait_until(lambda: len(rows(process, results)) == 1)
    put(archive, "door", MORNING)
    (tmp_path / "frames").rename(tmp_path / "elsewhere")
    (tmp_path / "frames").write_text("a file")
    forget(process, "door-1")
    with pytest.raises(ArchiveError, match="cannot be used"):
        room(process).settle()
    assert [row["is_done"] for row in rows(process, erasures)] == [0]
    (tmp_path / "frames").unlink()
    (tmp_path / "elsewhere").rename(tmp_path / "frames")
    room(process).erase_again()
    assert remaining(process, "door-1") == {"archived pictures": 0}
    assert list(archive.items("door")) == []


def test_who_is_unknown_here_is_found_by_what_is_archived(process: HistoryProcess, archive: Archive) -> None:
    """As after a gap, or where the history is younger than the archive."""
    number = int((MORNING - NUMBERS_SINCE) * NUMBERS_A_SECOND)
    track = f"door-{number}"
    for seconds in (0, 30, 60):
        put(archive, "door", MORNING + seconds, track=track)
    between, later = put(archive, "door", MORNING + 45), put(archive, "door", MORNING + 90)
    forget(process, track, "door-7", "../x-9", "nobody")
    assert remaining(process, track) == {"archived pictures": 1}
    assert room(process).settle() == {"archived pictures": 4}
    assert list(archive.items("door")) == [later]
    assert between not in archive.found([between])


def test_workers_that_archive_elsewhere_are_told_of(broker: Broker, process: HistoryProcess) -> None:
    there = {"archive": {"place": "frames", "identity": "another folder of that name"}}
    presence = Presence(broker.scripts, "worker", "1", "", lambda: there)
    presence.start()
    wait_until(lambda: remaining(process, "door-1") == {"archived pictures": 0, "archives elsewhere": 1})
    presence.stop()


def test_tracks_are_numbered_as_it_is_written_here() -> None:
    assert (NUMBERS_SINCE, NUMBERS_A_SECOND) == (vision_tracks._EPOCH, vision_tracks._A_SECOND)
    assert began_about("front-door-10") == NUMBERS_SINCE + 1
    assert [began_about(track) for track in ("door", "door-x", "../door-1", "-1", "door-" + 20 * "1")] == [None] * 5


def test_a_show_of_which_nothing_may_stay_takes_its_pictures_along(process: HistoryProcess, archive: Archive) -> None:
    put(archive, "door", MORNING)
    later = put(archive, "door", MORNING + 60)
    with process.database.writing() as connection:
        room(process).erase(connection, "door", MORNING, MORNING + 60)
    assert room(process).settle() == {"archived pictures": 1}
    assert list(archive.items("door")) == [later]


def test_spans_of_tracks_that_touch_are_one(broker: Broker, process: HistoryProcess) -> None:
    for track, at in (("door-1", MORNING), ("door-2", MORNING + 3), ("door-3", MORNING + 60), ("yard-1", MORNING)):
        publish(broker, track.partition("-")[0], at, [face(track)])
    wait_until(lambda: len(rows(process, results)) == 4)
    with process.database.reading() as connection:
        found = spans_of(connection, ["door-1", "door-2", "door-3", "yard-1", "nobody"])
        assert connection.execute(select(results.c.camera)).scalars().first() == "door"
    assert found == [
        ("door", MORNING - 2, MORNING + 5), ("door", MORNING + 58, MORNING + 62), ("yard", MORNING - 2, MORNING + 2)
    ]  # fmt: skip


def test_what_is_old_goes_and_what_an_audience_left(broker: Broker, process: HistoryProcess, archive: Archive) -> None:
    now = process.house.clock.now()
    new, _ = put(archive, "door", now - 29 * DAY), put(archive, "door", now - 31 * DAY)
    put(archive, "hall", now)
    room(process).erase_old()
    assert list(archive.items("door")) == [new]
    CameraRegistry(broker.scripts).put([Camera("door", "demo", 5), Camera("hall", "demo", 5, purpose=Purpose.AUDIENCE)])
    room(process).erase_forbidden()
    assert list(archive.items("door")) == [new]
    assert list(archive.items("hall")) == []
