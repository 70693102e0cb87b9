"""Unknown people who come again: tracks without a name are grouped by how near their faces' vectors are.

A vector is kept for hours only (setting `unknown_hours`); after that the group is recognised no more; its visits stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from people.database import Database
from vision.embedding import VECTOR_SIZE, distance

TABLES = (
    "CREATE TABLE IF NOT EXISTS unknowns (id INTEGER PRIMARY KEY AUTOINCREMENT, began REAL NOT NULL) STRICT",
    """CREATE TABLE IF NOT EXISTS unknown_faces (
        track TEXT PRIMARY KEY,
        unknown INTEGER NOT NULL,
        vector BLOB NOT NULL,
        weight REAL NOT NULL,
        at REAL NOT NULL
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS unknown_faces_by_group ON unknown_faces (unknown)",
    "CREATE INDEX IF NOT EXISTS unknown_faces_by_time ON unknown_faces (at)",
)

ALIKE = 0.52
"""Faces nearer than this are one person's: a little beyond where vision.embedding says 99 percent, as groups bear a mistake."""

MOST_FACES = 5_000  # that are kept: the oldest go first
BETTER = 1.6  # a view so much better than the one a track was grouped by is looked at again

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class View:
    """The best view of a track so far: its face's vector, how good it is (any scale), and when it was captured."""

    vector: Vector
    weight: float
    at: float


class Unknowns:
    """Keeps groups of unknown faces in `database`; what changes something belongs inside a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def group(self, track: str, view: View) -> int:
        """Return the number of the group that a track belongs to, a new one where no face is alike.

        A better view of a track that is alone in its group may bring it to another.
        """
        known = self._database.rows("SELECT unknown, weight FROM unknown_faces WHERE track = ?", track)
        if known and (view.weight < BETTER * known[0][1] or not self._is_alone(track, known[0][0])):
            return int(known[0][0])
        alike = self.like(view.vector, but=track)
        number = alike[0] if alike else known[0][0] if known else self._begin(view.at)
        self._keep(track, number, view)
        return int(number)

    def cut_out(self, track: str, since: float, until: float) -> None:
        """Let the face of a track go if it was kept between two times."""
        self._database.execute("DELETE FROM unknown_faces WHERE track = ? AND at >= ? AND at < ?", track, since, until)

    def release(self, track: str) -> None:
        """Forget the face of a track: it is no unknown one's."""
        self._database.execute("DELETE FROM unknown_faces WHERE track = ?", track)

    def dissolve(self, number: int) -> None:
        """Forget the faces of a group: it is one no more."""
        self._database.execute("DELETE FROM unknown_faces WHERE unknown = ?", number)
        self._database.execute("DELETE FROM unknowns WHERE id = ?", number)

    def expire(self, before: float) -> None:
        """Forget the faces that were seen before a time."""
        self._database.execute("DELETE FROM unknown_faces WHERE at < ?", before)
        self._database.execute("DELETE FROM unknowns WHERE id NOT IN (SELECT unknown FROM unknown_faces)")

    def recognisable(self) -> dict[int, str]:
        """Return the groups that would be recognised again, each with the track that was seen last."""
        return dict(self._database.rows("SELECT unknown, track FROM unknown_faces ORDER BY at"))

    def like(self, vector: Vector, but: str = "") -> list[int]:
        """Return the groups that hold a face like this one, the nearest first, without the face of the track `but`."""
        rows = self._database.rows("SELECT unknown, vector FROM unknown_faces WHERE track <> ?", but)
        if not rows:
            return []
        apart = distance(_vectors([row[1] for row in rows]), vector)
        return list(dict.fromkeys(int(rows[place][0]) for place in np.argsort(apart) if apart[place] <= ALIKE))

    def began(self, number: int) -> float:
        """Return when a group was seen first."""
        rows = self._database.rows("SELECT began FROM unknowns WHERE id = ?", number)
        return float(rows[0][0]) if rows else 0.0

    def vector_of(self, track: str) -> Vector | None:
        """Return the face of a track, if it is kept as an unknown one's."""
        rows = self._database.rows("SELECT vector FROM unknown_faces WHERE track = ?", track)
        return vector_of(rows[0][0]) if rows else None

    def vectors_of(self, number: int) -> dict[str, Vector]:
        """Return the faces of a group by their tracks."""
        rows = self._database.rows("SELECT track, vector FROM unknown_faces WHERE unknown = ?", number)
        return {track: vector for track, stored in rows if (vector := vector_of(stored)) is not None}

    def _is_alone(self, track: str, number: int) -> bool:
        query = "SELECT 1 FROM unknown_faces WHERE unknown = ? AND track <> ? LIMIT 1"
        return not self._database.rows(query, number, track)

    def _begin(self, at: float) -> int:
        return self._database.execute("INSERT INTO unknowns (began) VALUES (?)", at).lastrowid or 0

    def _keep(self, track: str, number: int, view: View) -> None:
        values = (track, number, view.vector.astype("<f4").tobytes(), view.weight, view.at)
        self._database.execute("INSERT OR REPLACE INTO unknown_faces VALUES (?, ?, ?, ?, ?)", *values)
        query = "DELETE FROM unknown_faces WHERE track IN (SELECT track FROM unknown_faces ORDER BY at DESC LIMIT -1 OFFSET ?)"
        self._database.execute(query, MOST_FACES)


def vector_of(data: bytes) -> Vector | None:
    """Return the vector that so many little-endian floats of 32 bits are; None for anything else."""
    if len(data) != 4 * VECTOR_SIZE:
        return None
    vector = np.frombuffer(data, "<f4").astype(np.float32)
    return vector if np.isfinite(vector).all() and vector.any() else None


def _vectors(stored: Sequence[bytes]) -> Vector:
    return np.frombuffer(b"".join(stored), "<f4").reshape(-1, VECTOR_SIZE)
