"""Collections, their faces and users, in one SQLite file: what a call was told is kept survives any kill.

A face is 128 numbers, where it was found and the ids of AWS. Pictures are not kept; of an enrolled one only a hash of its
bytes is, which is its ImageId. What is deleted is overwritten.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekognition_local.database import Database
from rekognition_local.protocol import ServiceError, invalid_parameter
from vision.embedding import MODEL_VERSION, VECTOR_SIZE
from vision.entities import Box

FILE_NAME = "collections.sqlite"
VERSION = 1

Vector = NDArray[np.float32]

TOKENS_LAST_SECONDS = 24 * 3600
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS collections (
        number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, model TEXT NOT NULL, made REAL NOT NULL,
        removals INTEGER NOT NULL DEFAULT 0, associations INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
    """CREATE TABLE IF NOT EXISTS users (
        number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL,
        collection INTEGER NOT NULL REFERENCES collections(number) ON DELETE CASCADE, UNIQUE (collection, id)
    ) STRICT""",
    """CREATE TABLE IF NOT EXISTS faces (
        number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL,
        collection INTEGER NOT NULL REFERENCES collections(number) ON DELETE CASCADE,
        image TEXT NOT NULL, external TEXT, confidence REAL NOT NULL,
        left REAL NOT NULL, top REAL NOT NULL, width REAL NOT NULL, height REAL NOT NULL, vector BLOB NOT NULL,
        user INTEGER REFERENCES users(number) ON DELETE SET NULL, UNIQUE (collection, id)
    ) STRICT""",
    "CREATE INDEX IF NOT EXISTS faces_in_order ON faces (collection, number)",
    "CREATE INDEX IF NOT EXISTS faces_of_image ON faces (collection, image)",
    "CREATE INDEX IF NOT EXISTS faces_of_user ON faces (user) WHERE user IS NOT NULL",
    """CREATE TABLE IF NOT EXISTS tokens (
        token TEXT NOT NULL, operation TEXT NOT NULL, request BLOB NOT NULL, response TEXT NOT NULL, made REAL NOT NULL,
        collection INTEGER NOT NULL REFERENCES collections(number) ON DELETE CASCADE, PRIMARY KEY (token, operation)
    ) STRICT""",
)
_COLLECTION = "SELECT number, id, model, made, removals, associations FROM collections"
_FACE = """SELECT f.number, f.id, f.image, f.external, f.confidence, f.left, f.top, f.width, f.height, u.id
    FROM faces f LEFT JOIN users u ON u.number = f.user"""

_USER = "SELECT u.number, u.id, (SELECT count(*) FROM faces WHERE user = u.number) FROM users u"


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection: `removals` and `associations` grow with every change that a copy of its faces cannot just append."""

    number: int
    id: str
    model: str
    made: float
    removals: int
    associations: int


@dataclass(frozen=True, slots=True)
class NewFace:
    """A face to be kept: where it was, how sure the detector was in percent, and its 128 numbers."""

    box: Box
    confidence: float
    vector: Vector


@dataclass(frozen=True, slots=True)
class StoredFace:
    """A face of a collection under AWS's ids; `number` orders faces by when they came."""

    number: int
    id: str
    image: str
    external: str | None
    confidence: float
    box: Box
    user: str | None


@dataclass(frozen=True, slots=True)
class User:
    """A user of a collection, and how many faces are associated with it."""

    number: int
    id: str
    faces: int


