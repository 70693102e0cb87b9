"""Finding results of before: what is asked for, all of it, in order, each once, and along an index."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import event, insert

from history import search as searching
from history.attendance import Attendance, _results_near, attendance
from history.database import Database
from history.days import Days
from history.house import HistorySettings, House
from history.mirror import people, visits
from history.packing import packed
from history.rooms import TABLES
from history.schema import results, tracks
from history.search import Search, Wanted, search
from history.timeline import Timeline, buckets, step_of
from history.writer import write_results
from pipeline.broker import Broker
from pipeline.clock import RedisClock
from pipeline.entities import Result
from pipeline.errors import SettingsError, UnknownPerson
from pipeline.requests import Request
from tests.history.postgresql import PostgreSQL
from tests.history.support import face

BASE = 1_795_000_000.0
EMOTIONS = ("HAPPY", "SAD", "CALM")


def result(number: int, camera: str, at: float, *shown: dict[str, Any]) -> Result:
    response = {"FaceDetails": list(shown)}
    return Result(f"{number}-0", camera, number, at, at + 0.3, 1280, 720, "local", "DetectFaces", {}, response)


def fill(database: Database) -> list[Result]:
    """Fill a database with some hundred results of three cameras: two people and strangers come and go, out of order."""
    chance, made = random.Random(7), []
    for number in range(600):
        camera = chance.choice(("door", "yard", "hall"))
        track = f"{camera}-{number // 40}"
        emotions = [[{"Type": chance.choice(EMOTIONS), "Confidence": 90.0}] for _ in range(chance.randint(0, 2))]
        shown = [face(track, Emotions=one) for one in emotions]
        made.append(result(number, camera, BASE + number // 3 + chance.choice((0.0, 0.0, 1.5)), *shown))
    with database.writing() as connection:
        write_results(connection, made, 1)
        rows = [{"id": "p_1", "name": "Grace Hopper", "added": 0.0}, {"id": "p_2", "name": "Eileen Collins", "added": 0.0}]
        connection.execute(insert(people), rows)
        for track, person in (("door-3", "p_1"), ("door-4", "p_1"), ("yard-4", "p_1"), ("hall-9", "p_1"), ("yard-1", "p_2")):
            connection.execute(tracks.update().where(tracks.c.track == track).values(person=person))
        for number in range(40):
            about = {"camera": "door", "person": "p_1" if number % 3 else None, "similarity": 99.0, "is_open": 0}
            times = {"id": number, "began": BASE + 10 * number, "ended": BASE + 10 * number + 5}
            connection.execute(insert(visits), [{**about, **times}])
    return made


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, list[Result]]]:
    database = Database(tmp_path_factory.mktemp("history"), "", TABLES)
    yield database, fill(database)
    database.close()


@pytest.fixture
def house(broker: Broker, filled: tuple[Database, list[Result]], tmp_path: Path) -> House:
    settings = HistorySettings(tmp_path)
    return House(broker, filled[0], RedisClock(broker.scripts), settings, CollectorRegistry())


def ask(room: Any, what: str, **members: Any) -> dict[str, Any]:
    return dict(room.answers()[what](Request("1", what, members, "a test")))


def all_pages(house: House, **asked: Any) -> list[dict[str, Any]]:
    found, before, room = [], None, Search(house)
    while True:
        page = ask(room, "history.search", before=before, **asked)
        found += page["results"]
        before = page["next"]
        if before is None:
            return found


def expected(made: list[Result], **asked: Any) -> list[str]:
    """Return the ids of what is asked for, by looking at all of it."""
    theirs = {"p_1": {"door-3", "door-4", "yard-4", "hall-9"}, "p_2": {"yard-1"}}.get(asked.get("person", ""))

    def is_wanted(one: Result) -> bool:
        shown = one.response["FaceDetails"]
        return (
            asked.get("since", 0) <= one.captured_at <= asked.get("until", 2e12)
            and one.camera == asked.get("camera", one.camera)
            and (bool(shown) or not asked.get("faces"))
            and any(
                (theirs is None or seen["Track"] in theirs)
                and seen["Emotions"][0]["Type"] == (asked.get("emotion") or seen["Emotions"][0]["Type"]).upper()
                for seen in shown
            )
            if asked.keys() & {"person", "emotion", "faces"}
            else asked.get("since", 0) <= one.captured_at <= asked.get("until", 2e12)
            and one.camera == asked.get("camera", one.camera)
        )

    wanted = [one for one in made if is_wanted(one)]
    return [one.id for one in sorted(wanted, key=lambda one: (one.captured_at, one.seq), reverse=True)]


ASKED = [
    {},
    {"camera": "yard"},
    {"since": BASE + 40, "until": BASE + 90},
    {"faces": True},
    {"emotion": "happy"},
    {"emotion": "SAD", "camera": "hall", "until": BASE + 150.0},
    {"person": "p_1"},
    {"person": "p_1", "camera": "door"},
    {"person": "p_1", "emotion": "CALM"},
    {"person": "p_2", "since": BASE + 15.0},
    {"camera": "nowhere"},
]


@pytest.mark.parametrize("asked", ASKED, ids=str)
@pytest.mark.parametrize("limit", [7, 500])
def test_pages_hold_all_that_is_asked_for_in_order_and_each_once(
    house: House, filled: tuple[Database, list[Result]], asked: dict[str, Any], limit: int
) -> None:
    assert [found["id"] for found in all_pages(house, limit=limit, **asked)] == expected(filled[1], **asked)


@pytest.mark.parametrize("asked", [{"person": "p_1"}, {"person": "p_1", "emotion": "CALM"}], ids=str)
def test_a_page_that_would_cost_too_much_is_short_and_says_from_where_to_go_on(
    house: House, filled: tuple[Database, list[Result]], asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MOST_FACES", 2)
    first = ask(Search(house), "history.search", limit=100, **asked)
    assert len(first["results"]) < len(expected(filled[1], **asked))
    assert first["next"]
    assert [found["id"] for found in all_pages(house, limit=100, **asked)] == expected(filled[1], **asked)


def test_names_stand_beside_the_faces_and_forgotten_results_say_so(house: House, filled: tuple[Database, list[Result]]) -> None:
    shown = ask(Search(house), "history.search", person="grace hopper", limit=500)
    assert shown["Person"] == {"Id": "p_1", "Name": "Grace Hopper"}
    named = [seen.get("Person") for found in shown["results"] for seen in found["FaceDetails"]]
    assert set(map(str, named)) == {"{'Id': 'p_1', 'Name': 'Grace Hopper'}"}
    gone = filled[1][17]
    with filled[0].writing() as connection:
        connection.execute(results.update().where(results.c.id == gone.id).values(response=None))
    times = {"since": gone.captured_at, "until": gone.captured_at, "camera": gone.camera}
    (found,) = (one for one in ask(Search(house), "history.search", **times)["results"] if one["id"] == gone.id)
    assert (found["forgotten"], found["FaceDetails"], found["camera"]) == (True, [], gone.camera)
    with filled[0].writing() as connection:
        connection.execute(results.update().where(results.c.id == gone.id).values(response=packed(gone.as_json())))


def test_cameras_that_name_nobody_say_nothing_of_a_person(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also of before they became such: neither by a name beside a face, nor by what is found for somebody."""
    monkeypatch.setattr("pipeline.purposes.Purposes.names_people", lambda _, camera: camera != "door")
    hers = all_pages(house, person="p_1", limit=500)
    assert {one["camera"] for one in hers} == {"hall", "yard"}
    shown = all_pages(house, camera="door", limit=500)
    assert [seen for one in shown for seen in one["FaceDetails"] if "Person" in seen] == []
    span = {"since": BASE - 100, "until": BASE + 400}
    told = ask(Timeline(house), "history.timeline", **span)
    assert (told["people"], told["unknown"], {str(visit["Person"]) for visit in told["visits"]}) == (
        [],
        {"visits": 40},
        {"None"},
    )
    assert ask(Timeline(house), "history.timeline", person="p_1", **span)["visits"] == []


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"limit": 0}, "limit '0': write a number from 1 to 500"),
        ({"since": "yesterday"}, "since 'yesterday': write seconds since 1970"),
        ({"emotion": "BORED"}, "emotion 'BORED': write one of happy, "),
        ({"before": "nan:1"}, "send what `next` of the last answer says"),
        ({"camera": 7}, "camera '7': write a text"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(house: House, asked: dict[str, Any], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        ask(Search(house), "history.search", **asked)
    with pytest.raises(UnknownPerson, match="knows nobody called 'Grace Hoper': did you mean 'Grace Hopper'"):
        ask(Search(house), "history.search", person="Grace Hoper")


def test_the_timeline_adds_up_and_names_who_was_there(house: House, filled: tuple[Database, list[Result]]) -> None:
    made = filled[1]
    told = ask(Timeline(house), "history.timeline", since=BASE - 100, until=BASE + 400)
    counted = {camera["camera"]: sum(one["results"] for one in camera["buckets"]) for camera in told["cameras"]}
    assert counted == {camera: sum(one.camera == camera for one in made) for camera in ("door", "hall", "yard")}
    times = {"seconds": 130.0, "first_at": BASE + 10, "last_at": BASE + 385}
    assert told["people"] == [{"Person": {"Id": "p_1", "Name": "Grace Hopper"}, "visits": 26, **times}]
    assert (told["unknown"], len(told["visits"]), told["more"]) == ({"visits": 14}, 40, False)
    assert told["visits"][0]["began_at"] == BASE + 390
    hers = ask(Timeline(house), "history.timeline", since=BASE, until=BASE + 100, person="p_1")
    assert (hers["cameras"], {visit["Person"]["Name"] for visit in hers["visits"]}) == ([], {"Grace Hopper"})
    happy = ask(Timeline(house), "history.timeline", since=BASE - 100, until=BASE + 400, emotion="HAPPY")
    seen = [one["Emotions"][0]["Type"] for each in made for one in each.response["FaceDetails"]]
    assert sum(one["faces"] for camera in happy["cameras"] for one in camera["buckets"]) == seen.count("HAPPY")


@pytest.mark.parametrize("step", [60, 300, 900, 3600, 6 * 3600, 86_400])
def test_buckets_are_whole_and_hold_what_was_seen_in_them(filled: tuple[Database, list[Result]], step: int) -> None:
    """Whichever sums they are told from; those of a day from a quarter of an hour, those of a month from six hours."""
    with filled[0].reading() as connection:
        told = buckets(connection, BASE + 70, BASE + 100, step)
    first, end = (BASE + 70) // step * step, (BASE + 100) // step * step + step
    seen = Counter((one.camera, one.captured_at // step * step) for one in filled[1] if first <= one.captured_at < end)
    assert {(each["camera"], one["at"]): one["results"] for each in told for one in each["buckets"]} == seen
    assert (step_of(0, 86_400), step_of(0, 30 * 86_400)) == (900, 6 * 3600)


def test_the_first_result_that_shows_somebody_about_a_moment_is_found(filled: tuple[Database, list[Result]]) -> None:
    """By their tracks: with one question for many moments."""
    shown = [(one, {face["Track"] for face in one.response["FaceDetails"]}) for one in filled[1]]
    sights = [("p_1", camera, BASE + moment) for camera in ("door", "yard") for moment in range(30, 80, 3)]
    with filled[0].reading() as connection:
        found = _results_near(connection, sights)
    for (_, camera, at), told in zip(sights, found, strict=True):
        theirs = [one for one, seen in shown if one.camera == camera and seen & {"door-3", "door-4", "yard-4"}]
        near = [one for one in theirs if abs(one.captured_at - at) <= 1.0]
        assert told == (min(near, key=lambda one: (one.captured_at, one.seq)).id if near else None)
    assert len({*found}) > 10


def test_postgresql_gives_the_same_answers(
    house: House, filled: tuple[Database, list[Result]], postgresql: PostgreSQL, tmp_path: Path
) -> None:
    there = Database(tmp_path, postgresql.url, TABLES)
    fill(there)
    other = replace(house, database=there)
    for asked in ASKED:
        assert all_pages(other, limit=150, **asked) == all_pages(house, limit=150, **asked), asked
    for asked in ({}, {"camera": "door"}, {"person": "p_1"}, {"emotion": "SAD"}):
        about = {"since": BASE - 100, "until": BASE + 250, **asked}
        assert ask(Timeline(other), "history.timeline", **about) == ask(Timeline(house), "history.timeline", **about)
    day = {"day": Days("").day_of(BASE).isoformat(), "days": 2}
    told, here = (ask(Attendance(one), "history.attendance", **day) for one in (other, house))
    assert told["attendance"] == here["attendance"] != []
    there.close()


@contextmanager
def plans(database: Database) -> Iterator[list[str]]:
    """Collect how SQLite goes about each query inside."""
    told: list[str] = []

    def look(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            told.extend(row[-1] for row in connection.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters))

    engine = database._its_engine()
    event.listen(engine, "before_cursor_execute", look)
    try:
        yield told
    finally:
        event.remove(engine, "before_cursor_execute", look)


@pytest.mark.parametrize("asked", ASKED, ids=str)
def test_no_page_reads_a_whole_table_of_results(filled: tuple[Database, list[Result]], asked: dict[str, Any]) -> None:
    """Nor does it sort more than what it found."""
    with filled[0].reading() as connection, plans(filled[0]) as told:
        wanted = Wanted.of({"limit": 10, **asked})
        who = {"Id": asked["person"]} if "person" in asked else None
        found, _ = search(connection, wanted, who)
        searching.results_at(connection, [place.number for place in found])
        _ = attendance(connection, Days("UTC"), Days("UTC").day_of(BASE), Days("UTC").day_of(BASE))
    assert told
    assert [plan for plan in told if plan.startswith(("SCAN results", "SCAN faces", "SCAN tracks", "SCAN visits"))] == []
    assert [plan for plan in told if "TEMP B-TREE" in plan and "LAST TERM" not in plan and "visits" in plan] == []
