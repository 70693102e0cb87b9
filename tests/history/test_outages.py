"""A database that is away, full or newer, and a writer that is killed: nothing is lost or doubled, and one sentence tells."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select, text

from history import writer as writer_module
from history.database import Database
from history.rooms import TABLES
from history.schema import gaps, minutes, results, tracks
from pipeline import keys
from pipeline.broker import Broker
from pipeline.errors import PartAway, RekstreamError
from pipeline.requests import Requests
from tests.conftest import Valkey, wait_until
from tests.history.postgresql import PostgreSQL
from tests.history.support import Writing, publish, publish_many, rows


def counted(database: Database) -> tuple[int, int, int, int]:
    """Return how many results there are, and how many minutes, tracks and gaps speak of."""
    with database.reading() as connection:
        of = (func.count(results.c.number), func.sum(minutes.c.calls), func.sum(tracks.c.faces), func.count(gaps.c.number))
        return tuple(int(connection.execute(select(one)).scalar() or 0) for one in of)  # type: ignore[return-value]  # four


def written(database: Database) -> int:
    try:
        return counted(database)[0]
    except RekstreamError:  # there is none yet
        return 0


@contextmanager
def running(server: Valkey, data: Path, url: str = "", before: tuple[str, ...] = ()) -> Iterator[subprocess.Popen[bytes]]:
    """Run the real `rekstream history`, and kill it in the end."""
    command = [*before, sys.executable, "-m", "rekstream", "history", "--redis", server.url, "--data", str(data)]
    told = {**os.environ, "REKSTREAM_DATABASE": url}
    with subprocess.Popen(command, env=told, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("kills", [(600, 1600), (600,)], ids=["sqlite", "postgresql"])
def test_a_writer_that_is_killed_again_and_again_loses_and_doubles_nothing(
    session_valkey: Valkey, broker: Broker, tmp_path: Path, kills: tuple[int, ...], postgresql: PostgreSQL
) -> None:
    url = "" if len(kills) > 1 else postgresql.url
    look = Database(tmp_path, url, TABLES)
    look.prepare()
    publish_many(broker, 3000)
    for kill in kills:
        with running(session_valkey, tmp_path, url):
            wait_until(lambda kill=kill: written(look) >= kill)
        assert written(look) < 3000  # it was in the middle
    with running(session_valkey, tmp_path, url):
        wait_until(lambda: written(look) == 3000)
        wait_until(lambda: not broker.scripts.xpending(keys.RESULTS, "history")["pending"])  # type: ignore[index]
    assert counted(look) == (3000, 3000, 3000, 0)
    look.close()


def test_a_postgresql_that_is_away_is_told_of_and_gets_everything_when_it_is_back(
    broker: Broker, tmp_path: Path, postgresql: PostgreSQL
) -> None:
    postgresql.stop()
    sent = [publish(broker)]
    with Writing(broker, tmp_path, postgresql.url) as writing:
        wait_until(lambda: "does not answer as it should (connection" in writing.writer.why)
        postgresql.start()
        wait_until(lambda: not writing.writer.why)
        wait_until(lambda: [row["id"] for row in rows(writing, results)] == sent)
        postgresql.stop()
        sent += [publish(broker), publish(broker)]
        wait_until(lambda: writing.writer.why)
        postgresql.start()
        wait_until(lambda: not writing.writer.why and written(writing.database) == 3)
        assert [row["id"] for row in rows(writing, results)] == sent
        assert rows(writing, gaps) == []


def test_a_database_that_takes_long_is_told_of(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """As one that hangs does: nobody knows whether it will ever answer."""
    monkeypatch.setattr(writer_module, "SLOW_SECONDS", 0.1)
    with Writing(broker, tmp_path, url) as writing:
        wait_until(lambda: writing.writer.place.stream)
        with writing.database._lock:  # somebody holds it
            publish(broker)
            wait_until(lambda: "did not answer for" in writing.writer.why)
        wait_until(lambda: not writing.writer.why and written(writing.database) == 1)


def test_a_database_of_a_newer_program_is_left_alone_until_it_fits(broker: Broker, tmp_path: Path, url: str) -> None:
    made = Database(tmp_path, url, TABLES)
    with made.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    entry = publish(broker)
    with Writing(broker, tmp_path, url) as writing:
        wait_until(lambda: "was written by a newer rekstream (its version 9999" in writing.writer.why)
        with made.writing() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        wait_until(lambda: not writing.writer.why and [row["id"] for row in rows(writing, results)] == [entry])
    made.close()


def test_a_full_disk_loses_nothing_and_is_told(session_valkey: Valkey, broker: Broker, tmp_path: Path) -> None:
    """A disk of 12 MB, nearly full, where one may be mounted, else a limit of SQLite's own, which ends in the same error."""
    if not may_mount():
        check_with_a_limit(broker, tmp_path)
        return
    disk = tmp_path / "disk"
    disk.mkdir()
    script = 'mount -t tmpfs -o size=12m,mode=700 tmpfs "$0" && head -c 11800000 /dev/zero > "$0/filler" && exec "$@"'
    with running(session_valkey, disk, before=(*_UNSHARE, "sh", "-c", script, str(disk))) as process:
        publish_many(broker, 800, noise=1500)
        wait_until(lambda: "has no space left" in status(broker).get("why", ""))
        Path(f"/proc/{process.pid}/root{disk}/filler").unlink()
        wait_until(lambda: status(broker).get("results") == 800)
        told = status(broker)
        assert (told["writing"], told["why"], told["gaps"]) == (True, "", [])
        wait_until(lambda: status(broker)["behind"] == 0)


_UNSHARE = ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--user", "--map-root-user", "--mount")


def may_mount() -> bool:
    try:
        return (
            subprocess.run([*_UNSHARE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False).returncode
            == 0
        )
    except FileNotFoundError:
        return False


def status(broker: Broker) -> dict[str, Any]:
    try:
        return Requests(broker, "history").ask("history.status")
    except PartAway:
        return {}


def check_with_a_limit(broker: Broker, data: Path) -> None:
    with Writing(broker, data) as writing:
        wait_until(lambda: writing.writer.place.stream)
        with writing.database.reading() as connection:
            pages = connection.execute(text("SELECT page_count FROM pragma_page_count()")).scalar_one()
        limits = [f"PRAGMA max_page_count = {pages + 50}"]
        event.listen(writing.database._its_engine(), "begin", lambda connection: connection.exec_driver_sql(limits[-1]))
        publish_many(broker, 500, noise=1500)
        wait_until(lambda: "has no space left" in writing.writer.why)
        limits.append("PRAGMA max_page_count = 1000000")
        wait_until(lambda: not writing.writer.why and written(writing.database) == 500)
        assert counted(writing.database) == (500, 500, 500, 0)
