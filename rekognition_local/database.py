"""One SQLite file that survives any kill, and forgets what is deleted."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.errors import SettingsError
from pipeline.files import create_private
from rekognition_local.protocol import ServiceError

log = logging.getLogger(__name__)

_BUSY_SECONDS = 20.0
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",  # what was answered is on the disk
    "foreign_keys = ON",
    "secure_delete = ON",  # what is deleted is overwritten
)


class Database:
    """The file at `path`, or memory only when there is none; safe for several threads, and several processes.

    Raises SettingsError with one sentence when the file cannot be used, at the start; what goes wrong later is a
    ServiceError under AWS's name, and leaves everything as it was.
    """

    def __init__(self, path: Path | None, schema: Sequence[str], version: int) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._depth = 0
        self._deleted = False
        try:
            if path:
                create_private(path)
            self._connection = sqlite3.connect(
                path or ":memory:", timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error
        self._opened = _identity(path) if path else None
        try:
            self._prepare(schema, version)
        except (sqlite3.Error, ServiceError) as error:
            self._connection.close()
            raise self._unusable(error) from error
        except SettingsError:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all of what is inside, or nothing; a transaction inside another one is part of it."""
        with self._lock:
            self._depth += 1
            try:
                if self._depth == 1:
                    self._check_file()
                    self.execute("BEGIN IMMEDIATE")
                yield
                if self._depth == 1:
                    self.execute("COMMIT")
                    self._empty_log()
            finally:
                self._depth -= 1
                if self._depth == 0 and self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        with self._lock:
            return self.execute(query, *values).fetchall()

    def execute(self, query: str, *values: Any) -> sqlite3.Cursor:
        """Run one statement, inside a transaction."""
        try:
            return self._connection.execute(query, values)
        except sqlite3.Error as error:
            where = self._path or "memory"
            raise ServiceError(
                "InternalServerError", f"the collections in {where} cannot be used ({error}); nothing of this call was kept"
            ) from error

    def delete(self, query: str, *values: Any) -> None:
        """Run one statement that deletes what nobody shall find again."""
        self.execute(query, *values)
        self._deleted = True

    def _check_file(self) -> None:
        """Refuse to write into a file that was deleted or replaced meanwhile: nobody would find it again."""
        if self._path and _identity(self._path) != self._opened:
            raise ServiceError(
                "InternalServerError",
                f"the collections file {self._path} was moved or deleted while it was in use; start the server again",
            )

    def _empty_log(self) -> None:
        """Move what was deleted out of the write-ahead log too; while another process reads it, after a later transaction."""
        if not self._deleted:
            return
        try:
            self._connection.execute("PRAGMA busy_timeout = 0")
            ((busy, _, _),) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._deleted = bool(busy)
        except sqlite3.Error as error:  # what was asked for is done; only its traces are still there
            log.warning("what was deleted from %s is still in its log: %s", self._path, error)
        finally:
            self._connection.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000:.0f}")

    def _prepare(self, schema: Sequence[str], version: int) -> None:
        (found,) = self._connection.execute("PRAGMA user_version").fetchone()
        if found > version:
            raise SettingsError(
                f"{self._path} was written by a newer rekstream (its version {found}, this one reads {version}): "
                "update rekstream, or name another folder with --data"
            )
        for pragma in _PRAGMAS:
            self._connection.execute(f"PRAGMA {pragma}")
        with self.transaction():
            for statement in (*schema, f"PRAGMA user_version = {version}"):
                self.execute(statement)

    def _unusable(self, error: Exception) -> SettingsError:
        reason = getattr(error, "strerror", None) or str(error)
        if isinstance(error, FileExistsError | NotADirectoryError):
            reason = "its folder is a file"
        if "not a database" in reason:
            return SettingsError(f"{self._path} is not a collections file ({reason}): move it away, or name another folder")
        return SettingsError(
            f"the collections file {self._path} cannot be used ({reason}): name a folder that can be written to with --data"
        )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
