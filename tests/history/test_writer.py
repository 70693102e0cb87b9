"""The writer: each result once, whatever dies meanwhile; what could not be written is told, exactly."""

from __future__ import annotations

import json
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, Text, delete, insert, select, update

from history import rows as row_module
from history.house import Recorder
from history.packing import unpacked
from history.rows import NOTHING
from history.schema import faces, gaps, minutes, results, streams, sums, tracks
from pipeline import keys
from pipeline.broker import Broker
from pipeline.entities import Result
from pipeline.errors import StorageError
from pipeline.results import Results
from tests.conftest import Valkey, wait_until
from tests.history.support import Writing, face, publish, rows

HEARD = Table("heard", MetaData(), Column("id", Text, primary_key=True), Column("seq", Integer))


class Ear(Recorder):
    """Writes down what it hears."""

    def hear(self, connection: Connection, results: Sequence[Result]) -> None:
        connection.execute(insert(HEARD), [{"id": result.id, "seq": result.seq} for result in results])


class Deaf(Recorder):
    def hear(self, connection: Connection, results: Sequence[Result]) -> None:
        connection.execute(insert(HEARD), [{"id": "nobody sees this", "seq": 0}])
        raise ValueError("told to fail")


def ids(process: Writing) -> list[str]:
    return [row["id"] for row in rows(process, results)]


def test_a_result_becomes_rows(broker: Broker, tmp_path: Path, url: str) -> None:
    smiling = face("door-1", AgeRange={"Low": 20, "High": 28}, Gender={"Value": "Female", "Confidence": 99.0}, Pose={"Yaw": 9})
    grim = {"Smile": {"Value": False, "Confidence": 90.0}, "Emotions": [{"Type": "SAD", "Confidence": 60.0}]}
    found = [smiling, grim, face("door-2", Ignored="zone")]
    with Writing(broker, tmp_path, url) as process:
        wait_until(lambda: rows(process, streams))
        entry = publish(broker, at=1_795_000_000.25, faces=found)
        wait_until(lambda: ids(process) == [entry])
        (row,) = rows(process, results)
        assert (row["camera"], row["operation"], row["faces"]) == ("door", "DetectFaces", 2)
        assert row["captured_at"] == 1_795_000_000.25
        assert unpacked(row["response"]) == Results(broker.scripts).latest(1)[0].as_json()
        first, second = rows(process, faces)
        assert (first["track"], first["age_low"], first["gender"], first["emotion"]) == ("door-1", 20, "Female", "HAPPY")
        assert (first["smile"], first["yaw"], round(first["height_px"]), first["at"]) == (98.5, 9.0, 288, 1_795_000_000.25)
        assert (second["track"], second["smile"], second["emotion"], second["gender"]) == (None, 10.0, "SAD", None)
        assert [row["track"] for row in rows(process, tracks)] == ["door-1"]
        (minute,) = rows(process, minutes)
        assert (minute["minute"], minute["results"], minute["faces"], minute["smiling"]) == (1_794_999_960, 1, 2, 1)
        assert (minute["female"], minute["male"], minute["happy"], minute["sad"]) == (1, 0, 1, 1)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} <= {0o600}  # none of PostgreSQL


def test_minutes_and_tracks_add_up_over_batches(broker: Broker, tmp_path: Path, url: str) -> None:
    with Writing(broker, tmp_path, url) as process:
        for number in range(3):
            entry = publish(broker, at=1000.0 + number, faces=[face("door-1")])
            wait_until(lambda entry=entry: entry in ids(process))
        publish(broker, "door:7", at=1003.0, operation="SearchFacesByImage", Track="door-1", FaceMatches=[])
        last = publish(broker, at=1004.0, error={"code": "ThrottlingException", "message": "too many"})
        wait_until(lambda: last in ids(process))
        (minute,) = rows(process, minutes)
        assert (minute["results"], minute["calls"], minute["errors"], minute["faces"]) == (3, 5, 1, 3)
        assert [(row["step"], row["at"]) for row in rows(process, sums)] == [(900, 900), (21_600, 0)]
        assert [{name: row[name] for name in NOTHING} for row in rows(process, sums)] == [
            {name: minute[name] for name in NOTHING}
        ] * 2
        (track,) = rows(process, tracks)
        assert (track["since"], track["until"], track["faces"]) == (1000.0, 1002.0, 3)
        assert [row["track"] for row in rows(process, results)][-2:] == ["door-1", None]


