"""The state file: what must outlive Redis. SQLite in the data folder, readable by its owner only (URLs hold passwords)."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.cameras import camera_as_json, camera_from_json
from pipeline.entities import Camera
from pipeline.errors import SettingsError

FILE_NAME = "state.sqlite"
VERSION = 1

_BUSY_SECONDS = 2.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS cameras (id TEXT PRIMARY KEY, camera TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS spending (
    period TEXT NOT NULL, start INTEGER NOT NULL, dollars REAL NOT NULL, PRIMARY KEY (period, start)
) STRICT;
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""


class StateFile:
    """Cameras added at run time, spending by budget period, and settings; safe for several threads.

    Raises SettingsError with one sentence when it cannot be opened or written, at the start; later methods raise
    sqlite3.Error.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME
        self._lock = threading.Lock()
        try:
            _create_private(self.path)
            self._database = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise SettingsError(self._unusable(error)) from error
        self._prepare()

    def cameras(self) -> list[Camera]:
        """Return the cameras that were added at run time, in the order of their ids."""
        return [camera_from_json(text) for (text,) in self._rows("SELECT camera FROM cameras ORDER BY id")]

    def keep(self, camera: Camera) -> None:
        """Remember a camera, new or changed."""
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO cameras VALUES (?, ?)", (camera.id, camera_as_json(camera)))

    def drop(self, camera_id: str) -> None:
        """Forget a camera; nothing happens if there is none of that id."""
        with self._transaction() as database:
            database.execute("DELETE FROM cameras WHERE id = ?", (camera_id,))

    def spent(self, period: str, start: float) -> float:
        """Return the dollars that were spent in the budget period that began at `start`, seconds since 1970."""
        rows = self._rows("SELECT dollars FROM spending WHERE period = ? AND start = ?", period, round(start))
        return float(rows[0][0]) if rows else 0.0

    def spend(self, period: str, start: float, dollars: float) -> None:
        """Remember what was spent in a period so far."""
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO spending VALUES (?, ?, ?)", (period, round(start), dollars))

    def setting(self, name: str) -> str | None:
        """Return a setting that was kept, None when there is none of that name."""
        rows = self._rows("SELECT value FROM settings WHERE name = ?", name)
        return str(rows[0][0]) if rows else None

    def set(self, name: str, value: str) -> None:
        """Keep a setting."""
        with self._transaction() as database:
            database.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def _prepare(self) -> None:
        try:
            (version,) = self._database.execute("PRAGMA user_version").fetchone()
            if version > VERSION:
                raise SettingsError(
                    f"{self.path} was written by a newer rekstream (its version {version}, this one reads {VERSION}): "
                    "update rekstream, or name another folder with --data"
                )
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            with self._transaction() as database:
                for statement in _statements(_SCHEMA):
                    database.execute(statement)
                database.execute(f"PRAGMA user_version = {VERSION}")
        except (sqlite3.Error, SettingsError) as error:
            self._database.close()
            if isinstance(error, SettingsError):
                raise
            raise SettingsError(self._unusable(error)) from error

    def _rows(self, query: str, *values: str | float) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._database.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def _unusable(self, error: Exception) -> str:
        reason = getattr(error, "strerror", None) or str(error)
        return f"the state file {self.path} cannot be used ({reason}): name a folder that can be written to with --data"


def remembered(folder: Path) -> dict[str, Camera]:
    """Return the cameras that the state file of a folder holds, by id; none where there is no file. Raises SettingsError."""
    if not (folder / FILE_NAME).exists():
        return {}
    state = StateFile(folder)
    try:
        return {camera.id: camera for camera in state.cameras()}
    finally:
        state.close()


def _create_private(path: Path) -> None:
    """Create the file with rights for its owner alone; SQLite gives its side files the same."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    path.chmod(0o600)


def _statements(script: str) -> Iterable[str]:
    return (statement for statement in script.split(";") if statement.strip())
