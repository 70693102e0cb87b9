"""Who came and went when: right to the second, by day and camera, through midnights and changes of the clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from history.attendance import attendance
from history.database import Database
from history.days import Days, day_from
from history.mirror import people, visits
from history.rooms import TABLES
from history.schema import tracks
from history.writer import write_results
from pipeline.errors import SettingsError
from tests.history.support import face
from tests.history.test_search import result

BERLIN = Days("Europe/Berlin")
DAY = date(2026, 11, 23)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = Database(tmp_path, "", TABLES)
    with found.writing() as connection:
        rows = [
            {"id": "p_1", "name": "Grace Hopper"},
            {"id": "p_2", "name": "=Eileen"},
            {"id": "p_3", "name": "Ada", "added": at("12:00", 25)},
        ]
        connection.execute(insert(people), [{"added": 0.0, **row} for row in rows])
    yield found
    found.close()


def at(clock: str, day: int = 23) -> float:
    return BERLIN.moment(date(2026, 11, day), clock)


def visit(database: Database, person: str | None, camera: str, began: float, ended: float, *, is_open: bool = False) -> None:
    with database.writing() as connection:
        number = len(connection.execute(visits.select()).all())
        about = {"id": number, "camera": camera, "person": person, "unknown": None, "similarity": 99.0, "is_open": int(is_open)}
        connection.execute(insert(visits), [{**about, "began": began, "ended": ended}])


def entries(database: Database, first: date = DAY, last: date = DAY, **asked: Any) -> list[dict[str, Any]]:
    with database.reading() as connection:
        return attendance(connection, BERLIN, first, last, **asked)


def test_first_and_last_sight_gaps_and_time_in_sight(database: Database) -> None:
    visit(database, "p_1", "door", at("08:30"), at("08:31"))
    visit(database, "p_1", "yard", at("08:30:30"), at("08:40"))
    visit(database, "p_1", "door", at("09:00"), at("09:10"))
    visit(database, "p_1", "door", at("09:14"), at("09:15"), is_open=True)
    visit(database, None, "door", at("07:00"), at("22:00"))
    eileen, grace = entries(database)
    assert (grace["state"], grace["first_at"], grace["last_at"]) == ("present", at("08:30"), at("09:15"))
    assert (grace["first_camera"], grace["last_camera"], grace["visits"], grace["open"]) == ("door", "door", 4, True)
    assert grace["seconds"] == 600 + 600 + 60
    assert grace["gaps"] == [{"since": at("08:40"), "until": at("09:00")}]
    assert grace["clock"]["first"] == "08:30:00"
    door, yard = grace["cameras"]
    assert (door["camera"], door["visits"], door["gaps"]) == ("door", 3, [{"since": at("08:31"), "until": at("09:00")}])
    assert (yard["first_at"], yard["last_at"], yard["seconds"]) == (at("08:30:30"), at("08:40"), 570)
    assert (eileen["Person"]["Name"], eileen["state"], eileen["first_at"], eileen["cameras"]) == ("=Eileen", "absent", None, [])
    (only,) = entries(database, camera="yard", person="p_1")
    assert (only["first_at"], only["last_at"]) == (at("08:30:30"), at("08:40"))


def test_a_night_belongs_to_both_of_its_days(database: Database) -> None:
    visit(database, "p_1", "door", at("23:30", 23), at("00:45", 25))
    told = {(one["day"], one["Person"]["Id"]): one for one in entries(database, date(2026, 11, 22), date(2026, 11, 25))}
    assert told["2026-11-22", "p_1"]["state"] == "absent"
    first, second, third = (told[f"2026-11-{day}", "p_1"] for day in (23, 24, 25))
    assert (first["clock"]["first"], first["seconds"]) == ("23:30:00", 1800)
    assert (first["clock"]["last"], second["clock"]) == (
        "24:00:00",
        {"first": "00:00:00", "last": "24:00:00", "seen_first": "00:00:00", "seen_last": "24:00:00"},
    )
    assert (second["seconds"], third["seconds"]) == (86_400, 45 * 60)
    assert third["clock"]["last"] == "00:45:00"
    assert ("2026-11-24", "p_3") not in told, "nobody is absent before they were known"
    assert told["2026-11-25", "p_3"]["state"] == "absent"


def test_days_are_as_long_as_the_clocks_there_say() -> None:
    """In Berlin clocks are changed: one day has 23 hours, one has 25."""
    spans = [BERLIN.span(date(2026, month, day)) for month, day in ((3, 29), (10, 25), (11, 23))]
    assert [(end - begin) / 3600 for begin, end in spans] == [23, 25, 24]
    assert BERLIN.day_of(BERLIN.begin(DAY)) == DAY
    assert BERLIN.day_of(BERLIN.begin(DAY) - 1) == date(2026, 11, 22)
    assert Days("").zone.startswith("this machine's (")
    assert Days("").day_of(Days("").begin(DAY)) == DAY


def test_the_result_that_shows_somebody_first_and_last_is_named(database: Database) -> None:
    made = [result(number, "door", at("08:30") + number, face("door-1")) for number in range(10)]
    with database.writing() as connection:
        write_results(connection, made, 1)
        connection.execute(tracks.update().values(person="p_1"))
    visit(database, "p_1", "door", at("08:30"), at("08:30:09"))
    (grace,) = entries(database, person="p_1")
    assert grace["first_result"] == {"camera": "door", "id": "0-0"}
    assert grace["last_result"] == {"camera": "door", "id": "8-0"}


@pytest.mark.parametrize("clock", ["8.30", "25:00", "08:61", "later", ""])
def test_a_time_that_no_clock_shows_is_refused(clock: str) -> None:
    with pytest.raises(SettingsError, match="write what the clock showed, such as 08:30"):
        BERLIN.moment(DAY, clock)


@pytest.mark.parametrize("day", ["23.11.2026", "2026-02-30", "0001-01-01", ""])
def test_a_day_that_is_none_is_refused(day: str) -> None:
    with pytest.raises(SettingsError, match="write it as 2026-11-23"):
        day_from(day)
