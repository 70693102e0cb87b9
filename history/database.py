"""The history's database: SQLite in the data folder, or a PostgreSQL by URL; the same tables and answers on both.

Nothing connects before `prepare`, and a database that is away may come back: every use of it either works or raises one
sentence. The tables are brought to their newest version by the files of migrations/ (Alembic).
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, MetaData, Table, create_engine, event, exc, func, inspect, make_url, text

from pipeline.errors import SettingsError, StorageError
from pipeline.files import create_private

log = logging.getLogger(__name__)

Rows = Sequence[Mapping[str, Any]]
"""Rows to be written, each with the same columns."""

FILE_NAME = "history.sqlite"
MIGRATIONS = Path(__file__).parent / "migrations"
VERSION_TABLE = "alembic_version"

_BUSY_SECONDS = 5.0
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = NORMAL",
    "secure_delete = ON",  # what is deleted is overwritten
    "cache_size = -16000",
)
_POSTGRESQL = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "options": "-c statement_timeout=60000 -c idle_in_transaction_session_timeout=60000 -c timezone=UTC",
    "application_name": "rekstream",
}
_LOCK = 7_365_747  # of PostgreSQL's advisory locks: who prepares the tables
_FULL = ("disk is full", "no space left", "could not extend file", "disk i/o error")


class Database:
    """A history's database; safe for several threads. `url` is '' for the file in `folder`.

    With `tables` it is made where it is not there yet; without them it has to be there. Raises SettingsError for a URL of
    another kind, at once; what goes wrong later is a StorageError (or a SettingsError: there is none, or a newer rekstream
    wrote it), and leaves everything as it was.
    """

    def __init__(self, folder: Path, url: str = "", tables: MetaData | None = None) -> None:
        self._tables = tables
        self._url = url_of(folder, url)
        self._lock = threading.RLock()
        self._is_ready = False
        self._engine: Engine | None = None
        self.log_is_left = False  # with what was deleted in it

    @property
    def name(self) -> str:
        """The database for people to read, without its password."""
        if self.path:
            return str(self.path)
        shown = self._url.set(drivername="postgresql", query={})  # which may hold a password, too
        return shown.render_as_string(hide_password=True)

    @property
    def path(self) -> Path | None:
        """The file, None where it is no file."""
        return Path(str(self._url.database)) if self.is_sqlite else None

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of SQLite."""
        return self._url.get_backend_name() == "sqlite"

    def prepare(self) -> None:
        """Make sure that the database answers and has the newest tables."""
        with self._lock, self._told():
            if not self._is_ready:
                self._create_file()
                with self._connect("BEGIN") as connection:
                    is_newest = version_of(connection) == versions()[-1]
                if not is_newest:
                    with self._begin("BEGIN IMMEDIATE") as connection:
                        self._bring_up_to_date(connection)
                self._is_ready = True

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Do all of what is inside, or nothing; one thread of this process at a time."""
        with self._lock:
            self.prepare()
            with self._told(), self._begin("BEGIN IMMEDIATE") as connection:
                yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Look at one state of the database; what is changed inside is undone."""
        self.prepare()
        with self._told(), self._connect("BEGIN", "REPEATABLE READ") as connection:
            yield connection

    def empty_log(self) -> None:
        """Move what was deleted out of SQLite's write-ahead log too, so that the disk holds it no longer."""
        if not self.is_sqlite:
            return
        with self._told(), self._connect("") as connection:
            busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        self.log_is_left = bool(busy and busy[0])
        if self.log_is_left:
            log.warning("what was deleted from %s is still in its log for a minute, as somebody else reads it", self.name)

    def bytes(self, connection: Connection) -> int:
        """Return how much space the database takes."""
        asked = (
            "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
            if self.is_sqlite
            else "SELECT pg_database_size(current_database())"
        )
        return int(connection.execute(text(asked)).scalar_one())

    def close(self) -> None:
        """Close all connections; it may be used again."""
        with self._lock:
            if self._engine is not None:
                self._engine.dispose()
            self._engine, self._is_ready = None, False

    @contextmanager
    def _begin(self, begin: str) -> Iterator[Connection]:
        with self._connect(begin) as connection, connection.begin():
            yield connection

    @contextmanager
    def _connect(self, begin: str, isolation: str = "READ COMMITTED") -> Iterator[Connection]:
        """Open a connection: `begin` is how SQLite begins a transaction, `isolation` what PostgreSQL does."""
        with self._its_engine().connect() as connection:
            yield connection.execution_options(**({"begin": begin} if self.is_sqlite else {"isolation_level": isolation}))

    def _its_engine(self) -> Engine:
        with self._lock:
            if self._engine is None:
                self._engine = _engine_of(self._url)
            return self._engine

    def _create_file(self) -> None:
        try:
            if self.path and self._tables is not None:
                create_private(self.path)
            elif self.path and not self.path.exists():
                raise self._nothing_there()
        except OSError as error:
            raise self._trouble(error) from error

    def _bring_up_to_date(self, connection: Connection) -> None:
        if not self.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        found, known = version_of(connection), versions()
        if found == known[-1]:
            return
        if found is None:
            if self._tables is None:
                raise self._nothing_there()
            self._tables.create_all(connection)
            connection.execute(text(f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
            connection.execute(text(f"INSERT INTO {VERSION_TABLE} VALUES (:version)"), {"version": known[-1]})  # noqa: S608  # a name of ours
        elif found in known:
            upgrade(connection)
        else:
            raise SettingsError(
                f"the history database {self.name} was written by a newer rekstream (its version {found}, this one reads "
                f"{known[-1]}): update rekstream, or name another with --database"
            )

    def _nothing_there(self) -> SettingsError:
        return SettingsError(f"there is no history in {self.name} yet: `rekstream up`, or `rekstream history`, begins one")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what drivers raise into one sentence."""
        try:
            yield
        except (exc.OperationalError, exc.InterfaceError, exc.InternalError) as error:
            self._forget_connections(error)
            raise self._trouble(error.orig or error) from error
        except exc.DatabaseError as error:
            if type(error) is not exc.DatabaseError:  # a fault of this program, or of one row: whoever wrote it has to know
                raise
            raise self._trouble(error.orig or error) from error
        except exc.TimeoutError as error:
            raise self._trouble(error) from error

    def _forget_connections(self, error: exc.DBAPIError) -> None:
        """Look at the tables again where the server may have been replaced meanwhile."""
        if error.connection_invalidated or not self.is_sqlite:
            self._is_ready = False

    def _trouble(self, error: BaseException) -> StorageError:
        reason = _reason(error)
        if any(word in reason.lower() for word in _FULL):
            return StorageError(f"the history database {self.name} has no space left ({reason}): free some")
        if self.path is None:
            return StorageError(f"the history database {self.name} does not answer as it should ({reason}): is it running?")
        if "not a database" in reason or "malformed" in reason:
            return StorageError(f"{self.name} is no history of rekstream ({reason}): move it away, or name another with --data")
        return StorageError(
            f"the history database {self.name} cannot be used now ({reason}): see who holds it, or whether it can be written to"
        )


def url_of(folder: Path, url: str) -> URL:
    """Return where a history is kept: at `url`, or in a file of `folder`; raises SettingsError."""
    if not url:
        return URL.create("sqlite+pysqlite", database=str(folder / FILE_NAME))
    try:
        found = make_url(url)
    except (exc.ArgumentError, ValueError):
        found = URL.create("")
    if found.get_backend_name() in ("postgresql", "postgres") and found.database:
        return found.set(drivername="postgresql+psycopg")
    if found.drivername == "sqlite" and found.database and found.database != ":memory:":
        return found.set(drivername="sqlite+pysqlite")
    raise SettingsError(
        f"the database {url!r} cannot be used: write postgresql://USER:PASSWORD@HOST/NAME, sqlite:////FOLDER/FILE, or nothing "
        f"for {FILE_NAME} in the data folder"
    )


def versions() -> Sequence[str]:
    """Return the versions of the tables that this program knows, oldest first."""
    return sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def version_of(connection: Connection) -> str | None:
    """Return the version of a database's tables, None when it has none yet."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608  # a name of ours
    return None if found is None else str(found)


def upgrade(connection: Connection, to: str = "head") -> None:
    """Bring the tables to a version by what migrations/ says, inside the transaction of `connection`."""
    from alembic import command  # noqa: PLC0415  # slow to import, and hardly ever needed
    from alembic.config import Config  # noqa: PLC0415  # as above

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def insert_new(connection: Connection, table: Table, rows: Rows, *returned: str) -> list[tuple[Any, ...]]:
    """Insert the rows that are not there yet, and return these columns of those that were inserted."""
    if not rows:
        return []
    statement = _insert(connection)(table).on_conflict_do_nothing()
    if not returned:
        connection.execute(statement, list(rows))
        return []
    found = connection.execute(statement.returning(*(table.c[name] for name in returned)), list(rows))
    return [tuple(row) for row in found]


def add_up(
    connection: Connection,
    table: Table,
    rows: Rows,
    largest: Iterable[str] = (),
    least: Iterable[str] = (),
) -> None:
    """Insert rows, and where one of the same key is there already add their numbers to it.

    Columns named in `largest` or `least` keep the larger or the smaller of both; texts stay as they were.
    """
    if not rows:
        return
    new = _insert(connection)(table)
    pick = {**dict.fromkeys(largest, "max"), **dict.fromkeys(least, "min")}
    changed = {
        column.name: _combined(connection, pick.get(column.name), column, new.excluded[column.name])
        for column in table.columns
        if not column.primary_key and column.name in rows[0] and _is_number(column)
    }
    keys = [column.name for column in table.primary_key]
    connection.execute(new.on_conflict_do_update(index_elements=keys, set_=changed), list(rows))


def _is_number(column: Any) -> bool:
    return column.type.python_type in (int, float)


def _combined(connection: Connection, how: str | None, old: Any, new: Any) -> Any:
    if how is None:
        return old + new
    name = how if connection.dialect.name == "sqlite" else {"max": "greatest", "min": "least"}[how]
    return getattr(func, name)(old, new)


def _insert(connection: Connection) -> Any:
    """Return INSERT as this database spells ON CONFLICT."""
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert  # noqa: PLC0415  # each is imported only where it is used
    else:
        from sqlalchemy.dialects.postgresql import insert  # type: ignore[assignment]  # noqa: PLC0415  # as above
    return insert


def _engine_of(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, connect_args=_POSTGRESQL, pool_pre_ping=True, hide_parameters=True)
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS}, hide_parameters=True)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_in_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # this file says itself where transactions begin
    try:
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        with suppress(sqlite3.Error):
            connection.close()
        raise


def _begin_in_sqlite(connection: Connection) -> None:
    if word := connection.get_execution_options().get("begin", "BEGIN"):
        connection.exec_driver_sql(word)


def _reason(error: BaseException) -> str:
    """Return the first line of what a driver said."""
    said = getattr(error, "strerror", None) or str(error)
    return " ".join(said.strip().split("\n", maxsplit=1)[0].split()).rstrip(".:") or type(error).__name__
