"""The history: how fast its writer is, and how long the pages' questions take over ten million results.

python -m bench.history [--results 10000000] [--folder FOLDER]      the database of the second part takes 1 GB a million results
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from prometheus_client import CollectorRegistry
from sqlalchemy import Table

from bench import rig
from history.database import Database
from history.house import HistorySettings, House, Recorder
from history.packing import packed
from history.rooms import ROOMS, TABLES
from history.schema import AGES, EMOTIONS
from history.writer import Writer
from pipeline import keys
from pipeline.broker import Broker
from pipeline.clock import RedisClock
from pipeline.metrics import HistoryMetrics
from pipeline.requests import Request

WRITTEN, FACES = 20_000, 1
CAMERAS, DAYS, PEOPLE, FACES_A_TRACK = 8, 30, 200, 40
DAY = 86_400
TIMES = 5
_MARKS = [{"Type": f"mark{number}", "X": 0.3104021, "Y": 0.3667291} for number in range(30)]
FACE = {
    "BoundingBox": {"Width": 0.1253851, "Height": 0.2696484, "Left": 0.2168235, "Top": 0.2736688},
    "AgeRange": {"Low": 22, "High": 30},
    "Smile": {"Value": True, "Confidence": 98.51},
    "Gender": {"Value": "Female", "Confidence": 99.00719},
    "EyesOpen": {"Value": True, "Confidence": 99.83957},
    "MouthOpen": {"Value": False, "Confidence": 98.10943},
    "Emotions": [{"Type": name.upper(), "Confidence": 90.0 / (place + 1)} for place, name in enumerate(EMOTIONS)],
    "Landmarks": _MARKS,
    "Pose": {"Roll": -1.98443, "Yaw": -0.80968, "Pitch": -5.27734},
    "Quality": {"Brightness": 48.22948, "Sharpness": 85.41283},
    "Confidence": 93.82596,
}
_CAMERA = "'cam' || (i % 8)"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--results", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with rig.valkey() as url, tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        broker = Broker(url)
        write(broker, Path(folder))
        ask(broker, Path(folder) / "large", asked.results)
        broker.close()


def write(broker: Broker, folder: Path) -> None:
    """The whole writer, with all rooms, on a backlog: how much of a core does a result cost?"""
    publish(broker)
    house, rooms = furnished(broker, folder)
    stop = threading.Event()
    stop.set()  # it ends when all is written
    writer = Writer(broker, house.database, rooms, HistoryMetrics(CollectorRegistry()), lambda: True, stop)
    cpu, began = time.process_time(), time.monotonic()
    writer._follow()
    took, busy = time.monotonic() - began, time.process_time() - cpu
    assert writer.place.position == WRITTEN
    house.database.close()
    print("| the writer, all rooms, a face a result | measured | line |")
    print("|---|---|---|")
    print(f"| results a second of one core | {WRITTEN / busy:,.0f} | 500 |")
    print(f"| results a second, as the clock has it | {WRITTEN / took:,.0f} | |")


def publish(broker: Broker) -> None:
    now = time.time()
    pipe = broker.jobs.pipeline(transaction=False)
    for number in range(WRITTEN):
        face = {**FACE, "Track": f"cam{number % CAMERAS}-{number // (CAMERAS * FACES_A_TRACK)}"}
        result = {
            "seq": number, "captured_at": now - 100 + number / 200, "width": 1280, "height": 720, "provider": "local",
            "stages": {"encode": 0.01, "queue": 0.01, "limit": 0.0, "upload": 0.01, "service": 0.1},
            "FaceDetails": [face] * FACES,
        }  # fmt: skip
        at = f"{now - 99.8 + number / 200:.6f}"
        pipe.xadd(keys.RESULTS, {"camera": f"cam{number % CAMERAS}", "published_at": at, "result": json.dumps(result)})
        if number % 1000 == 0:
            pipe.execute()
    pipe.execute()


def furnished(broker: Broker, folder: Path) -> tuple[House, list[Recorder]]:
    """Return a house with all rooms in it, none of which does anything yet."""
    folder.mkdir(exist_ok=True)
    database = Database(folder, "", TABLES)
    house = House(broker, database, RedisClock(broker.scripts), HistorySettings(folder), CollectorRegistry())
    rooms: list[Recorder] = [room(house) for room in ROOMS]
    for room in rooms:
        room.meet({type(other): other for other in rooms})
    return house, rooms


def ask(broker: Broker, folder: Path, count: int) -> None:
    """Put the pages' questions to a month of results."""
    house, rooms = furnished(broker, folder)
    house.database.prepare()
    house.database.close()
    began, until = time.monotonic(), int(time.time()) // 60 * 60
    fill(folder / "history.sqlite", count, until)
    filled = time.monotonic() - began
    answers = {what: answer for room in rooms for what, answer in room.answers().items()}
    size = (folder / "history.sqlite").stat().st_size / 1e9
    print(f"\n| {count:,} results of {CAMERAS} cameras in {DAYS} days ({size:.1f} GB) | median ms | first, ms | line |")
    print("|---|---|---|---|")
    for name, what, members in questions(until):
        if what in answers:
            times = [asked(answers[what], what, one) for one in members]
            print(f"| {name} | {1000 * median(times):.0f} | {1000 * times[0]:.0f} | 200 |", flush=True)
    house.database.close()
    print(f"\nfilled in {filled:.0f} s")


