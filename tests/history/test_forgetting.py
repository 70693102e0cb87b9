"""Forgetting goes through the history: what it kept of somebody goes, is looked for, and is not written again."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from history.audience import stays
from history.corrections import corrections
from history.database import Database
from history.forgetting import Forgetting as Here
from history.forgetting import forgotten
from history.mirror import alerts, people, visits
from history.packing import unpacked
from history.portable import back_up, put_back
from history.rooms import TABLES
from history.schema import faces, minutes, results, tracks
from people.forgetting import Forgetting
from people.history_desk import HistoryDesk
from people.process import PeopleProcess
from people.register import Register
from pipeline.broker import Broker
from tests.conftest import wait_until
from tests.history.knowing import Both, both, know
from tests.history.support import face, history_process, publish, rows
from tests.people.seeing import Seeing
from tests.people.support import people_process


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("history.mirror.FOLLOW_SECONDS", 0.05)
    monkeypatch.setattr("people.follower.BLOCK_SECONDS", 0.05)


@pytest.fixture
def home(broker: Broker, tmp_path: Path) -> Iterator[Both]:
    with both(broker, tmp_path, keep=0.0) as found:
        yield found


@pytest.fixture
def either(broker: Broker, tmp_path: Path, url: str) -> Iterator[Both]:
    with both(broker, tmp_path, database=url) as found:
        yield found


def traces(home: Both, *words: str) -> list[str]:
    """Return the tables in which one of these words stands."""
    tables = (results, faces, tracks, minutes, people, visits, alerts, corrections)
    told = {
        table.name: str(
            [
                {**row, "response": unpacked(row["response"])} if row.get("response") else row
                for row in rows(home.history, table)
            ]
        )
        for table in tables
    }
    return [name for name, text in told.items() if any(word in text for word in words)]


def seen_and_named(home: Both) -> str:
    """Let Grace be seen with a stranger, and a stranger alone; a day of hers is corrected."""
    grace = home.know("Grace Hopper", "f1")
    for at in range(-30, -26):
        home.seeing.frame(at, "door-1", "door-2")
        home.seeing.frame(at, "yard-3", camera="yard")
    home.seeing.search(-29, "door-1", f1=99.5)
    wait_until(
        lambda: "visits" in traces(home, grace) and "tracks" in traces(home, grace) and len(rows(home.history, results)) == 9
    )
    home.ask("history.correct", person=grace, day=time.strftime("%Y-%m-%d"), changes={"excused": "ill"})
    return grace


def test_the_proof_has_what_the_history_removed_and_found(either: Both) -> None:
    home = either
    grace = seen_and_named(home)
    assert {"faces", "tracks", "people", "visits", "corrections"} <= set(traces(home, grace, "door-1'"))
    done = home.ask("people.forget", person="Grace Hopper")
    assert done["unfinished"] == []
    removed = {what: done["removed"][f"history {what}"] for what in ("faces", "responses", "corrections")}
    assert removed == {"faces": 4, "responses": 4, "corrections": 1}  # names and visits may have gone with the mirror before
    assert {what: count for what, count in done["remaining"].items() if what.startswith("history") and count} == {}
    assert "history visits" in done["remaining"]
    assert traces(home, grace, "Grace") == []
    assert {row["track"] for row in rows(home.history, faces)} == {"door-2", "yard-3"}
    assert [row["faces"] for row in rows(home.history, minutes)] != []  # how many faces there were tells of nobody
    for path in home.people.house.settings.data.glob("*.sqlite*"):
        assert grace.encode() not in path.read_bytes(), path


def test_what_is_older_than_people_keeps_is_forgotten_too(home: Both) -> None:
    """The history knows tracks of a person that people.sqlite knows no more."""
    grace = home.know("Grace Hopper", "f1")
    publish(home.broker, at=1000.0, faces=[face("door-1")])
    wait_until(lambda: rows(home.history, tracks) and rows(home.history, people))
    with home.history.database.writing() as connection:
        connection.execute(tracks.update().values(person=grace))
    assert home.ask("history.remaining", person=grace, tracks=[])["remaining"]["faces"] == 1
    done = home.ask("people.forget", person=grace)
    assert (done["removed"]["history faces"], done["remaining"]["history faces"]) == (1, 0)
    assert rows(home.history, faces) == []


def test_a_result_that_was_on_its_way_is_forgotten_when_it_comes(home: Both) -> None:
    home.ask("history.forget", person="p_1", tracks=["door-1"])
    publish(home.broker, at=time.time() - 1, faces=[face("door-1"), face("door-2")])
    wait_until(lambda: [row["track"] for row in rows(home.history, faces)] == ["door-2"])
    assert traces(home, "'Track': 'door-1'") == []
    later = publish(home.broker, at=time.time() + 5, faces=[face("door-1")])  # who stays is seen on, as nobody
    wait_until(lambda: later in str(rows(home.history, results)))
    assert [row["track"] for row in rows(home.history, faces)] == ["door-2", "door-1"]


def test_without_a_history_process_forgetting_says_so_and_is_done_when_it_is_back(broker: Broker, tmp_path: Path) -> None:
    with people_process(broker, tmp_path) as process:
        desk = next(room for room in process.rooms if isinstance(room, HistoryDesk))
        assert desk.forget_there("p_1", []).why == "", "no history was ever here: there is nothing to say"
        grace = know(process, "Grace Hopper", "f1")
        with history_process(broker, tmp_path) as history:
            seeing = Seeing(broker)
            seeing.stay("door-1", -30, -26)
            seeing.search(-29, "door-1", f1=99.5)
            wait_until(lambda: [row["person"] for row in rows(history, visits)] == [grace] and _names(history) == [grace])
        done: dict[str, Any] = _forget(process, grace)
        (why,) = done["unfinished"]
        assert why.startswith(
            "the history has not forgotten yet, and does as soon as it can (the history process is not running"
        )
        assert done["remaining"]["visits"] == 0
        desk.finish()
        with history_process(broker, tmp_path) as history:
            assert [row["person"] for row in rows(history, visits)] in ([grace], [])
            wait_until(lambda: _finished(desk))
            assert rows(history, visits) == []
            assert rows(history, people) == []
            assert rows(history, faces) == []
        for path in tmp_path.glob("*.sqlite*"):
            assert grace.encode() not in path.read_bytes(), path


def _names(history: Any) -> list[str | None]:
    return [row["person"] for row in rows(history, tracks)]


def _forget(process: PeopleProcess, person: str) -> dict[str, Any]:
    room = next(room for room in process.rooms if isinstance(room, Forgetting))
    register = next(room for room in process.rooms if isinstance(room, Register))
    done: dict[str, Any] = json.loads(json.dumps(room.forget_person(register.find(person), "a test")))
    return done


def _finished(desk: HistoryDesk) -> bool:
    desk.finish()
    return not desk.house.database.rows("SELECT 1 FROM history_leftovers")


def test_whom_a_backup_of_the_history_brings_back_is_forgotten_again(broker: Broker, tmp_path: Path, url: str) -> None:
    """By what the people process says; whoever else it does not know stays."""
    with both(broker, tmp_path, database=url, keep=0.0) as home:
        grace = seen_and_named(home)
        assert back_up(home.history.database, tmp_path / "backup", TABLES) == 9
        home.ask("people.forget", person=grace)
        assert traces(home, grace, "Grace") == []
    database = Database(tmp_path, url, TABLES)
    put_back(database, tmp_path / "backup", tmp_path / "history.lock", TABLES, replace=True)
    with database.writing() as connection:
        connection.execute(tracks.update().where(tracks.c.track == "yard-3").values(person="p_wanted"))
    database.close()
    with both(broker, tmp_path, database=url, keep=0.0) as home:
        wait_until(lambda: traces(home, grace, "Grace") == [])
        assert {row["track"] for row in rows(home.history, faces)} == {"door-2", "yard-3"}
        assert {row["track"]: row["person"] for row in rows(home.history, tracks)}["yard-3"] == "p_wanted"
    for path in tmp_path.glob("*.sqlite*"):
        assert grace.encode() not in path.read_bytes(), path


def test_an_older_people_sqlite_takes_nothing_of_who_is_wanted(
    broker: Broker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with people_process(broker, tmp_path) as process:
        know(process, "Ada Lovelace", "f2")
    shutil.copy(tmp_path / "people.sqlite", tmp_path / "backup")
    with both(broker, tmp_path, keep=0.0) as home:
        grace = seen_and_named(home)
    for path in tmp_path.glob("people.sqlite*"):
        path.unlink()
    (tmp_path / "backup").rename(tmp_path / "people.sqlite")
    with both(broker, tmp_path, keep=0.0) as home:
        wait_until(lambda: [row["name"] for row in rows(home.history, people)] == ["Ada Lovelace"])
        room = next(room for room in home.history.rooms if isinstance(room, Here))
        for _ in range(3):
            room.look_for_orphans()
        assert [row["person"] for row in rows(home.history, corrections)] == [grace]
        assert len([row for row in rows(home.history, faces) if row["track"] == "door-1"]) == 4
        assert caplog.text.count("does not know 1 people of the history") == 1
        assert home.ask("history.search")["results"][0]["FaceDetails"][0].get("Person") is None


def test_a_kill_lets_nothing_through_that_is_late(broker: Broker, tmp_path: Path) -> None:
    with history_process(broker, tmp_path) as history:
        room = next(room for room in history.rooms if isinstance(room, Here))
        room.forget_person("p_1", ["door-1"])
    publish(broker, at=time.time() - 1, faces=[face("door-1"), face("door-2")])
    with history_process(broker, tmp_path) as history:
        wait_until(lambda: [row["track"] for row in rows(history, faces)] == ["door-2"])
        assert "door-1" not in str(rows(history, stays))
        room = next(room for room in history.rooms if isinstance(room, Here))
        room.tidy()
        assert len(rows(history, forgotten)) == 1


def test_an_export_has_what_the_history_keeps_of_somebody(home: Both) -> None:
    grace = seen_and_named(home)
    kept = home.ask("people.export", person=grace)["history"]
    assert [visit["camera"] for visit in kept["visits"]] == ["door"]
    assert [track["track"] for track in kept["tracks"]] == ["door-1"]
    assert [correction["excused"] for correction in kept["corrections"]] == ["ill"]


def test_who_goes_on_to_stand_there_is_no_trace_of_whom_was_forgotten(home: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is seen of the same track right afterwards, as nobody's, does not stand in the proof."""
    publish(home.broker, at=time.time() - 1, faces=[face("door-1")])
    wait_until(lambda: rows(home.history, stays))
    empty = home.history.database.empty_log

    def see_again_and_empty() -> None:
        later = publish(home.broker, at=time.time() + 5, faces=[face("door-1")])
        wait_until(lambda: later in str(rows(home.history, results)))
        empty()

    monkeypatch.setattr(home.history.database, "empty_log", see_again_and_empty)
    done = home.ask("history.forget", person="p_1", tracks=["door-1"])
    assert (done["removed"]["stays"], set(done["remaining"].values())) == (1, {0})
    assert len(rows(home.history, stays)) == 1
