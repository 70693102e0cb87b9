"""What changed of people, visits, alerts and tracks, in order, for whoever keeps a copy: the history follows it.

SQLite itself writes it down (triggers), so that no code of ours can forget to, nor an older program that opens the file. Of
each thing only its last change stands there, and rows are read as they are when they are asked for: a copy may take the same
change twice, and never sees half of a transaction. Of people nothing but "they changed" is written, as whoever is forgotten
shall leave no trace here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from people.database import Database
from people.house import Room
from people.visits import person_in, unknown_in
from pipeline.answering import Answer
from pipeline.chores import Chore
from pipeline.errors import SettingsError
from pipeline.requests import Request

USUAL, MOST = 500, 1000
GONE_SECONDS = 7 * 86_400.0
"""Whoever was away for longer than this is told to begin anew: until then it is remembered what is gone."""

_TIDY_SECONDS = 3600.0
_DAY = 86_400.0
_KINDS: Mapping[str, tuple[str, str]] = {"visit": ("visits", "id"), "alert": ("alerts", "id"), "track": ("tracks", "track")}
_SAME_WHO = "SELECT 1 FROM tracks WHERE track = NEW.track AND identity = NEW.identity AND visit IS NEW.visit"


def _note(kind: str, name: str, is_gone: int = 0) -> str:
    """Return the statements that note a change; not INSERT OR REPLACE, as a trigger takes OR from what set it off."""
    now = "(julianday('now') - 2440587.5) * 86400.0"
    return (
        f"DELETE FROM changes WHERE kind = '{kind}' AND id = {name}; "  # noqa: S608  # words of ours, here and below
        f"INSERT INTO changes (kind, id, is_gone, at) VALUES ('{kind}', {name}, {is_gone}, {now});"
    )


def _triggers(kind: str, table: str, key: str) -> tuple[str, ...]:
    """Return the triggers of a table; a track is told of when it is somebody else's, not at each sight of it."""
    before, only = ("BEFORE", f"WHEN NOT EXISTS ({_SAME_WHO})") if kind == "track" else ("AFTER", "")
    renamed = f"{_note(kind, f'CAST(OLD.{key} AS TEXT)', 1)} {_note(kind, f'CAST(NEW.{key} AS TEXT)')}"
    new, old = _note(kind, f"CAST(NEW.{key} AS TEXT)"), _note(kind, f"CAST(OLD.{key} AS TEXT)", 1)
    trigger = f"CREATE TRIGGER IF NOT EXISTS {kind}_"
    return (
        f"{trigger}added {before} INSERT ON {table} {only} BEGIN {new} END",
        f"{trigger}changed AFTER UPDATE ON {table} WHEN NEW.{key} = OLD.{key} BEGIN {new} END",
        f"{trigger}renamed AFTER UPDATE ON {table} WHEN NEW.{key} <> OLD.{key} BEGIN {renamed} END",
        f"{trigger}removed AFTER DELETE ON {table} BEGIN {old} END",
    )