def asked(answer: Any, what: str, members: Mapping[str, Any]) -> float:
    began = time.perf_counter()
    answer(Request("1", what, members))
    return time.perf_counter() - began


def questions(until: int) -> Iterator[tuple[str, str, Sequence[Mapping[str, Any]]]]:
    """Yield what the pages ask, each TIMES times with other days and cameras; whoever adds a question adds it here."""
    days = [{"since": until - (n + 1) * DAY, "until": until - n * DAY, "camera": f"cam{n % CAMERAS}"} for n in range(TIMES)]
    month = {"since": until - DAYS * DAY, "until": until}
    theirs = [{**month, "person": f"p_{2 * n}", "limit": 50} for n in range(TIMES)]
    yield "status", "history.status", [{}] * TIMES
    yield "search: newest", "history.search", [{"limit": 50}] * TIMES
    yield "search: a day of a camera", "history.search", days
    yield "search: an emotion in a month", "history.search", [{**month, "emotion": "sad", "limit": 50}] * TIMES
    yield "search: a person in a month", "history.search", theirs
    yield "timeline: a day", "history.timeline", days
    yield "timeline: a month", "history.timeline", [month] * TIMES
    yield "timeline: a person's month", "history.timeline", theirs
    yield "audience: a day", "history.audience", days
    yield "audience: a month", "history.audience", [month] * TIMES
    yield "attendance: a day", "history.attendance", [{"day": _day(until - (n + 1) * DAY)} for n in range(TIMES)]
    yield "money: a month", "history.money", [month] * TIMES


def _day(at: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(at))


def fill(file: Path, count: int, until: int) -> None:
    """Make a month of results, and what the rooms would have made of them, without their code: that would take hours."""
    step, first = DAYS * DAY / count, until - DAYS * DAY
    at = f"({first} + i * {step!r})"
    track = f"({_CAMERA} || '-' || (i / {CAMERAS * FACES_A_TRACK}))"
    emotion = "CASE i % 9 " + " ".join(f"WHEN {place} THEN '{name.upper()}'" for place, name in enumerate(EMOTIONS)) + " END"
    connection = sqlite3.connect(file, isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "secure_delete = OFF", "cache_size = -400000"):
        connection.execute(f"PRAGMA {pragma}")
    indexes = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    about = {"camera": "cam0", "seq": 1, "width": 1280, "height": 720, "FaceDetails": [{**FACE, "Track": "cam0-1"}]}
    connection.execute("CREATE TEMP TABLE one AS SELECT ? AS response", [packed(about)])
    rows(connection, count, "results", {
        "number": "i + 1", "stream": "1", "id": f"CAST({at} * 1000 AS INTEGER) || '-0'", "camera": _CAMERA,
        "operation": "'DetectFaces'", "provider": "'local'", "captured_at": at, "published_at": f"{at} + 0.2", "faces": "1",
        "dollars": "0.0", "response": "(SELECT response FROM one)",
    })  # fmt: skip
    rows(connection, count, "faces", {
        "result": "i + 1", "place": "0", "camera": _CAMERA, "at": at, "track": track, "age_low": "20 + i % 30",
        "age_high": "30 + i % 30", "gender": "CASE i % 2 WHEN 0 THEN 'Female' ELSE 'Male' END", "emotion": emotion,
        "emotion_confidence": "90.0", "smile": "i % 100", "yaw": "i % 40 - 20", "pitch": "0.0", "roll": "0.0",
        "height_px": "200.0", "width_px": "150.0", "confidence": "99.0",
    })  # fmt: skip
    fill_rest(connection, count, first, step)
    for _, sql in indexes:
        connection.execute(sql)
    connection.execute("ANALYZE")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()


