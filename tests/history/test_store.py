"""What is kept, for how long, and how it goes out and comes back: on both databases, with the same answers."""

from __future__ import annotations

import csv
import json
import math
import re
import sqlite3
import stat
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import Connection, insert, select, update

from history import export, retention
from history.database import Database
from history.export import COLUMNS, CsvWriter, JsonLinesWriter, ParquetWriter, Wish, pages
from history.mirror import people
from history.nameless import Nameless
from history.packing import unpacked
from history.portable import back_up, put_back
from history.records import Records
from history.retention import Retention
from history.rooms import TABLES
from history.schema import faces, gaps, minutes, results, sums, tracks
from history.writer import write_results
from people.database import Database as PeopleDatabase
from people.rooms import TABLES as PEOPLE_TABLES
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.entities import Purpose, Result
from pipeline.errors import SettingsError
from pipeline.settings import Settings
from rekstream import history_files
from tests.dashboard.support import camera, put_cameras
from tests.history.support import Writing, face, rows

WHEN = 1_795_000_000.0


def result(number: int, at: float = WHEN, shown: Sequence[dict[str, Any]] = (), camera: str = "door", **members: Any) -> Result:
    answer = {"FaceDetails": list(shown)} if "operation" not in members else members.pop("response", {})
    return Result(f"{int(at * 1000)}-{number}", camera, number, at, at + 0.25, 1280, 720, "local", response=answer, **members)


@pytest.fixture
def database(tmp_path: Path, url: str) -> Any:
    database = Database(tmp_path, url, TABLES)
    yield database
    database.close()


def written(database: Database, *found: Result) -> None:
    with database.writing() as connection:
        write_results(connection, found, 1)


def numbers(connection: Connection) -> list[str]:
    return list(connection.execute(select(results.c.id).order_by(results.c.number)).scalars())


def test_what_is_written_twice_is_there_once(database: Database) -> None:
    both = [result(1, shown=[face("door-1")]), result(2, shown=[face("door-1"), face("door-2")])]
    written(database, both[0])
    written(database, *both)
    written(database, *both)
    with database.reading() as connection:
        assert len(numbers(connection)) == 2
        assert connection.execute(select(minutes.c.results, minutes.c.faces)).one() == (2, 3)
        assert connection.execute(select(tracks.c.track, tracks.c.faces).order_by(tracks.c.track)).all() == [
            ("door-1", 2),
            ("door-2", 1),
        ]


@pytest.mark.parametrize(
    "strange",
    [
        {"AgeRange": {"Low": 1e300, "High": "old"}, "Gender": [], "Pose": {"Yaw": float("nan")}, "Smile": {"Value": 1}},
        {"Emotions": [None, {"Type": "A\0B", "Confidence": "much"}, {"Type": 7}], "Track": "door-\ud800-1\0", "BoundingBox": 3},
    ],
    ids=["numbers", "texts"],
)
def test_no_answer_is_too_strange_to_be_written(database: Database, strange: dict[str, Any]) -> None:
    written(database, result(1, shown=[strange, face("door-1")], camera="d\0oor"), replace(result(2), captured_at=math.inf))
    with database.reading() as connection:
        assert connection.execute(select(results.c.camera, results.c.faces).order_by(results.c.number)).all() == [
            ("door", 2),
            ("door", 0),
        ]
        assert len(connection.execute(select(faces)).all()) == 2


def test_what_became_too_old_goes_in_small_steps(
    broker: Broker, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "STEP", 3)
    monkeypatch.setattr(retention, "PAUSE_SECONDS", 0.0)
    steps: list[int] = []
    writing = Writing(broker, tmp_path, url, (Records, Retention), keep=86_400.0)
    now = writing.house.clock.now()
    old = [result(number, now - 90_000 - 60 * number, [face(f"door-{number}")]) for number in range(8)]
    new = [result(number, now - 60 * number, [face("door-new")]) for number in range(2)]
    written(writing.database, *old, *new)
    with writing.database.writing() as connection:
        gone = {"stream": 1, "after": "0", "until": None, "since": 1.0, "lost": 1, "why": ""}
        connection.execute(insert(gaps), [{**gone, "till": now - 90_000}, {**gone, "till": now}])
    with monkeypatch.context() as patched:
        counted = retention._delete_results
        patched.setattr(retention, "_delete_results", lambda *told: steps.append(done := counted(*told)) or done)
        (room,) = (room for room in writing.rooms if isinstance(room, Retention))
        longer = sum(row["at"] < now - 86_400 for row in rows(writing, sums))
        assert room.delete_old() == 8 + 8 + 8 + longer + 1  # results, tracks, minutes, sums, gaps
    assert steps == [3, 3, 2]
    assert [row["id"] for row in rows(writing, results)] == [each.id for each in new]
    assert [row["track"] for row in rows(writing, tracks)] == ["door-new"]
    assert (len(rows(writing, faces)), len(rows(writing, gaps))) == (2, 1)
    assert room.delete_old() == 0
    writing.database.close()


