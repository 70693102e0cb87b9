"""Visits of any length are told of in every stretch of time that they touch: the same as by looking at each of them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from history.attendance import attendance
from history.database import Database
from history.days import Days
from history.mirror import people, visits
from history.rooms import TABLES
from history.timeline import present, visits_between

BASE = datetime(2026, 11, 9, tzinfo=UTC).timestamp()
DAY = 86_400.0
NAMES = {"p_1": "Ada", "p_2": "Grace Hopper"}
CAMERAS = ("door", "hall", "yard")

Visit = dict[str, Any]


def made() -> list[Visit]:
    """Return visits of seconds, of hours and of weeks, some of which go on; of people, of one whom nobody knows, of unknown."""
    chance, found = random.Random(3), []
    for number in range(300):
        length = chance.choice((0.0, 5.0, 600.0, 30_000.0, 20 * DAY)) * chance.random()
        began = BASE + chance.uniform(-3, 14) * DAY
        who = chance.choice((*NAMES, "p_gone", None))
        about = {"camera": chance.choice(CAMERAS), "person": who, "unknown": None, "similarity": 99.0}
        found.append({"id": number, **about, "began": began, "ended": began + length, "is_open": number % 9 == 0})
    return found


@pytest.fixture
def told(tmp_path: Path, url: str) -> Iterator[tuple[Database, Sequence[Visit]]]:
    database, found = Database(tmp_path, url, TABLES), made()
    with database.writing() as connection:
        connection.execute(insert(people), [{"id": who, "name": name, "added": 0.0} for who, name in NAMES.items()])
        connection.execute(insert(visits), [{**visit, "is_open": int(visit["is_open"])} for visit in found])
    yield database, found
    database.close()


def test_whatever_touches_a_time_is_told_of_it(told: tuple[Database, Sequence[Visit]]) -> None:
    database, found = told
    chance = random.Random(4)
    with database.reading() as connection:
        for _ in range(40):
            since = BASE + chance.uniform(-2, 12) * DAY
            until = since + chance.choice((60.0, 9000.0, DAY, 9 * DAY))
            camera, person, nameless = chance.choice(("", *CAMERAS)), chance.choice(("", "", "p_1")), chance.choice(CAMERAS)
            there = [one for one in found if one["ended"] >= since and one["began"] < until]
            there = [one for one in there if one["camera"] == (camera or one["camera"])]
            there = [one for one in there if one["person"] == (person or one["person"])]
            listed = visits_between(connection, since, until, camera, person)
            assert [one["id"] for one in listed] == [
                one["id"] for one in sorted(there, key=lambda one: (one["ended"], one["id"]), reverse=True)
            ]
            known = present(connection, since, until, camera, person, lambda name, no=nameless: name != no)
            assert known == expected(there, nameless, is_of_person=bool(person))


def test_a_day_has_everybody_who_was_there_on_it(told: tuple[Database, Sequence[Visit]]) -> None:
    database, found = told
    first = datetime.fromtimestamp(BASE, UTC).date()
    with database.reading() as connection:
        entries = attendance(connection, Days("UTC"), first, first + timedelta(days=9))
    assert len(entries) == 10 * len(NAMES)
    for entry in entries:
        begin = datetime.fromisoformat(f"{entry['day']}T00:00:00+00:00").timestamp()
        theirs = [one for one in found if one["person"] == entry["Person"]["Id"]]
        there = [one for one in theirs if one["ended"] >= begin and one["began"] < begin + DAY]
        assert entry["visits"] == len(there)
        assert entry["first_at"] == min((round(max(one["began"], begin), 3) for one in there), default=None)
        assert entry["last_at"] == max((round(min(one["ended"], begin + DAY), 3) for one in there), default=None)
        assert entry["open"] == any(one["is_open"] and one["ended"] < begin + DAY for one in there)


def expected(there: Sequence[Visit], nameless: str, *, is_of_person: bool) -> dict[str, Any]:
    """Return who was there, by looking at each visit."""
    named = [one for one in there if one["person"] in NAMES and one["camera"] != nameless]
    by_person = {who: [one for one in named if one["person"] == who] for who in NAMES}
    return {
        "people": [
            {
                "Person": {"Id": who, "Name": NAMES[who]},
                "visits": len(theirs),
                "seconds": pytest.approx(sum(one["ended"] - one["began"] for one in theirs), abs=0.002),
                "first_at": round(min(one["began"] for one in theirs), 3),
                "last_at": round(max(one["ended"] for one in theirs), 3),
            }
            for who, theirs in by_person.items()
            if theirs
        ],
        "unknown": {"visits": 0 if is_of_person else len(there) - len(named)},
    }
