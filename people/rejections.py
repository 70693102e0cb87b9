"""What people said is not so: "not this person" holds for that track, and for every face like it that comes later."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from people.database import Database
from people.unknowns import Vector
from vision.embedding import VECTOR_SIZE, distance

TABLES = (
    """CREATE TABLE IF NOT EXISTS rejections (
        id INTEGER PRIMARY KEY,
        person TEXT NOT NULL,
        track TEXT NOT NULL,
        vector BLOB NOT NULL,
        at REAL NOT NULL
    ) STRICT""",
    "CREATE INDEX IF NOT EXISTS rejections_by_person ON rejections (person)",
)

ALIKE = 0.45
"""Nearer than this to a rejected face a person is out of the running; small, as else it would hide who looks alike, too."""

MOST_OF_A_PERSON = 100  # the oldest go first


class Rejections:
    """Keeps in `database` which faces are not whose; what changes something belongs inside a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, person: str, track: str, vector: Vector | None, at: float) -> None:
        """Note that a track is not a person; without a vector this holds for the track alone."""
        stored = b"" if vector is None else vector.astype("<f4").tobytes()
        values = (person, track, stored, at)
        self._database.execute("INSERT INTO rejections (person, track, vector, at) VALUES (?, ?, ?, ?)", *values)
        self._database.execute(
            "DELETE FROM rejections WHERE id IN "
            "(SELECT id FROM rejections WHERE person = ? ORDER BY id DESC LIMIT -1 OFFSET ?)",
            *(person, MOST_OF_A_PERSON),
        )

    def withdraw(self, person: str, track: str, vector: Vector | None) -> None:
        """Take back what was said of a track and of faces like it: it is that person after all."""
        for number, other, stored in self._of(person):
            if _concerns(track, vector, other, stored):
                self._database.execute("DELETE FROM rejections WHERE id = ?", number)

    def against(self, track: str, vector: Vector | None, persons: Collection[str]) -> set[str]:
        """Return who of these persons a track is not."""
        return {
            person
            for person in persons
            if any(_concerns(track, vector, other, stored) for _, other, stored in self._of(person))
        }

    def concern(self, persons: Collection[str]) -> bool:
        """Say whether anything was ever said against one of these persons: only then a vector has to be looked up."""
        return any(self._of(person) for person in persons)

    def about(self, person: str, tracks: Collection[str], vectors: Iterable[Vector]) -> set[int]:
        """Return the numbers of what was said of a person, of tracks that are theirs, and of faces like theirs."""
        known = list(vectors)
        return {
            int(number)
            for number, other, track, stored in self._database.rows("SELECT id, person, track, vector FROM rejections")
            if other == person or track in tracks or any(_concerns("", vector, track, stored) for vector in known)
        }

    def delete(self, numbers: Iterable[int]) -> None:
        """Let this not have been said."""
        for number in numbers:
            self._database.execute("DELETE FROM rejections WHERE id = ?", number)

    def expire(self, before: float) -> None:
        """Forget what was said before a time, and the faces with it."""
        self._database.execute("DELETE FROM rejections WHERE at < ?", before)

    def _of(self, person: str) -> list[tuple[int, str, bytes]]:
        found = self._database.rows("SELECT id, track, vector FROM rejections WHERE person = ?", person)
        return [(int(number), str(track), bytes(vector)) for number, track, vector in found]


def _concerns(track: str, vector: Vector | None, other: str, stored: bytes) -> bool:
    if track == other:
        return True
    if vector is None or len(stored) != 4 * VECTOR_SIZE:
        return False
    return bool(distance(np.frombuffer(stored, "<f4"), vector) <= ALIKE)