def test_nothing_is_kept_of_what_belongs_to_no_camera(broker: Broker, tmp_path: Path, url: str) -> None:
    """Photos are counted, and paid; who is on them is not written down."""
    with Writing(broker, tmp_path, url) as process:
        entry = publish(broker, "photo-1f0c", faces=[face("photo-1f0c-1")], provider="aws us-east-1")
        wait_until(lambda: ids(process) == [entry])
        (row,) = rows(process, results)
        assert (row["camera"], row["faces"], row["response"], row["dollars"]) == ("photo", 0, None, 0.001)
        assert (rows(process, faces), rows(process, tracks)) == ([], [])


def test_rooms_hear_each_result_once_whatever_others_of_them_do(broker: Broker, tmp_path: Path, url: str) -> None:
    def heard(process: Writing) -> list[str]:
        with process.database.reading() as connection:
            return list(connection.execute(select(HEARD.c.id).order_by(HEARD.c.id)).scalars())

    with Writing(broker, tmp_path, url, (Deaf, Ear)) as process:
        with process.database.writing() as connection:
            HEARD.create(connection)
        first = publish(broker)
        wait_until(lambda: heard(process) == [first])
    second = publish(broker)
    broker.scripts.xgroup_setid(keys.RESULTS, "history", "0")  # all of it is handed out again
    with Writing(broker, tmp_path, url, (Deaf, Ear)) as process:
        third = publish(broker)
        wait_until(lambda: heard(process) == [first, second, third])
        assert len(rows(process, results)) == 3


def test_a_database_that_was_put_back_is_filled_up_again(broker: Broker, tmp_path: Path, url: str) -> None:
    """A backup of before, or a PostgreSQL that lost its last moments: what Redis still has is read again."""
    with Writing(broker, tmp_path, url) as process:
        first = publish(broker)
        wait_until(lambda: ids(process) == [first])
        (before,) = rows(process, streams)
        second, third = publish(broker), publish(broker)
        wait_until(lambda: ids(process) == [first, second, third])
        with process.database.writing() as connection:
            connection.execute(delete(results).where(results.c.id != first))
            connection.execute(update(streams).values(before))
    with Writing(broker, tmp_path, url) as process:
        wait_until(lambda: ids(process) == [first, second, third])
        assert rows(process, gaps) == []


