"""What changed, in order, for a copy that follows: nothing is left out, whoever writes, and nobody forgotten stands in it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from people.alert_book import Alert, AlertBook
from people.database import Database
from people.rooms import TABLES
from people.watches import Kind
from pipeline.broker import Broker
from pipeline.errors import SettingsError
from tests.people.rooms import Home


@pytest.fixture
def home(broker: Broker, tmp_path: Path) -> Iterator[Home]:
    found = Home(broker, tmp_path)
    yield found
    found.database.close()


def changed(home: Home, after: int = 0) -> dict[tuple[str, str], Any]:
    """Return what changed after a number, by kind and id."""
    told = home.ask("people.changes", after=after)["changes"]
    assert [change["number"] for change in told] == sorted({change["number"] for change in told})
    return {(change["kind"], change["id"]): change["row"] for change in told}


def last(home: Home) -> int:
    return int(home.ask("people.changes")["last"])


def test_people_visits_tracks_and_alerts_are_told_as_they_are_now(home: Home) -> None:
    grace = home.know("Grace Hopper", "f1")
    home.seeing.stay("door-1", 0, 4)
    home.seeing.search(1, "door-1", f1=99.5)
    home.heard()
    book = AlertBook(home.database)
    book.add(Alert("w_1", Kind.PERSON, "visit 1", "door", 1.0, 2.0, person=grace, visit="1"), [], 0)
    found = changed(home)
    (people,) = (row for (kind, _), row in found.items() if kind == "people")
    assert [(person["id"], person["name"]) for person in people] == [(grace, "Grace Hopper")]
    assert found["track", "door-1"]["person"] == grace
    visit = found["visit", "1"]
    assert (visit["person"], visit["camera"], visit["is_open"]) == (grace, "door", True)
    assert visit["ended"] - visit["began"] == pytest.approx(4.0)
    (alert,) = (row for (kind, _), row in found.items() if kind == "alert")
    assert (alert["person"], alert["visit"], alert["verdict"]) == (grace, "1", None)
    assert changed(home, last(home)) == {}


def test_a_track_is_told_when_it_is_somebody_elses_and_not_whenever_it_is_seen(home: Home) -> None:
    home.know("Grace Hopper", "f1")
    home.seeing.stay("door-1", 0, 1)
    home.heard()
    before = last(home)
    home.seeing.stay("door-1", 1, 3)
    home.heard()
    assert changed(home, before).keys() == {("visit", "1")}
    before = last(home)
    home.seeing.search(3, "door-1", f1=99.5)
    home.heard()
    assert ("track", "door-1") in changed(home, before)


def test_what_is_gone_is_told_and_forgotten_people_leave_no_trace(home: Home) -> None:
    grace = home.know("Grace Hopper", "f1")
    home.seeing.stay("door-1", 0, 4)
    home.seeing.search(1, "door-1", f1=99.5)
    home.heard()
    before = last(home)
    home.register.begin_forgetting(grace)
    assert changed(home, before) == {("people", ""): []}
    home.identities.forget(grace)
    home.register.drop(grace)
    found = changed(home, before)
    assert (found["track", "door-1"], found["visit", "1"], found["people", ""]) == (None, None, [])
    home.database.empty_log()
    rows = home.database.rows("SELECT * FROM changes")
    assert grace not in str(rows)


def test_a_change_is_written_down_whoever_makes_it(home: Home, tmp_path: Path) -> None:
    """An older program, or a hand that has the file: SQLite writes it down, also where a conflict is ignored."""
    before = last(home)
    with closing(sqlite3.connect(tmp_path / "people.sqlite", isolation_level=None)) as other:
        other.execute("INSERT OR IGNORE INTO visits VALUES (7, 'yard', 't:yard-1', 0.0, 1.0, 2.0, 1, 0)")
        other.execute("UPDATE OR IGNORE visits SET ended = 3.0 WHERE id = 7")
    assert changed(home, before)["visit", "7"]["ended"] == 3.0
    assert len(home.database.rows("SELECT * FROM changes WHERE kind = 'visit'")) == 1


def test_a_file_from_before_is_told_whole(broker: Broker, tmp_path: Path) -> None:
    without = [table for table in TABLES if "change" not in table]
    with closing(Database(tmp_path, without)) as database, database.transaction():
        database.execute("INSERT INTO visits VALUES (7, 'yard', 'u_3', 0.0, 1.0, 2.0, 1, 0)")
        database.execute("INSERT INTO people VALUES ('p_1', 'Grace Hopper', '', '', 1.0, 0)")
    home = Home(broker, tmp_path)
    found, source = changed(home), home.ask("people.changes")["source"]
    assert found["visit", "7"]["unknown"] == "u_3"
    assert [person["name"] for person in found["people", ""]] == ["Grace Hopper"]
    home.database.close()
    again = Home(broker, tmp_path)
    assert (again.ask("people.changes")["source"], changed(again)) == (source, found)
    again.database.close()


def test_an_answer_is_bounded_and_goes_on_where_it_ended(home: Home) -> None:
    with home.database.transaction():
        for number in range(1, 8):
            home.database.execute("INSERT INTO visits VALUES (?, 'yard', 'u_3', 0.0, 1.0, 2.0, 1, 0)", number)
    first = home.ask("people.changes", limit=4)["changes"]
    rest = home.ask("people.changes", after=first[-1]["number"], limit=1000)["changes"]
    assert (len(first), len(rest)) == (4, 4)  # and that nobody is known
    for wrong in ({"limit": 1001}, {"after": -1}, {"after": "x"}):
        with pytest.raises(SettingsError, match="write a whole number"):
            home.ask("people.changes", **wrong)


def test_what_is_gone_for_a_week_is_forgotten_and_said_so(home: Home) -> None:
    with home.database.transaction():
        home.database.execute("INSERT INTO visits VALUES (7, 'yard', 'u_3', 0.0, 1.0, 2.0, 1, 0)")
        home.database.execute("DELETE FROM visits WHERE id = 7")
        home.database.execute("UPDATE changes SET at = ? WHERE kind = 'visit'", time.time() - 8 * 86_400)
    number = last(home)
    changes = next(room for room in home.rooms if type(room).__name__ == "Changes")
    changes.tidy()  # type: ignore[attr-defined]  # it is Changes
    told = home.ask("people.changes")
    assert told["pruned"] == number
    assert [change["kind"] for change in told["changes"]] == ["people"]