class Changes(Room):
    """Answers what changed; its tables stand after all others, whose triggers they are."""

    tables: ClassVar[tuple[str, ...]] = (
        """CREATE TABLE IF NOT EXISTS changes (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            id TEXT NOT NULL,
            is_gone INTEGER NOT NULL,
            at REAL NOT NULL,
            UNIQUE (kind, id)
        ) STRICT""",
        """CREATE TABLE IF NOT EXISTS change_source (
            id TEXT NOT NULL,
            pruned INTEGER NOT NULL,
            is_followed INTEGER NOT NULL
        ) STRICT""",
        *(trigger for kind, (table, key) in _KINDS.items() for trigger in _triggers(kind, table, key)),
        *(
            f"CREATE TRIGGER IF NOT EXISTS people_{event} AFTER {event} ON people BEGIN {_note('people', chr(39) * 2)} END"
            for event in ("INSERT", "UPDATE", "DELETE")
        ),
        # what was there before this table was
        *(
            f"INSERT OR IGNORE INTO changes (kind, id, is_gone, at) SELECT '{kind}', CAST({key} AS TEXT), 0, 0.0 FROM {table} "  # noqa: S608
            "WHERE NOT EXISTS (SELECT 1 FROM change_source)"
            for kind, (table, key) in _KINDS.items()
        ),
        "INSERT OR IGNORE INTO changes (kind, id, is_gone, at) VALUES ('people', '', 0, 0.0)",
        "INSERT INTO change_source SELECT lower(hex(randomblob(16))), 0, 0 WHERE NOT EXISTS (SELECT 1 FROM change_source)",
    )

    def answers(self) -> Mapping[str, Answer]:
        """Return what is answered about changes."""
        return {"people.changes": self._changes}

    def chores(self) -> Sequence[Chore]:
        """Remember for a while only what is gone."""
        return (Chore("changes", _TIDY_SECONDS, self.tidy),)

    def tidy(self) -> None:
        """Forget what is gone for long, and note up to where that was done: who is further behind has to begin anew."""
        old = "is_gone AND at < ?"
        before, database = time.time() - GONE_SECONDS, self.house.database
        with database.transaction():
            ((newest,),) = database.rows(f"SELECT max(number) FROM changes WHERE {old}", before)  # noqa: S608
            if newest is not None:
                database.execute("UPDATE change_source SET pruned = max(pruned, ?)", newest)
                database.execute(f"DELETE FROM changes WHERE {old}", before)  # noqa: S608

    def _changes(self, request: Request) -> Mapping[str, Any]:
        """Return what changed after a number, in order, as it is now; `row` is null for what is gone.

        `source` is this file's own name and `last` the newest number; what is gone before `pruned` is told of no more. Visits
        are kept for `visit_seconds` after their end, alerts for `alert_seconds`: one that is gone after that was not undone.
        """
        after, limit = _whole(request, "after", 0, 2**62), _whole(request, "limit", USUAL, MOST)
        database, settings = self.house.database, self.house.settings
        with database.transaction():
            ((source, pruned),) = database.rows("SELECT id, pruned FROM change_source")
            database.execute("UPDATE change_source SET is_followed = 1 WHERE NOT is_followed")
            ((last,),) = database.rows("SELECT coalesce(max(number), 0) FROM changes")
            query = "SELECT number, kind, id, is_gone, at FROM changes WHERE number > ? ORDER BY number LIMIT ?"
            found = database.rows(query, after, limit)
            rows = {kind: self._rows(kind, [name for _, of, name, *_ in found if of == kind]) for kind in _READERS}
        return {
            "source": source,
            "last": last,
            "pruned": pruned,
            "visit_seconds": settings.visit_days * _DAY,
            "alert_seconds": settings.alert_days * _DAY,
            "changes": [
                {"number": number, "kind": kind, "id": name, "row": rows[kind].get(name), "at": at}
                for number, kind, name, _, at in found
            ],
        }

    def _rows(self, kind: str, names: Sequence[str]) -> dict[str, Any]:
        """Return what these are now, by their names."""
        if not names:
            return {}
        query, read = _READERS[kind]
        if kind == "people":
            return {"": [read(row) for row in self.house.database.rows(query)]}
        found = [read(row) for row in self.house.database.rows(query, json.dumps(names))]
        return {str(row[_KINDS[kind][1]]): row for row in found}


def is_followed(database: Database) -> bool:
    """Say whether anybody ever asked what changed here."""
    return bool(database.rows("SELECT 1 FROM change_source WHERE is_followed"))


def _person(row: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(("id", "name", "added"), row, strict=True))


def _visit(row: tuple[Any, ...]) -> dict[str, Any]:
    number, camera, identity, similarity, began, ended, is_open = row
    about = {"id": number, "camera": camera, "person": person_in(identity), "unknown": unknown_in(identity)}
    return {**about, "similarity": similarity, "began": began, "ended": ended, "is_open": bool(is_open)}


def _track(row: tuple[Any, ...]) -> dict[str, Any]:
    track, camera, identity, began, ended = row
    return {"track": track, "camera": camera, "person": person_in(identity), "began": began, "ended": ended}


def _alert(row: tuple[Any, ...]) -> dict[str, Any]:
    names = ("id", "watch", "kind", "camera", "person", "visit", "track", "result", "captured_at", "at", "what", "verdict")
    return dict(zip(names, row, strict=True))


_VISITS = "SELECT id, camera, identity, similarity, began, ended, is_open FROM visits"
_ALERTS = "SELECT id, watch, kind, camera, person, visit, track, result, captured_at, at, what, verdict FROM alerts"
_TRACKS = "SELECT track, camera, identity, began, ended FROM tracks"
_THESE = "(SELECT value FROM json_each(?))"
_READERS: Mapping[str, tuple[str, Callable[[tuple[Any, ...]], dict[str, Any]]]] = {
    "people": ("SELECT id, name, added FROM people WHERE NOT forgetting", _person),
    "visit": (f"{_VISITS} WHERE id IN (SELECT CAST(value AS INTEGER) FROM json_each(?))", _visit),  # noqa: S608
    "track": (f"{_TRACKS} WHERE track IN {_THESE}", _track),
    "alert": (f"{_ALERTS} WHERE id IN {_THESE}", _alert),
}


def _whole(request: Request, member: str, default: int, most: int) -> int:
    value = request.members.get(member, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise SettingsError(f"{member} {str(value)[:40]!r}: write a whole number from 0 to {most}")
    return value