def test_somebody_who_is_forgotten_is_in_no_row_and_no_response(broker: Broker, tmp_path: Path, url: str) -> None:
    """The others of the same pictures stay; a face that did not count is taken out as well."""
    writing = Writing(broker, tmp_path, url, (Records,))
    (room,) = writing.rooms
    grace, other = face("door-1"), face("door-2")
    search = result(
        3, camera="door:1", operation="SearchFacesByImage", response={"Track": "door-1", "FaceMatches": [{"Face": {}}]}
    )
    written(
        writing.database,
        result(1, shown=[grace, other]),
        result(2, WHEN + 1, [{**grace, "Ignored": "small"}, other, grace]),
        search,
    )
    with writing.database.writing() as connection:
        connection.execute(update(tracks).where(tracks.c.track == "door-1").values(person="p_1"))
    with writing.database.reading() as connection:
        before = room.remaining(connection, "p_1", [])
    assert before == {"faces": 2, "responses": 2, "searches": 1, "tracks": 1}
    with writing.database.writing() as connection:
        assert room.forget(connection, "p_1", []) == before
    with writing.database.reading() as connection:
        assert set(room.remaining(connection, "p_1", ["door-1"]).values()) == {0}
        kept = [unpacked(row) for row in connection.execute(select(results.c.response)).scalars() if row is not None]
    assert [[shown["Track"] for shown in about["FaceDetails"]] for about in kept] == [["door-2"], ["door-2"]]
    assert [row["track"] for row in rows(writing, faces)] == ["door-2", "door-2"]
    writing.database.close()


