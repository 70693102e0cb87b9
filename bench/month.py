"""A month in a history's SQLite: results, and what the rooms would make of them, by SQL alone: their code would take hours.

Result number `i` is of camera `i % cameras`, all evenly apart; FACES_A_TRACK in a row of a camera are a track, each a visit.
One in two is somebody known, who walks from camera to camera.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Table

from history import audience_tables
from history.packing import packed
from history.rooms import TABLES
from history.schema import AGES, EMOTIONS, SUM_STEPS

DAY, HOUR, MINUTE = 86_400, 3600, 60
DAYS, PEOPLE, FACES_A_TRACK, EVENINGS = 30, 200, 40, 5
_FASTER = ("journal_mode = OFF", "synchronous = OFF", "secure_delete = OFF", "cache_size = -400000")


@dataclass(frozen=True, slots=True)
class Month:
    """So many results of so many cameras in DAYS days up to `until`, a whole minute; texts are SQL over a row's number `i`."""

    count: int
    cameras: int
    until: int

    @property
    def first(self) -> int:
        return self.until - DAYS * DAY

    @property
    def tracks(self) -> int:
        return self.count // FACES_A_TRACK

    @property
    def camera(self) -> str:
        return f"('cam' || (i % {self.cameras}))"

    @property
    def number(self) -> str:
        """Which of its camera a row is."""
        return f"(i / {self.cameras})"

    def at(self, result: str = "i") -> str:
        """When a result is taken."""
        return f"({self.first} + {result} * {DAYS * DAY / self.count!r})"

    def of_track(self, track: str) -> Mapping[str, str]:
        """The name, camera and times of a track: those of its first and its last face."""
        number, place = f"(({track}) / {self.cameras})", f"(({track}) % {self.cameras})"
        first = f"({number} * {self.cameras * FACES_A_TRACK} + {place})"
        return {
            "track": f"('cam' || {place} || '-' || {number})",
            "camera": f"('cam' || {place})",
            "since": self.at(first),
            "until": self.at(f"({first} + {self.cameras * (FACES_A_TRACK - 1)})"),
        }

    @property
    def person(self) -> str:
        """Who a track is."""
        who = f"((i * 7 + i / {self.cameras}) % {2 * PEOPLE})"
        return f"CASE WHEN {who} < {PEOPLE} THEN 'p_' || {who} END"

    def evening(self, back: int) -> tuple[float, float]:
        """Return when a show of four hours began and stopped, so many days ago."""
        began = self.until - back * DAY - 10 * HOUR + 17.3
        return began, began + 4 * HOUR


def fill(file: Path, month: Month) -> None:
    """Make all of it in tables that are empty; statistics that production has none of are not made."""
    connection = sqlite3.connect(file, isolation_level=None)
    for pragma in _FASTER:
        connection.execute(f"PRAGMA {pragma}")
    indexes = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    fill_results(connection, month)
    fill_tracks(connection, month)
    fill_sums(connection, month)
    fill_audience(connection, month)
    for _, sql in indexes:
        connection.execute(sql)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()


def fill_results(connection: sqlite3.Connection, month: Month) -> None:
    """Make results with a face each."""
    about = {"camera": "cam0", "seq": 1, "width": 1280, "height": 720, "FaceDetails": [{**FACE, "Track": "cam0-1"}]}
    connection.execute("CREATE TEMP TABLE one AS SELECT ? AS response", [packed(about)])
    at, track = month.at(), f"({month.camera} || '-' || (i / {month.cameras * FACES_A_TRACK}))"
    emotion = "CASE i % 9 " + " ".join(f"WHEN {place} THEN '{name.upper()}'" for place, name in enumerate(EMOTIONS)) + " END"
    rows(connection, month.count, "results", {
        "number": "i + 1", "stream": "1", "id": f"CAST({at} * 1000 AS INTEGER) || '-' || i", "camera": month.camera,
        "operation": "'DetectFaces'", "provider": "'local'", "captured_at": at, "published_at": f"{at} + 0.2", "faces": "1",
        "dollars": "0.0", "response": "(SELECT response FROM one)",
    })  # fmt: skip
    rows(connection, month.count, "faces", {
        "result": "i + 1", "place": "0", "camera": month.camera, "at": at, "track": track, "age_low": "20 + i % 30",
        "age_high": "30 + i % 30", "gender": "CASE i % 2 WHEN 0 THEN 'Female' ELSE 'Male' END", "emotion": emotion,
        "emotion_confidence": "90.0", "smile": "i % 100", "yaw": "i % 40 - 20", "pitch": "0.0", "roll": "0.0",
        "height_px": "200.0", "width_px": "150.0", "confidence": "99.0",
    })  # fmt: skip