def fill_rest(connection: sqlite3.Connection, count: int, first: int, step: float) -> None:
    """Make tracks, visits, stays and sums, as many as so many results have."""
    number = f"(i / {CAMERAS})"
    since = f"({first} + {number} * {CAMERAS * FACES_A_TRACK * step!r} + i % {CAMERAS})"
    until = f"{since} + {CAMERAS * FACES_A_TRACK * step * 0.9!r}"
    track, person = f"({_CAMERA} || '-' || {number})", f"'p_' || (i % {PEOPLE})"
    sums = {name: f"i % {place + 3}" for place, name in enumerate(("smiling", "female", "male", *EMOTIONS, *AGES))}
    span = {"track": track, "camera": _CAMERA, "since": since, "until": until}
    tracks = count // FACES_A_TRACK
    rows(connection, tracks, "tracks", {**span, "faces": str(FACES_A_TRACK), "person": f"CASE i % 2 WHEN 0 THEN {person} END"})
    rows(connection, tracks, "visits", {
        "id": "i + 1", "camera": _CAMERA, "person": f"CASE i % 2 WHEN 0 THEN {person} END", "began": since, "ended": until,
        "similarity": "99.0", "is_open": "0",
    })  # fmt: skip
    rows(connection, PEOPLE, "people", {"id": person, "name": "'Person ' || i", "added": str(first)})
    stay = {"looks": "40", "seconds": "30.0", "age": "30.0", "gender": "'Female'", "emotion": "'HAPPY'"}
    rows(connection, tracks, "stays", {**span, **stay})
    minute = f"({first} + {number} * 60)"
    each = {"camera": _CAMERA, "results": "29", "calls": "29", "faces": "29", "age_sum": "5.8", "age_max": "0.9"}
    rows(connection, DAYS * DAY // 60 * CAMERAS, "minutes", {**each, **sums, "minute": minute})
    looks = {"looks": "29", "arrivals": "i % 3", "seen": "i % 4", "seconds": "60.0", "dwell": "30.0"}
    for length in (60, 3600):
        steps = {"step": str(length), "at": f"({first} / {length} + {number}) * {length}", "camera": _CAMERA}
        rows(connection, DAYS * DAY // length * CAMERAS, "audience", {**steps, **looks, **sums})
    hour = {
        "hour": f"({first} / 3600 + {number}) * 3600",
        "camera": _CAMERA,
        "operation": "'DetectFaces'",
        "provider": "'local'",
    }
    calls = {"calls": "1740", "failed": "0", "charged": "1740", "since": f"{first}", "until": f"{first} + 3600"}
    rows(connection, DAYS * 24 * CAMERAS, "spending", {**hour, **calls})


def rows(connection: sqlite3.Connection, count: int, name: str, told: Mapping[str, str]) -> None:
    """Insert so many rows into a table, if there is one: values are SQL over the row's number `i`, else 0 or ''."""
    table = TABLES.tables.get(name)
    if table is None:
        return
    values = {column.name: told.get(column.name, _plain(table, column.name)) for column in table.columns}
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count - 1})"
    columns = ", ".join(f'"{one}"' for one in values)
    connection.execute(f"INSERT OR IGNORE INTO {name} ({columns}) {numbers} SELECT {', '.join(values.values())} FROM n")


def _plain(table: Table, name: str) -> str:
    column = table.c[name]
    if column.nullable:
        return "NULL"
    return "''" if column.type.python_type is str else "0"


if __name__ == "__main__":
    main()