class Store:
    """Collections in the file of a folder, or in memory only when there is none; see Database for what goes wrong."""

    def __init__(self, folder: Path | None = None) -> None:
        self._database = Database(folder / FILE_NAME if folder else None, _SCHEMA, VERSION)
        self.transaction, self._rows, self._execute = self._database.transaction, self._database.rows, self._database.execute

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def create_collection(self, collection_id: str) -> Collection:
        """Add an empty collection, for faces of today's model."""
        with self.transaction():
            if self._rows("SELECT 1 FROM collections WHERE id = ?", collection_id):
                raise ServiceError("ResourceAlreadyExistsException", f"the collection {collection_id} exists already")
            self._execute(
                "INSERT INTO collections (id, model, made) VALUES (?, ?, ?)", collection_id, MODEL_VERSION, time.time()
            )
            return self.collection(collection_id)

    def collection(self, collection_id: str) -> Collection:
        """Return a collection."""
        rows = self._rows(f"{_COLLECTION} WHERE id = ?", collection_id)
        if not rows:
            raise not_found(f"there is no collection {collection_id}")
        return Collection(*rows[0])

    def comparable(self, collection_id: str) -> Collection:
        """Return a collection whose vectors are those of today's model; another model's cannot be compared with them."""
        collection = self.collection(collection_id)
        if collection.model != MODEL_VERSION:
            raise ServiceError(
                "InvalidParameterException",
                f"the collection {collection.id} has vectors of face model {collection.model}, and this server makes those of "
                f"{MODEL_VERSION}: index its faces anew in a new collection",
            )
        return collection

    def collections(self, after: str, most: int) -> list[Collection]:
        """Return collections in the order of their ids, beginning after the id `after`."""
        return [Collection(*row) for row in self._rows(f"{_COLLECTION} WHERE id > ? ORDER BY id LIMIT ?", after, most)]

    def counts(self, collection: Collection) -> tuple[int, int]:
        """Return how many faces and users a collection has."""
        ((faces, users),) = self._rows(
            "SELECT (SELECT count(*) FROM faces WHERE collection = ?1), (SELECT count(*) FROM users WHERE collection = ?1)",
            collection.number,
        )
        return faces, users

    def delete_collection(self, collection_id: str) -> None:
        """Remove a collection with all that is in it."""
        with self.transaction():
            self._database.delete("DELETE FROM collections WHERE number = ?", self.collection(collection_id).number)

    def add_faces(self, collection_id: str, image: str, external: str | None, faces: Sequence[NewFace]) -> list[StoredFace]:
        """Keep faces of one picture and return them; one that is there from the same picture under the same name stays one."""
        with self.transaction():
            collection = self.collection(collection_id)
            known = self._faces(
                "WHERE f.collection = ? AND f.image = ? AND f.external IS ?", collection.number, image, external
            )
            by_place = {_place(face.box): face for face in known}
            return [by_place.get(_place(face.box)) or self._add(collection, image, external, face) for face in faces]

    def face(self, collection: Collection, face_id: str) -> StoredFace:
        """Return a face of a collection."""
        faces = self._faces("WHERE f.collection = ? AND f.id = ?", collection.number, face_id)
        if not faces:  # AWS's name for it, unlike that of collections and users
            raise invalid_parameter(f"there is no face {face_id} in the collection {collection.id}")
        return faces[0]

    def faces(
        self, collection: Collection, after: int, most: int, user: str | None = None, ids: Iterable[str] | None = None
    ) -> list[StoredFace]:
        """Return faces in the order they came, after the number `after`; of one user only, or with these ids only."""
        where, values = "WHERE f.collection = ? AND f.number > ?", [collection.number, after]
        narrowed: list[Any] = []
        if user is not None:
            where, narrowed = f"{where} AND u.id = ?", [*narrowed, user]
        if ids is not None:
            wanted = list(ids)
            where, narrowed = f"{where} AND f.id IN ({_marks(wanted)})", [*narrowed, *wanted]
        return self._faces(f"{where} ORDER BY f.number LIMIT ?", *values, *narrowed, most)

    def faces_by_number(self, numbers: Sequence[int]) -> dict[int, StoredFace]:
        """Return the faces that are still there of these numbers."""
        return {face.number: face for face in self._faces(f"WHERE f.number IN ({_marks(numbers)})", *numbers)}

    def vector(self, face: StoredFace) -> Vector:
        """Return a face's 128 numbers."""
        rows = self._rows("SELECT vector FROM faces WHERE number = ?", face.number)
        if not rows:
            raise not_found(f"the face {face.id} was deleted")
        return np.frombuffer(rows[0][0], np.float32)

    def remove_faces(self, collection_id: str, ids: Iterable[str]) -> list[StoredFace]:
        """Remove the faces of these ids that are there and that no user has, and return them."""
        with self.transaction():
            collection = self.collection(collection_id)
            wanted = list(ids)
            found = self._faces(
                f"WHERE f.collection = ? AND f.user IS NULL AND f.id IN ({_marks(wanted)})", collection.number, *wanted
            )
            for face in found:
                self._database.delete("DELETE FROM faces WHERE number = ?", face.number)
            if found:
                self._execute("UPDATE collections SET removals = removals + 1 WHERE number = ?", collection.number)
            return found

    def vectors_after(self, collection: Collection, number: int) -> tuple[NDArray[np.int64], Vector]:
        """Return the numbers (n) and vectors (n x 128) of the faces that came after the face `number`."""
        rows = self._rows(
            "SELECT number, vector FROM faces WHERE collection = ? AND number > ? ORDER BY number", collection.number, number
        )
        return _stacked(rows)

    def numbers(self, collection: Collection) -> NDArray[np.int64]:
        """Return the numbers of all faces of a collection."""
        rows = self._rows("SELECT number FROM faces WHERE collection = ? ORDER BY number", collection.number)
        return np.array([number for (number,) in rows], np.int64)

    def user_vector(self, user: User) -> Vector | None:
        """Return the mean of a user's faces, None while it has none."""
        _, vectors = _stacked(self._rows("SELECT number, vector FROM faces WHERE user = ?", user.number))
        return vectors.mean(axis=0) if len(vectors) else None

    def user_vectors(self, collection: Collection) -> tuple[NDArray[np.int64], Vector]:
        """Return, for each associated face of a collection, its user's number and its vector, in the order of users."""
        return _stacked(
            self._rows(
                "SELECT user, vector FROM faces WHERE collection = ? AND user IS NOT NULL ORDER BY user, number",
                collection.number,
            )
        )

    def create_user(self, collection_id: str, user_id: str) -> None:
        """Add a user without faces."""
        with self.transaction():
            collection = self.collection(collection_id)
            if self._rows("SELECT 1 FROM users WHERE collection = ? AND id = ?", collection.number, user_id):
                raise ServiceError("ConflictException", f"the user {user_id} exists already in {collection_id}")
            self._execute("INSERT INTO users (id, collection) VALUES (?, ?)", user_id, collection.number)

    def user(self, collection: Collection, user_id: str) -> User:
        """Return a user of a collection."""
        users = self._users("WHERE u.collection = ? AND u.id = ?", 1, collection.number, user_id)
        if not users:
            raise not_found(f"there is no user {user_id} in the collection {collection.id}")
        return users[0]

    def users(self, collection: Collection, after: int, most: int) -> list[User]:
        """Return users in the order they came, after the number `after`."""
        return self._users("WHERE u.collection = ? AND u.number > ?", most, collection.number, after)

    def users_by_number(self, numbers: Sequence[int]) -> dict[int, User]:
        """Return the users that are still there of these numbers."""
        found = self._users(f"WHERE u.number IN ({_marks(numbers)})", len(numbers), *numbers)
        return {user.number: user for user in found}

    def delete_user(self, collection_id: str, user_id: str) -> None:
        """Remove a user; its faces stay in the collection, and are nobody's."""
        with self.transaction():
            collection = self.collection(collection_id)
            user = self.user(collection, user_id)
            self._database.delete("DELETE FROM tokens WHERE collection = ?", collection.number)  # answers that name users
            self._database.delete("DELETE FROM users WHERE number = ?", user.number)
            self._changed_associations(collection)

    def associate(self, collection: Collection, user: User | None, faces: Iterable[StoredFace]) -> None:
        """Make faces a user's, or nobody's."""
        with self.transaction():
            for face in faces:
                self._execute("UPDATE faces SET user = ? WHERE number = ?", user.number if user else None, face.number)
            self._changed_associations(collection)

    def once(self, collection_id: str, token: str, operation: str, request: str, answer: Callable[[], str]) -> str:
        """Return `answer()`, or what it returned when this token came first: a call that is sent again is done once.

        `request` is what must be the same then; of it only a hash is kept. Tokens last a day, and end with their collection.
        """
        digest = hashlib.sha256(request.encode()).digest()
        with self.transaction():
            collection = self.collection(collection_id)
            self._database.delete("DELETE FROM tokens WHERE made < ?", time.time() - TOKENS_LAST_SECONDS)
            rows = self._rows("SELECT request, response FROM tokens WHERE token = ? AND operation = ?", token, operation)
            if rows and rows[0][0] != digest:
                raise ServiceError(
                    "IdempotentParameterMismatchException",
                    f"the ClientRequestToken {token} came before with other parameters; take a new one",
                )
            if rows:
                return str(rows[0][1])
            response = answer()
            values = token, operation, digest, response, time.time(), collection.number
            self._execute("INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?)", *values)
            return response

    def _add(self, collection: Collection, image: str, external: str | None, face: NewFace) -> StoredFace:
        box, face_id = face.box, str(uuid.uuid4())
        cursor = self._execute(
            "INSERT INTO faces (id, collection, image, external, confidence, left, top, width, height, vector)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(face_id, collection.number, image, external, face.confidence, box.left, box.top, box.width, box.height),
            np.asarray(face.vector, np.float32).tobytes(),
        )
        return StoredFace(int(cursor.lastrowid or 0), face_id, image, external, face.confidence, box, None)

    def _faces(self, where: str, *values: Any) -> list[StoredFace]:
        return [
            StoredFace(number, face_id, image, external, confidence, Box(left, top, width, height), user)
            for number, face_id, image, external, confidence, left, top, width, height, user in self._rows(
                f"{_FACE} {where}", *values
            )
        ]

    def _users(self, where: str, most: int, *values: Any) -> list[User]:
        return [User(*row) for row in self._rows(f"{_USER} {where} ORDER BY u.number LIMIT ?", *values, most)]

    def _changed_associations(self, collection: Collection) -> None:
        self._execute("UPDATE collections SET associations = associations + 1 WHERE number = ?", collection.number)


def not_found(message: str) -> ServiceError:
    """Return the error for a collection, face or user that is not there."""
    return ServiceError("ResourceNotFoundException", message)


def _place(box: Box) -> tuple[float, ...]:
    return tuple(round(length, 6) for length in (box.left, box.top, box.width, box.height))


def _stacked(rows: list[tuple[int, bytes]]) -> tuple[NDArray[np.int64], Vector]:
    numbers = np.array([number for number, _ in rows], np.int64)
    return numbers, np.frombuffer(b"".join(blob for _, blob in rows), np.float32).reshape(-1, VECTOR_SIZE)


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