def fill_tracks(connection: sqlite3.Connection, month: Month) -> None:
    """Make tracks, a visit of each, and people."""
    span = month.of_track("i")
    rows(connection, PEOPLE, "people", {"id": "'p_' || i", "name": "'Person ' || i", "added": str(month.first)})
    rows(connection, month.tracks, "tracks", {**span, "faces": str(FACES_A_TRACK), "person": month.person})
    rows(connection, month.tracks, "visits", {
        "id": "i + 1", "camera": span["camera"], "person": month.person, "began": span["since"], "ended": span["until"],
        "similarity": "99.0", "is_open": "0",
    })  # fmt: skip


def fill_sums(connection: sqlite3.Connection, month: Month) -> None:
    """Make what results, calls and tracks add up to."""
    minutes = DAYS * DAY // MINUTE * month.cameras
    each = month.count // minutes
    counted = {name: f"i % {place + 3}" for place, name in enumerate(("smiling", "female", "male", *EMOTIONS, *AGES))}
    for length, table in ((MINUTE, "minutes"), *((length, "sums") for length in SUM_STEPS)):
        many = str(each * length // MINUTE)
        at = f"({month.first} / {length} + {month.number}) * {length}"
        told = {"camera": month.camera, "step": str(length), "at": at, "minute": at, "age_sum": "5.8", "age_max": "0.9"}
        figures = {**dict.fromkeys(("results", "calls", "faces"), many), **counted}
        rows(connection, (DAYS * DAY // length + 1) * month.cameras, table, {**told, **figures})
    hours = {"hour": f"({month.first} / {HOUR} + {month.number}) * {HOUR}", "camera": month.camera}
    made = {"calls": str(60 * each), "failed": "0", "charged": str(60 * each), "since": f"{month.first}"}
    about = {"operation": "'DetectFaces'", "provider": "'local'", "until": f"{month.first} + {HOUR}"}
    rows(connection, DAYS * 24 * month.cameras, "spending", {**hours, **about, **made})


def fill_audience(connection: sqlite3.Connection, month: Month) -> None:
    """Make stays, laughs in one of four, what they add up to, and shows of all cameras (s_0 ...) and of one (s_one_0 ...)."""
    stay = {"looks": "40", "seconds": "30.0", "age": "30.0", "gender": "'Female'", "emotion": "'HAPPY'"}
    rows(connection, month.tracks, "stays", {**month.of_track("i"), **stay})
    of = month.of_track("4 * i + i / 2 % 4")
    rows(connection, month.tracks // 4, "laughs", {
        "number": "i + 1", "track": of["track"], "place": "0", "camera": of["camera"], "start": f"{of['since']} + 8",
        "minute": f"CAST({of['since']} + 8 AS INTEGER) / 60 * 60", "end": f"{of['since']} + 11", "peak": "0.9",
        "peak_at": f"{of['since']} + 10", "disputed": "i % 20 = 0",
    })  # fmt: skip
    counted = {name: f"i % {place + 3}" for place, name in enumerate(EMOTIONS)}
    looks = {"looks": "29", "arrivals": "i % 3", "seen": "i % 4", "seconds": "60.0", "dwell": "30.0"}
    for length in audience_tables.STEPS:
        steps = {"step": str(length), "at": f"({month.first} / {length} + {month.number}) * {length}", "camera": month.camera}
        rows(connection, (DAYS * DAY // length + 1) * month.cameras, "audience", {**steps, **looks, **counted})
    for name, cameras in (("s_", []), ("s_one_", ["cam1"])):
        for back in range(EVENINGS):
            began, stopped = month.evening(back)
            times = {"started_at": str(began), "stopped_at": str(stopped)}
            about = {"id": f"'{name}{back}'", "name": "'a show'", "cameras": f"'{json.dumps(cameras)}'", "currency": "'EUR'"}
            rows(connection, 1, "shows", {**about, **times})


def rows(connection: sqlite3.Connection, count: int, name: str, told: Mapping[str, str]) -> None:
    """Insert so many rows into a table: values are SQL over the row's number `i`, else NULL, 0 or ''."""
    table = TABLES.tables[name]
    values = {column.name: told.get(column.name, _plain(table, column.name)) for column in table.columns}
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count - 1})"
    columns = ", ".join(f'"{one}"' for one in values)
    connection.execute(f"INSERT INTO {name} ({columns}) {numbers} SELECT {', '.join(values.values())} FROM n")


def _plain(table: Table, name: str) -> str:
    column = table.c[name]
    if column.nullable:
        return "NULL"
    return "''" if column.type.python_type is str else "0"


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