def test_a_result_that_no_database_takes_takes_no_other_with_it(
    broker: Broker, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is left out and counted as missing; rooms hear all others."""
    row_of = row_module.row_of

    def too_strange(result: Result, stream: int) -> dict[str, Any]:
        return row_of(result, stream) | ({"faces": 2**100} if result.camera == "strange" else {})

    monkeypatch.setattr(row_module, "row_of", too_strange)
    good = [publish(broker), publish(broker, "strange") and publish(broker)]
    with Writing(broker, tmp_path, url, (Ear,)) as process:
        with process.database.writing() as connection:
            HEARD.create(connection)
        wait_until(lambda: ids(process) == good)
        with process.database.reading() as connection:
            assert list(connection.execute(select(HEARD.c.id).order_by(HEARD.c.id)).scalars()) == good
        assert [(gap["lost"], gap["why"]) for gap in rows(process, gaps)] == [(1, "they could not be written")]
        assert "is left out" in caplog.text
        assert sum(row["calls"] for row in rows(process, minutes)) == 2


def test_a_history_that_was_replaced_under_the_writer_is_filled_up(broker: Broker, tmp_path: Path, url: str) -> None:
    """As by `restore` on another machine: nothing is written under the number of a stream that the new one does not know."""
    with Writing(broker, tmp_path, url) as process:
        first = publish(broker)
        wait_until(lambda: ids(process) == [first])
        with process.database.writing() as connection:
            for table in (results, streams, minutes, tracks, faces):
                connection.execute(delete(table))
            connection.execute(insert(streams), [{"number": 1, "name": "of another", "last_id": "9-0", "at": 1.0, "ended": 1}])
        second = publish(broker)
        wait_until(lambda: ids(process) == [first, second])
        assert sum(row["calls"] for row in rows(process, minutes)) == 2


def test_what_was_handed_out_to_a_writer_that_died_is_written_by_the_next(broker: Broker, tmp_path: Path, url: str) -> None:
    """Before its commit or after it: the place in the database decides, and nothing is counted twice."""
    with Writing(broker, tmp_path, url) as process:
        first = publish(broker)
        wait_until(lambda: ids(process) == [first])
    (consumer,) = broker.scripts.xinfo_consumers(keys.RESULTS, "history")  # type: ignore[misc]  # sync-or-async
    lost = publish(broker)
    broker.scripts.xreadgroup("history", consumer["name"].decode(), {keys.RESULTS: ">"})  # and dies
    last = publish(broker)
    with Writing(broker, tmp_path, url) as process:
        wait_until(lambda: ids(process) == [first, lost, last])
        wait_until(lambda: not broker.scripts.xpending(keys.RESULTS, "history")["pending"])  # type: ignore[index]
        assert sum(row["calls"] for row in rows(process, minutes)) == 3
        assert rows(process, gaps) == []


def test_a_database_that_refuses_loses_nothing_and_is_told(
    broker: Broker, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = [True]

    def hear(_: Recorder, __: Connection, ___: Sequence[Result]) -> None:
        if broken:
            raise StorageError("the history database has no space left: free some")

    monkeypatch.setattr(Recorder, "hear", hear)
    with Writing(broker, tmp_path, url) as process:
        sent = [publish(broker) for _ in range(3)]
        wait_until(lambda: process.writer.why)
        assert process.writer.why == "the history database has no space left: free some"
        assert "results wait in Redis for ten minutes, and live analysis goes on" in caplog.text
        assert ids(process) == []
        broken.clear()
        wait_until(lambda: ids(process) == sent)
        wait_until(lambda: not process.writer.why)


def test_what_redis_dropped_before_it_was_read_is_a_gap_of_exactly_so_many(broker: Broker, tmp_path: Path, url: str) -> None:
    with Writing(broker, tmp_path, url) as process:
        first = publish(broker)
        wait_until(lambda: ids(process) == [first])
    for _ in range(7):
        publish(broker)
    broker.scripts.xtrim(keys.RESULTS, maxlen=0, approximate=False)
    after = publish(broker)
    with Writing(broker, tmp_path, url) as process:
        wait_until(lambda: ids(process) == [first, after])
        (gap,) = rows(process, gaps)
        assert (gap["lost"], gap["after"], gap["until"]) == (7, first, after)


def test_what_was_taken_out_because_it_shows_somebody_is_not_missing(broker: Broker, tmp_path: Path, url: str) -> None:
    """Forgetting deletes results from the middle of the stream: read or not, handed out or not, they are no gap."""
    with Writing(broker, tmp_path, url) as process:
        first = publish(broker)
        wait_until(lambda: ids(process) == [first])
    handed_out, theirs, trimmed, oldest, other, last = (publish(broker) for _ in range(6))
    (consumer,) = broker.scripts.xinfo_consumers(keys.RESULTS, "history")  # type: ignore[misc]  # sync-or-async
    broker.scripts.xreadgroup("history", consumer["name"].decode(), {keys.RESULTS: ">"}, count=1)
    Results(broker.scripts).take_out(handed_out, theirs, other)
    broker.scripts.xtrim(keys.RESULTS, minid=oldest, approximate=False)
    with Writing(broker, tmp_path, url) as process:
        wait_until(lambda: ids(process) == [first, oldest, last])
        assert [gap["lost"] for gap in rows(process, gaps)] == [1], trimmed
        wait_until(lambda: process.writer.place.position == 7)


def test_of_a_call_about_a_person_stays_that_it_was_made(broker: Broker, tmp_path: Path, url: str) -> None:
    """People take its answer out of the stream at once: what is left of it is counted, and nothing is missing."""
    answered = publish(broker, "photo-1f0c", operation="IndexFaces", FaceRecords=[{"Face": {"FaceId": "5f3c"}}])
    ((_, values),) = broker.scripts.xrange(keys.RESULTS)  # type: ignore[misc]  # sync-or-async
    Results(broker.scripts).redact(answered.encode(), "photo-1f0c", 1.0, json.loads(values[b"result"]))
    assert b"5f3c" not in str(broker.scripts.xrange(keys.RESULTS)).encode()
    with Writing(broker, tmp_path, url) as process:
        wait_until(lambda: [row["operation"] for row in rows(process, results)] == ["IndexFaces"])
        wait_until(lambda: process.writer.place.position == 2)
        assert rows(process, gaps) == []


def test_a_call_about_a_person_that_was_written_already_is_counted_once(broker: Broker, tmp_path: Path, url: str) -> None:
    with Writing(broker, tmp_path, url) as process:
        answered = publish(broker, "photo-1f0c", operation="IndexFaces", FaceRecords=[])
        wait_until(lambda: ids(process) == [answered])
        Results(broker.scripts).redact(answered.encode(), "photo-1f0c", 1.0, {"seq": 1})
        last = publish(broker)
        wait_until(lambda: ids(process) == [answered, last])
        wait_until(lambda: process.writer.place.position == 2)
        assert rows(process, gaps) == []


def test_a_gap_is_told_also_while_nothing_new_comes(broker: Broker, tmp_path: Path, url: str) -> None:
    with Writing(broker, tmp_path, url) as process:
        first = publish(broker)
        wait_until(lambda: ids(process) == [first])
    for _ in range(3):
        publish(broker)
    broker.scripts.xtrim(keys.RESULTS, maxlen=0, approximate=False)
    with Writing(broker, tmp_path, url) as process:
        wait_until(lambda: [gap["lost"] for gap in rows(process, gaps)] == [3])
    with Writing(broker, tmp_path, url) as process:  # once
        after = publish(broker)
        wait_until(lambda: ids(process) == [first, after])
        assert len(rows(process, gaps)) == 1


def test_another_redis_is_read_from_its_beginning_and_what_is_missing_of_the_first_is_not_known(
    own_valkey: Valkey, tmp_path: Path, url: str
) -> None:
    broker = Broker(own_valkey.url)
    with Writing(broker, tmp_path, url) as process:
        first = publish(broker)
        wait_until(lambda: ids(process) == [first])
        own_valkey.kill()
        own_valkey.start()
        second = publish(broker)
        wait_until(lambda: ids(process) == [first, second])
        (gap,) = rows(process, gaps)
        assert (gap["lost"], gap["why"]) == (None, "Redis was emptied, or is another one")
    broker.close()


def test_a_redis_that_was_left_in_order_leaves_no_gap(broker: Broker, tmp_path: Path, url: str) -> None:
    """No worker was there any more: nothing can be missing of that stream."""
    with Writing(broker, tmp_path, url) as process:
        wait_until(lambda: rows(process, streams))
        first = publish(broker)
    broker.scripts.flushall()
    second = publish(broker)
    with Writing(broker, tmp_path, url) as process:
        wait_until(lambda: ids(process) == [first, second])
        assert rows(process, gaps) == []
