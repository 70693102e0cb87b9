"""A history as one file, whatever database it is in: a backup is a SQLite file, and goes back into either kind.

The file of a backup is whole and of one moment, also while results are written. A newer rekstream reads an older one's.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, MetaData, Table, delete, exc, func, insert, inspect, select, text

from history.database import FILE_NAME, VERSION_TABLE, Database, versions
from history.schema import results
from pipeline.errors import SettingsError, StorageError
from pipeline.files import create_private

ROWS = 1000  # copied at a time


def back_up(database: Database, file: Path, tables: MetaData) -> int:
    """Write the whole history, all `tables` of it, into a new file for its owner alone; return how many results it holds.

    Raises SettingsError when the file is there already or cannot be written, StorageError when the database cannot be read.
    """
    if file.exists():
        raise SettingsError(f"{file} is there already: name another file, or move it away")
    part = file.with_name(f"{file.name}.part")
    try:
        with _told_of(file):
            create_private(part)
        count = _copy_into(database, part, tables)
        part.replace(file)
    finally:
        for left in (part, *_beside(part)):
            left.unlink(missing_ok=True)
    return count


def put_back(database: Database, file: Path, lock: Path, tables: MetaData, *, replace: bool) -> int:
    """Put a backup into the database, all or nothing; return how many results it holds.

    Raises SettingsError when the file is no backup, or of a newer rekstream, when there is a history already and it is not to
    be replaced, or while a history process uses it (`lock` is its file).
    """
    if not file.is_file():
        raise SettingsError(f"there is no file {file}: name one that `rekstream backup` wrote")
    copy = file.with_name(f"{file.name}.restoring")
    try:
        with (
            _alone(lock),
            closing_database(_readable_copy(file, copy)) as backup,
            _told_of_damage(file, backup, tables),
        ):
            return _replace(database, backup, tables, replace=replace)
    finally:
        for left in (copy, *_beside(copy)):
            left.unlink(missing_ok=True)


@contextmanager
def closing_database(database: Database) -> Iterator[Database]:
    """Close a database at the end."""
    try:
        yield database
    finally:
        database.close()


def _copy_into(database: Database, part: Path, tables: MetaData) -> int:
    if database.path:
        with _told_of(part):
            _copy_file(database, part)
        with closing_database(Database(part.parent, f"sqlite:///{part}")) as copy, copy.reading() as connection:
            return _count(connection)
    with closing_database(Database(part.parent, f"sqlite:///{part}", tables)) as copy:
        with database.reading() as source, copy.writing() as target:
            _copy_rows(source, target, tables)
            count = _count(target)
        copy.empty_log()
    return count


def _copy_file(database: Database, part: Path) -> None:
    """Copy SQLite's pages as they are at one moment; what is written meanwhile is not held up."""
    database.prepare()
    with closing(sqlite3.connect(str(database.path))) as source, closing(sqlite3.connect(part)) as target:
        source.backup(target)  # in one go: in pieces it would begin anew after each result that is written
        target.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it


def _readable_copy(file: Path, copy: Path) -> Database:
    """Return the backup as a database of this version, without touching the file itself."""
    with _told_of(file):
        create_private(copy)
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as source:
            _check_it_is_a_backup(file, source)
            with closing(sqlite3.connect(copy)) as target:
                source.backup(target)
    backup = Database(copy.parent, f"sqlite:///{copy}")
    backup.prepare()
    return backup


def _check_it_is_a_backup(file: Path, source: sqlite3.Connection) -> None:
    names = {name for (name,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if VERSION_TABLE not in names or results.name not in names:
        raise SettingsError(f"{file} is no backup of a history: name a file that `rekstream backup` wrote")
    (found,) = source.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone() or ("",)  # noqa: S608  # a name of ours
    if found and found not in versions():
        raise SettingsError(f"{file} was written by a newer rekstream (its version {found}): update rekstream")


def _replace(database: Database, backup: Database, tables: MetaData, *, replace: bool) -> int:
    with backup.reading() as source, database.writing() as target:
        if _count(target) and not replace:
            raise SettingsError(
                f"the history {database.name} holds {_count(target):,} results already: say --replace if they are to go"
            )
        if target.dialect.name != "sqlite":
            target.execute(text("SET LOCAL statement_timeout = 0"))
        for table in tables.sorted_tables:
            target.execute(delete(table))
        _copy_rows(source, target, tables)
        return _count(target)


def _copy_rows(source: Connection, target: Connection, tables: MetaData) -> None:
    """Copy all rows of all tables, and let the numbers of new rows go on after them."""
    for table in tables.sorted_tables:
        found = source.execution_options(yield_per=ROWS).execute(select(table)).mappings()
        for rows in found.partitions(ROWS):
            target.execute(insert(table), [dict(row) for row in rows])
        if target.dialect.name != "sqlite":
            _go_on_counting(target, table)


def _go_on_counting(target: Connection, table: Table) -> None:
    key = table.autoincrement_column
    if key is not None:
        last = target.execute(select(func.max(key))).scalar() or 0
        counted = {"table": table.name, "key": key.name, "next": last + 1}
        target.execute(text("SELECT setval(CAST(pg_get_serial_sequence(:table, :key) AS regclass), :next, false)"), counted)


def _count(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(results)).scalar_one())


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold the lock that a history process of this folder holds while it lives."""
    with _told_of(lock):
        create_private(lock)
    with lock.open("ab") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SettingsError(f"a rekstream that runs uses {lock.with_name(FILE_NAME)}: stop it first") from error
        yield


@contextmanager
def _told_of_damage(file: Path, backup: Database, tables: MetaData) -> Iterator[None]:
    """Say in one sentence what is wrong with a backup itself."""
    with backup.reading() as connection:
        look = inspect(connection)
        found = {(table, column["name"]) for table in look.get_table_names() for column in look.get_columns(table)}
    missing = sorted({(column.table.name, column.name) for table in tables.sorted_tables for column in table.columns} - found)
    if missing:
        raise SettingsError(f"{file} is damaged (it has no {'.'.join(missing[0])}): take another backup")
    try:
        yield
    except (exc.StatementError, ValueError, TypeError) as error:
        reason = str(getattr(error, "orig", None) or error).split("\n", maxsplit=1)[0]
        raise SettingsError(f"{file} is damaged ({reason}): take another backup") from error


@contextmanager
def _told_of(file: Path) -> Iterator[None]:
    """Turn what files and SQLite raise into one sentence."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        if "not a database" in reason:
            raise SettingsError(f"{file} is no backup of a history: name a file that `rekstream backup` wrote") from error
        kind = StorageError if isinstance(error, sqlite3.OperationalError) else SettingsError
        raise kind(f"{file} cannot be used ({reason}): name another file, or free some space") from error


def _beside(file: Path) -> Iterator[Path]:
    for suffix in ("-wal", "-shm", "-journal"):
        yield file.with_name(f"{file.name}{suffix}")
