"""Keeps the votes: what each search of a track found, once, for as long as it counts."""

from __future__ import annotations

import json
from collections.abc import Mapping

from people.database import Database
from people.votes import VOTE_SECONDS, Vote

TABLES = (
    """CREATE TABLE IF NOT EXISTS votes (
        result TEXT PRIMARY KEY,
        track TEXT NOT NULL,
        at REAL NOT NULL,
        weight REAL NOT NULL,
        similarities TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS votes_of_track ON votes (track)",
    "CREATE INDEX IF NOT EXISTS votes_by_time ON votes (at)",
)


class Ballots:
    """Keeps in `database` the votes on tracks; what changes something belongs inside a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def cast(self, result: str, track: str, at: float, weight: float, similarities: Mapping[str, float]) -> bool:
        """Keep the vote of the search of this result; say whether it is new."""
        values = (result, track, at, weight, json.dumps(similarities))
        return self._database.execute("INSERT OR IGNORE INTO votes VALUES (?, ?, ?, ?, ?)", *values).rowcount > 0

    def of(self, track: str) -> list[Vote]:
        """Return the votes on a track."""
        rows = self._database.rows("SELECT at, weight, similarities FROM votes WHERE track = ?", track)
        return [Vote(at, weight, json.loads(similarities)) for at, weight, similarities in rows]

    def cut_out(self, track: str, since: float, until: float) -> None:
        """Let the votes on a track go that were cast between two times."""
        self._database.execute("DELETE FROM votes WHERE track = ? AND at >= ? AND at < ?", track, since, until)

    def forget(self, person: str) -> None:
        """Let all votes go that name a person, whoever else they name."""
        self._database.execute("DELETE FROM votes WHERE instr(similarities, ?)", json.dumps(person))

    def number_about(self, person: str) -> int:
        """Count the votes that name a person."""
        ((number,),) = self._database.rows("SELECT count(*) FROM votes WHERE instr(similarities, ?)", json.dumps(person))
        return int(number)

    def expire(self, now: float) -> None:
        """Let votes go that count no more."""
        self._database.execute("DELETE FROM votes WHERE at < ?", now - 2 * VOTE_SECONDS)
