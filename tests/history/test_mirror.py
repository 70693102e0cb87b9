"""The copy of people, visits, alerts and names: the same as people.sqlite, whatever dies or is away meanwhile."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from history.audience_tables import shows
from history.mirror import Mirror, alerts, mirror, people, visits
from history.people_desk import leftovers
from history.schema import faces, results, tracks
from history.shows import Shows
from people.alert_book import Alert, AlertBook
from people.watches import Kind
from pipeline.broker import Broker
from pipeline.errors import SettingsError
from tests.conftest import wait_until
from tests.history.knowing import Both, both, know
from tests.history.support import face, history_process, publish, rows
from tests.people.rooms import Home
from tests.people.support import people_process


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("history.mirror.FOLLOW_SECONDS", 0.05)
    monkeypatch.setattr("history.people_desk.ASK_SECONDS", 0.05)
    monkeypatch.setattr("people.follower.BLOCK_SECONDS", 0.05)


@pytest.fixture
def home(broker: Broker, tmp_path: Path) -> Iterator[Both]:
    with both(broker, tmp_path) as found:
        yield found


def whose(home: Both) -> dict[str, str | None]:
    return {row["track"]: row["person"] for row in rows(home.history, tracks)}


def test_visits_names_and_alerts_come_along(broker: Broker, tmp_path: Path, url: str) -> None:
    with both(broker, tmp_path, database=url) as home:
        _come_along(home)


def _come_along(home: Both) -> None:
    grace = home.know("Grace Hopper", "f1")
    home.seeing.stay("door-1", -30, -26)
    home.seeing.search(-29, "door-1", f1=99.5)
    home.seeing.stay("yard-2", -30, -28, camera="yard")
    wait_until(lambda: ("door", grace, -30.0, -26.0) in home.visits() and len(home.visits()) == 2)
    wait_until(lambda: whose(home) == {"door-1": grace, "yard-2": None})
    assert [(row["id"], row["name"]) for row in rows(home.history, people)] == [(grace, "Grace Hopper")]
    with home.people.house.database.transaction():
        about = Alert("w_1", Kind.PERSON, "visit 1", "door", 1.0, time.time(), person=grace, visit="1")
        AlertBook(home.people.house.database).add(about, [], 0)
    wait_until(lambda: [row["person"] for row in rows(home.history, alerts)] == [grace])


def test_not_this_person_and_a_late_name_hold_for_what_came_before(home: Both) -> None:
    grace = home.know("Grace Hopper", "f1")
    home.seeing.stay("door-1", -30, -26)
    home.seeing.search(-29, "door-1", f1=99.5)
    wait_until(lambda: whose(home) == {"door-1": grace})
    home.ask("tracks.unname", track="door-1")
    wait_until(lambda: whose(home) == {"door-1": None})
    wait_until(lambda: home.visits() == [("door", None, -30.0, -26.0)])
    home.ask("tracks.name", track="door-1", person="Eileen Collins", enrol=False)
    wait_until(lambda: {row["name"] for row in rows(home.history, people)} == {"Grace Hopper", "Eileen Collins"})
    (eileen,) = (row["id"] for row in rows(home.history, people) if row["name"] == "Eileen Collins")
    wait_until(lambda: whose(home) == {"door-1": eileen})
    shown = home.ask("history.search", person="eileen collins")["results"]
    assert len(shown) == 9
    assert {result["FaceDetails"][0]["Person"]["Name"] for result in shown} == {"Eileen Collins"}
    home.ask("people.change", person=eileen, changes={"name": "Eileen M. Collins"})
    newest = lambda: home.ask("history.search", limit=1)["results"][0]  # noqa: E731  # asked again and again
    wait_until(lambda: newest()["FaceDetails"][0]["Person"]["Name"] == "Eileen M. Collins")


def test_a_name_may_come_before_the_faces_are_written(home: Both) -> None:
    """Whichever of the two is first: the row of the track has the person, and all its faces."""
    grace = home.know("Grace Hopper", "f1")
    at = home.seeing.began
    with home.people.house.database.transaction():
        row = ("door-1", "door", at, at + 2, f"p:{grace}", 99.0, 1, 0, 1)
        home.people.house.database.execute("INSERT INTO tracks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", *row)
    wait_until(lambda: whose(home) == {"door-1": grace})
    publish(home.broker, at=at + 3, faces=[face("door-1")])
    wait_until(lambda: [row["faces"] for row in rows(home.history, tracks)] == [1])
    (track,) = rows(home.history, tracks)
    assert (track["person"], track["since"], track["until"]) == (grace, at, at + 3)


def test_visits_that_became_one_are_one_here_too(home: Both) -> None:
    home.know("Grace Hopper", "f1")
    home.seeing.stay("door-1", -60, -58)
    home.seeing.stay("door-2", -55, -50)
    wait_until(lambda: len(home.visits()) == 2)
    for track, at in (("door-1", -59), ("door-2", -54)):
        home.seeing.search(at, track, f1=99.5)
    wait_until(lambda: [(began, ended) for _, _, began, ended in home.visits()] == [(-60.0, -50.0)])


def test_either_may_be_away_and_come_back(broker: Broker, tmp_path: Path) -> None:
    with people_process(broker, tmp_path) as process:
        grace = know(process, "Grace Hopper", "f1")
    with history_process(broker, tmp_path) as history:
        publish(broker, at=1000.0)
        wait_until(lambda: len(rows(history, results)) == 1)  # people away is no fault
        assert rows(history, people) == []
        with people_process(broker, tmp_path):
            wait_until(lambda: [row["id"] for row in rows(history, people)] == [grace])
    with people_process(broker, tmp_path) as process:
        know(process, "Eileen Collins", "f2")
    with both(broker, tmp_path) as home:
        wait_until(lambda: len(rows(home.history, people)) == 2)


def test_the_same_change_taken_twice_is_the_same(home: Both) -> None:
    grace = home.know("Grace Hopper", "f1")
    home.seeing.stay("door-1", -30, -26)
    home.seeing.search(-29, "door-1", f1=99.5)
    wait_until(lambda: whose(home) == {"door-1": grace})
    wait_until(lambda: ("door", grace, -30.0, -26.0) in home.visits())
    before = (home.visits(), whose(home), rows(home.history, people))
    (place,) = rows(home.history, mirror)
    with home.history.database.writing() as connection:
        connection.execute(mirror.update().values(number=0))
    wait_until(lambda: rows(home.history, mirror)[0]["number"] >= place["number"])
    assert (home.visits(), whose(home), rows(home.history, people)) == before


def test_another_people_sqlite_begins_anew(broker: Broker, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with both(broker, tmp_path) as home:
        grace = home.know("Grace Hopper", "f1")
        home.seeing.stay("door-1", -30, -26)
        home.seeing.search(-29, "door-1", f1=99.5)
        wait_until(lambda: whose(home) == {"door-1": grace} and home.visits())
    for path in tmp_path.glob("people.sqlite*"):
        path.unlink()
    with both(broker, tmp_path) as home:
        ada = home.know("Ada Lovelace", "f9")
        wait_until(lambda: [row["id"] for row in rows(home.history, people)] == [ada])
        assert whose(home) == {"door-1": None}
        assert grace not in str(rows(home.history, visits))
    assert "it is another people.sqlite" in caplog.text


def test_a_people_sqlite_from_a_backup_is_taken_over_as_it_is(broker: Broker, tmp_path: Path) -> None:
    """What it does not know any more goes; what is older than it keeps stays, as nothing was undone of it."""
    with people_process(broker, tmp_path) as process:
        know(process, "Grace Hopper", "f1")
    shutil.copy(tmp_path / "people.sqlite", tmp_path / "backup")
    now = time.time()
    with both(broker, tmp_path, keep=0.0) as home:
        home.know("Eileen Collins", "f2")
        with home.people.house.database.transaction():
            for number, ended in ((7, now - 100.0), (8, now - 40 * 86_400.0)):
                row = (number, "yard", "u_3", 0.0, ended - 5, ended, 1, 0)
                home.people.house.database.execute("INSERT INTO visits VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *row)
        wait_until(lambda: len(home.visits()) == 2 and len(rows(home.history, people)) == 2)
    for path in tmp_path.glob("people.sqlite*"):
        path.unlink()
    (tmp_path / "backup").rename(tmp_path / "people.sqlite")
    with both(broker, tmp_path, keep=0.0) as home:
        wait_until(lambda: [row["name"] for row in rows(home.history, people)] == ["Grace Hopper"])
        assert [row["id"] for row in rows(home.history, visits)] == [8]


def test_what_expired_at_people_stays_as_long_as_the_history_keeps(home: Both) -> None:
    now = time.time()
    database = home.people.house.database
    with database.transaction():
        for number, ended in ((7, now - 100.0), (8, now - 29 * 86_400.0)):
            row = (number, "yard", "u_3", 0.0, ended - 5, ended, 1, 0)
            database.execute("INSERT INTO visits VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *row)
    wait_until(lambda: len(home.visits()) == 2)
    with closing(sqlite3.connect(database.path)) as other, other:
        other.execute("DELETE FROM visits")
        other.execute("UPDATE changes SET at = at + 2 * 86400.0 WHERE id = '8'")  # two days later it was too old
    wait_until(lambda: [row["id"] for row in rows(home.history, visits)] == [8])


def test_a_batch_that_was_asked_for_before_somebody_was_forgotten_is_not_taken(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("history.mirror.FOLLOW_SECONDS", 3600.0)
    with both(broker, tmp_path) as home:
        room = next(room for room in home.history.rooms if isinstance(room, Mirror))
        wait_until(lambda: any(row["number"] for row in rows(home.history, mirror)))  # its only round by itself is over
        grace = home.know("Grace Hopper", "f1")
        ask = room._people.ask

        def ask_and_forget(*asked: object) -> dict[str, object]:
            told = ask(*asked)  # type: ignore[arg-type]  # handed on
            monkeypatch.setattr(room._people, "ask", ask)
            home.ask("history.forget", person=grace, tracks=[])
            return told

        room.follow()
        home.ask("people.change", person=grace, changes={"name": "Admiral Hopper"})
        monkeypatch.setattr(room._people, "ask", ask_and_forget)
        assert room._take()
        assert rows(home.history, people) == []
        assert rows(home.history, faces) == []


def test_what_people_keeps_of_a_show_goes_with_it_also_when_they_come_back_later(broker: Broker, tmp_path: Path) -> None:
    """Who was there before and after keeps these parts, and the name: by it they can be forgotten."""
    with both(broker, tmp_path) as home:
        grace = home.know("Grace Hopper", "f1")
        home.seeing.stay("door-1", -100, -40)
        home.seeing.search(-99, "door-1", f1=99.5)
        home.seeing.view("door-2", who=2)
        home.seeing.stay("door-2", -75, -65)
        wait_until(lambda: [visit[1:] for visit in home.visits()] == [(grace, -100.0, -40.0), (None, -75.0, -65.0)])
        began = home.seeing.began
        with home.people.house.database.transaction():
            for at in (-90, -70):
                alert = Alert("w_1", Kind.PERSON, f"visit {at}", "door", began + at, time.time(), person=grace, visit="1")
                AlertBook(home.people.house.database).add(alert, [], 0)
        wait_until(lambda: len(rows(home.history, alerts)) == 2)
    with history_process(broker, tmp_path) as history:
        with history.database.writing() as connection:
            row = {"name": "", "cameras": '["door"]', "currency": "EUR", "started_at": began - 80, "stopped_at": began - 60}
            connection.execute(shows.insert().values(id="s_1", gone_at=began - 50, **row))
        next(room for room in history.rooms if isinstance(room, Shows)).erase_gone()
        assert [row["ended"] for row in rows(history, visits)] == [began - 80]
        assert rows(history, leftovers) != []
    with both(broker, tmp_path) as home:
        wait_until(lambda: rows(home.history, leftovers) == [])
        there = [(grace, began - 100, began - 80), (grace, began - 60, began - 40)]
        wait_until(lambda: [(row["person"], row["began"], row["ended"]) for row in rows(home.history, visits)] == there)
        assert [row["captured_at"] for row in rows(home.history, alerts)] == [began - 90]
        assert [visit["began_at"] for visit in home.ask("visits.list")["visits"]] == [round(began - at, 3) for at in (60, 100)]
        assert len(home.ask("alerts.list", limit=9)["alerts"]) == 1
        assert home.ask("unknowns.list")["unknowns"] == []
        (entry,) = (entry for entry in home.ask("audit.list")["audit"] if entry["what"] == "erase")
        assert (entry["who"], entry["detail"]) == ("the history", "door: 2 visits, 1 alerts")
        with home.history.database.writing() as connection:
            connection.execute(mirror.update().values(number=0))  # as after a backup: all of it is told again
        wait_until(lambda: rows(home.history, mirror)[0]["number"] and len(home.visits()) == 2)
        assert whose(home)["door-1"] == grace


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"since": 1.0, "until": 2.0}, "camera 'None': name the one"),
        ({"camera": "door", "since": "x", "until": 2.0}, "since 'x': write seconds"),
        ({"camera": "door", "since": 3.0, "until": 2.0}, "does not lie before"),
    ],
)
def test_an_erasure_that_says_too_little_is_refused(
    broker: Broker, tmp_path: Path, members: dict[str, object], sentence: str
) -> None:
    room = Home(broker, tmp_path)
    with pytest.raises(SettingsError, match=sentence):
        room.ask("people.erase", **members)
    room.database.close()