def test_it_goes_out_as_csv_json_lines_and_parquet(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PAGE", 2)
    shown = face("door-1", Gender={"Value": "Female", "Confidence": 99.0})
    found = [result(number, WHEN + number // 2, [shown, face()] if number else []) for number in range(5)]
    written(database, *found, result(9, WHEN, camera="=cmd()"), result(10, WHEN + 10))
    with database.writing() as connection:
        connection.execute(update(tracks).values(person="p_1"))
    wish = Wish(WHEN, WHEN + 10, ("door",))
    with (tmp_path / "csv").open("w") as table, (tmp_path / "jsonl").open("w") as lines:
        writers = [CsvWriter(table), JsonLinesWriter(lines), ParquetWriter(tmp_path / "parquet")]
        for writer in writers:
            for page in pages(database, wish):
                writer.write(page)
            writer.close()
        (formula,) = pages(database, Wish(WHEN, WHEN + 1, ("=cmd()",)))
    header, *written_rows = (tmp_path / "csv").read_text().splitlines()
    assert header == ",".join(COLUMNS)
    assert len(written_rows) == 1 + 4 * 2
    assert written_rows[1].startswith(
        "1795000000000-1,2026-11-18T11:06:40.000+00:00,1795000000.0,door,DetectFaces,local,0.25,,0.0,2,0,door-1,p_1"
    )
    told = [json.loads(line) for line in (tmp_path / "jsonl").read_text().splitlines()]
    assert [line["id"] for line in told] == [each.id for each in found]
    assert told[1]["FaceDetails"][0] == {**shown, "Person": {"Id": "p_1", "Name": ""}}
    table = pq.read_table(tmp_path / "parquet").to_pylist()
    assert [row["result"] for row in table] == [row.split(",")[0] for row in written_rows]
    assert (table[1]["gender"], table[1]["smile"], table[0]["place"]) == ("Female", 98.5, None)
    assert "'=cmd()" in export.as_text(formula, "csv", header=False)  # no spreadsheet computes what a camera is called


def test_an_export_names_people_where_that_may_be_and_is_in_the_audit_log(broker: Broker, tmp_path: Path, url: str) -> None:
    writing = Writing(broker, tmp_path, url, (Records, Nameless))
    put_cameras(broker, camera("door"), camera("stage", purpose=Purpose.AUDIENCE), camera("yard", purpose=Purpose.AUDIENCE))
    nobody = next(room for room in writing.rooms if isinstance(room, Nameless))
    nobody.look()
    put_cameras(broker, camera("yard"))
    CameraRegistry(broker.scripts).remove("stage")  # what was taken there stays what it was
    nobody.look()
    for number, name in enumerate(("door", "stage", "yard")):
        written(writing.database, result(number, WHEN, [face(f"{name}-1")], camera=name))
    with writing.database.writing() as connection:
        connection.execute(insert(people).values(id="p_1", name="Grace Hopper", added=0.0))
        connection.execute(update(tracks).values(person="p_1"))
    settings = Settings(data=tmp_path, database=url or None)
    words = (settings, "2026-11-18", "2026-11-20", (), "csv", tmp_path / "out.csv")
    assert "that names were written out stands in no audit log: there is no" in history_files.export(*words)
    known = PeopleDatabase(tmp_path, PEOPLE_TABLES)
    assert history_files.export(*words) == f"3 results written to {tmp_path / 'out.csv'}"
    with (tmp_path / "out.csv").open() as file:
        told = [(row["camera"], row["person_id"], row["person"]) for row in csv.DictReader(file)]
    assert sorted(told) == [("door", "p_1", "Grace Hopper"), ("stage", "", ""), ("yard", "p_1", "Grace Hopper")]
    ((who, what, detail),) = known.rows("SELECT who, what, detail FROM audit")
    assert (who, what) == ("this machine", "export")
    assert re.fullmatch(r"history as csv, 2026-11-1[78] \d\d:\d\d to 2026-11-(19|20) \d\d:\d\d UTC", detail)
    writing.database.close()
    known.close()


def test_a_backup_goes_back_into_either_database(database: Database, tmp_path: Path, postgresql: Any, url: str) -> None:
    """Every row of every table, and new ones get numbers of their own."""
    written(database, *(result(number, WHEN + number, [face(f"door-{number}")]) for number in range(3)))
    with database.reading() as connection:
        before = {table.name: connection.execute(select(table)).all() for table in TABLES.sorted_tables}
    file = tmp_path / "backup"
    assert back_up(database, file, TABLES) == 3
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.glob("backup*")] == ["backup"]
    with pytest.raises(SettingsError, match="is there already"):
        back_up(database, file, TABLES)
    other = Database(tmp_path / "other", "" if url else postgresql.url, TABLES)
    lock = tmp_path / "other" / "history.lock"
    assert put_back(other, file, lock, TABLES, replace=False) == 3
    with other.reading() as connection:
        assert {table.name: connection.execute(select(table)).all() for table in TABLES.sorted_tables} == before
    written(other, result(9, WHEN + 9))
    with pytest.raises(SettingsError, match="holds 4 results already: say --replace"):
        put_back(other, file, lock, TABLES, replace=False)
    assert put_back(other, file, lock, TABLES, replace=True) == 3
    other.close()


def test_a_backup_waits_for_no_pause_of_the_writer(tmp_path: Path) -> None:
    """SQLite begins anew when somebody writes between two pieces of a copy."""
    database = Database(tmp_path, "", TABLES)
    written(database, *(result(number, WHEN + number, [face()]) for number in range(2000)))
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            written(database, result(5000 + time.monotonic_ns() % 10**9, WHEN + 9000))

    writer = threading.Thread(target=write)
    writer.start()
    assert back_up(database, tmp_path / "backup", TABLES) >= 2000
    stop.set()
    writer.join()
    database.close()


def test_what_is_no_backup_is_refused_in_one_sentence_and_changes_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path, "", TABLES)
    written(database, result(1))
    lock = tmp_path / "history.lock"
    (tmp_path / "text").write_text("not a database at all" * 100)
    sqlite3.connect(tmp_path / "foreign").execute("CREATE TABLE other (x)").connection.close()
    back_up(database, tmp_path / "newer", TABLES)
    newer = sqlite3.connect(tmp_path / "newer")
    with newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
    newer.close()
    for name, harm in (
        ("half", "DROP TABLE tracks"),
        ("wrong", "UPDATE results SET dollars = 'much'"),
        ("no", "DELETE FROM alembic_version"),
    ):
        back_up(database, tmp_path / name, TABLES)
        damaged = sqlite3.connect(tmp_path / name)
        with damaged:
            damaged.execute(harm)
        damaged.close()
    for name, why in (
        ("nothing", "there is no file"),
        ("text", "is no backup"),
        ("foreign", "is no backup"),
        ("newer", "newer rekstream"),
        ("half", "is damaged (it has no tracks."),
        ("wrong", "is damaged"),
    ):
        with pytest.raises(SettingsError, match=re.escape(why)):
            put_back(database, tmp_path / name, lock, TABLES, replace=True)
    with database.reading() as connection:
        assert len(numbers(connection)) == 1
    database.close()
    assert not list(tmp_path.glob("*.restoring*"))
