"""people.sqlite: who is known, and what was seen of them. One file that survives any kill, and forgets what is deleted.

Each room of people/ names its tables (`Room.tables`); `rooms.TABLES` lists them all, and this file creates them.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.errors import SettingsError, StorageError
from pipeline.files import create_private

log = logging.getLogger(__name__)

FILE_NAME = "people.sqlite"
VERSION = 1

_BUSY_SECONDS = 5.0
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = NORMAL",
    "foreign_keys = ON",
    "secure_delete = ON",  # what is deleted is overwritten
)


class Database:
    """The file in `folder`; safe for several threads.

    Raises SettingsError with one sentence when it cannot be used, at the start; what goes wrong later is a StorageError and
    leaves everything as it was.
    """

    def __init__(self, folder: Path, tables: Sequence[str]) -> None:
        self.path = folder / FILE_NAME
        self._lock = threading.RLock()
        self._depth = 0
        try:
            create_private(self.path)
            self._connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error
        try:
            self._prepare(tables)
        except (sqlite3.Error, StorageError) as error:
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
        """Do all of what is inside, or nothing; inside another one it can fail alone."""
        with self._lock:
            begin, end, undo = _words(self._depth)
            self.execute(begin)
            self._depth += 1
            try:
                yield
                self.execute(end)
            except BaseException:
                if self._connection.in_transaction:
                    for word in undo:
                        self._connection.execute(word)
                raise
            finally:
                self._depth -= 1

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        with self._lock:
            return self.execute(query, *values).fetchall()

    def execute(self, query: str, *values: Any) -> sqlite3.Cursor:
        """Run one statement; what changes something belongs inside a transaction."""
        with self._lock:
            try:
                return self._connection.execute(query, values)
            except sqlite3.Error as error:
                raise StorageError(
                    f"{self.path} cannot be used now ({error}), and nothing was changed: free some space, or see who holds it"
                ) from error

    def empty_log(self) -> None:
        """Move what was deleted out of the write-ahead log too, so that the disk holds it no longer."""
        with self._lock:
            ((busy, _, _),) = self.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if busy:
            log.warning("what was deleted from %s is still in its log, as somebody else reads it", self.path)

    def _prepare(self, tables: Sequence[str]) -> None:
        (found,) = self._connection.execute("PRAGMA user_version").fetchone()
        if found > VERSION:
            raise SettingsError(
                f"{self.path} was written by a newer rekstream (its version {found}, this one reads {VERSION}): "
                "update rekstream, or name another folder with --data"
            )
        for pragma in _PRAGMAS:
            self._connection.execute(f"PRAGMA {pragma}")
        with self.transaction():
            for statement in (*tables, f"PRAGMA user_version = {VERSION}"):
                self.execute(statement)

    def _unusable(self, error: Exception) -> SettingsError:
        reason = getattr(error, "strerror", None) or str(error.__cause__ or error)
        if isinstance(error, FileExistsError | NotADirectoryError):
            reason = "its folder is a file"
        if "not a database" in reason:
            return SettingsError(
                f"{self.path} is no file of people ({reason}): move it away, or name another folder with --data"
            )
        return SettingsError(
            f"the people file {self.path} cannot be used ({reason}): name a folder that can be written to with --data"
        )


def _words(depth: int) -> tuple[str, str, tuple[str, ...]]:
    """Return what begins, ends and undoes a transaction at this depth."""
    if depth == 0:
        return "BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",)
    name = f"inner_{depth}"
    return f"SAVEPOINT {name}", f"RELEASE {name}", (f"ROLLBACK TO {name}", f"RELEASE {name}")
