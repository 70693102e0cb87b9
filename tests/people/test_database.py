"""people.sqlite: private, whole through failures, and one sentence where it cannot be used."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from people.database import FILE_NAME, VERSION, Database
from people.rooms import TABLES
from pipeline.errors import SettingsError, StorageError

_THINGS = "CREATE TABLE IF NOT EXISTS things (name TEXT PRIMARY KEY) STRICT"


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    database = Database(tmp_path / "deep", TABLES)
    assert database.path.stat().st_mode & 0o777 == 0o600
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "deep").iterdir())
    database.close()


def test_a_newer_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    Database(tmp_path, TABLES).close()
    with sqlite3.connect(tmp_path / FILE_NAME) as raw:
        raw.execute(f"PRAGMA user_version = {VERSION + 1}")
    raw.close()
    with pytest.raises(SettingsError, match="written by a newer rekstream"):
        Database(tmp_path, TABLES)


@pytest.mark.parametrize(("name", "reason"), [("file", "its folder is a file"), ("noise", "is no file of people")])
def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "noise").mkdir()
    (tmp_path / "noise" / FILE_NAME).write_bytes(b"no database at all" * 100)
    with pytest.raises(SettingsError, match=reason):
        Database(tmp_path / name, TABLES)


def test_what_fails_inside_leaves_the_rest(tmp_path: Path) -> None:
    """A transaction inside another one can fail alone; the outer one is all or nothing."""
    database = Database(tmp_path, (_THINGS,))

    def add_and_fail(name: str) -> None:
        with database.transaction():
            database.execute("INSERT INTO things VALUES (?)", name)
            raise ValueError(name)

    with pytest.raises(ValueError, match="lost"):
        add_and_fail("lost")
    with database.transaction():
        database.execute("INSERT INTO things VALUES ('kept')")
        with pytest.raises(ValueError, match="gone"):
            add_and_fail("gone")
    assert database.rows("SELECT name FROM things") == [("kept",)]
    with pytest.raises(StorageError, match="nothing was changed"):
        database.execute("INSERT INTO things VALUES ('kept')")
    database.close()


def test_what_is_deleted_is_on_the_disk_no_longer(tmp_path: Path) -> None:
    database = Database(tmp_path, (_THINGS,))
    with database.transaction():
        database.execute("INSERT INTO things VALUES ('Grace Hopper')")
    with database.transaction():
        database.execute("DELETE FROM things")
    database.empty_log()
    assert not [path for path in tmp_path.iterdir() if b"Grace Hopper" in path.read_bytes()]
    database.close()
