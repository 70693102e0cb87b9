"""Keeps a face of each named track, to know, when somebody is forgotten, which unknown faces are theirs."""

from __future__ import annotations

from people.database import Database
from people.unknowns import Vector, vector_of

TABLES = (
    """CREATE TABLE IF NOT EXISTS named_faces (
        track TEXT PRIMARY KEY,
        person TEXT NOT NULL,
        vector BLOB NOT NULL,
        at REAL NOT NULL
    ) STRICT, WITHOUT ROWID""",
)


class NamedFaces:
    """Keeps in `database` the vectors of named tracks; what changes something belongs inside a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, track: str, person: str, vector: Vector, at: float) -> None:
        """Keep the face of a track that is a person's."""
        values = (track, person, vector.astype("<f4").tobytes(), at)
        self._database.execute("INSERT OR REPLACE INTO named_faces VALUES (?, ?, ?, ?)", *values)

    def drop(self, track: str) -> None:
        """Let the face of a track go."""
        self._database.execute("DELETE FROM named_faces WHERE track = ?", track)

    def cut_out(self, track: str, since: float, until: float) -> None:
        """Let the face of a track go if it was kept between two times."""
        self._database.execute("DELETE FROM named_faces WHERE track = ? AND at >= ? AND at < ?", track, since, until)

    def of(self, person: str) -> list[Vector]:
        """Return the faces of a person's tracks."""
        rows = self._database.rows("SELECT vector FROM named_faces WHERE person = ?", person)
        return [vector for (stored,) in rows if (vector := vector_of(stored)) is not None]

    def number_of(self, person: str) -> int:
        """Count the faces of a person's tracks."""
        ((number,),) = self._database.rows("SELECT count(*) FROM named_faces WHERE person = ?", person)
        return int(number)

    def forget(self, person: str) -> None:
        """Let the faces of a person's tracks go."""
        self._database.execute("DELETE FROM named_faces WHERE person = ?", person)

    def expire(self, before: float) -> None:
        """Let faces go that were kept before a time."""
        self._database.execute("DELETE FROM named_faces WHERE at < ?", before)
