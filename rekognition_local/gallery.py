"""The vectors of collections in memory, where they are searched; what the store has since then is read before each search."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rekognition_local.store import Collection, Store, Vector
from vision.embedding import VECTOR_SIZE, distance, distance_at, similarity

Numbers = NDArray[np.int64]

_ROUNDING = 1e-4  # of squared distances in 32 bits; what is found is measured again in 64
_ROOM = 64  # vectors that fit into an empty shelf; it doubles when full


@dataclass(frozen=True, slots=True)
class Match:
    """The number of a face or user in the store, and how similar it is in percent."""

    number: int
    similarity: float


@dataclass(slots=True)
class Shelf:
    """Vectors to be searched, and whose they are: only ever appended to, so that a search needs no lock.

    `state` is what the store said when they were read: when it says something else, they are read anew.
    """

    state: int
    numbers: Numbers
    vectors: Vector
    squares: NDArray[np.float32]
    count: int = 0

    @classmethod
    def empty(cls, state: int) -> Shelf:
        """Return a shelf with nothing on it."""
        return cls(state, np.zeros(_ROOM, np.int64), np.zeros((_ROOM, VECTOR_SIZE), np.float32), np.zeros(_ROOM, np.float32))

    def append(self, numbers: Numbers, vectors: Vector) -> Shelf:
        """Return a shelf with these as well; what others still search of this one stays as it is."""
        count = self.count + len(numbers)
        grown = self if count <= len(self.numbers) else self._with_room_for(count)
        place = slice(self.count, count)
        grown.numbers[place], grown.vectors[place] = numbers, vectors
        grown.squares[place] = np.einsum("ij,ij->i", vectors, vectors)
        return Shelf(self.state, grown.numbers, grown.vectors, grown.squares, count)

    def only(self, numbers: Numbers, state: int) -> Shelf:
        """Return a shelf of those that are among `numbers`."""
        kept = np.isin(self.numbers[: self.count], numbers)
        mine = self.numbers[: self.count][kept], self.vectors[: self.count][kept], self.squares[: self.count][kept]
        return Shelf(state, *mine, int(kept.sum()))

    def search(self, vector: Vector, threshold: float, most: int) -> list[Match]:
        """Return the `most` nearest that are at least `threshold` percent similar, the nearest first.

        One product with the whole matrix: 100,000 vectors are 51 MB, which one core reads in under 10 ms.
        """
        squared = self.squares[: self.count] - 2 * (self.vectors[: self.count] @ vector) + float(vector @ vector)
        near = np.flatnonzero(squared <= distance_at(threshold) ** 2 + _ROUNDING)
        if len(near) > most:
            near = near[np.argpartition(squared[near], most - 1)[:most]]
        exact = distance(self.vectors[near], vector)
        order = np.argsort(exact, kind="stable")
        shares = similarity(exact[order])
        return [
            Match(int(number), float(share))
            for number, share in zip(self.numbers[near[order]], shares, strict=True)
            if share >= threshold
        ]

    def _with_room_for(self, count: int) -> Shelf:
        room = max(count, 2 * len(self.numbers))
        grown = Shelf(
            self.state,
            np.zeros(room, np.int64),
            np.zeros((room, VECTOR_SIZE), np.float32),
            np.zeros(room, np.float32),
            self.count,
        )
        for new, old in ((grown.numbers, self.numbers), (grown.vectors, self.vectors), (grown.squares, self.squares)):
            new[: self.count] = old[: self.count]
        return grown


class Gallery:
    """Searches the collections of a store; safe for several threads, and right when another process writes the store.

    Its lock is taken before the database's, so nobody may come here from inside a transaction.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._faces: dict[int, Shelf] = {}
        self._users: dict[int, Shelf] = {}
        self._lock = threading.Lock()

    def faces(self, collection: Collection, vector: Vector, threshold: float, most: int) -> list[Match]:
        """Return the faces of a collection most similar to a vector."""
        return self._shelf(self._faces, collection, self._read_faces).search(vector, threshold, most)

    def users(self, collection: Collection, vector: Vector, threshold: float, most: int) -> list[Match]:
        """Return the users of a collection most similar to a vector; a user is the mean of the faces associated with it."""
        return self._shelf(self._users, collection, self._read_users).search(vector, threshold, most)

    def forget(self, collection: Collection) -> None:
        """Free the memory of a collection."""
        with self._lock:
            self._faces.pop(collection.number, None)
            self._users.pop(collection.number, None)

    def _shelf(
        self, shelves: dict[int, Shelf], collection: Collection, read: Callable[[Collection, Shelf | None], Shelf]
    ) -> Shelf:
        with self._lock:
            shelf = read(collection, shelves.get(collection.number))
            shelves[collection.number] = shelf
            return shelf

    def _read_faces(self, collection: Collection, known: Shelf | None) -> Shelf:
        if known is None:
            known = Shelf.empty(collection.removals)
        elif known.state != collection.removals:
            known = known.only(self._store.numbers(collection), collection.removals)
        last = int(known.numbers[known.count - 1]) if known.count else 0
        numbers, vectors = self._store.vectors_after(collection, last)
        return known.append(numbers, vectors) if len(numbers) else known

    def _read_users(self, collection: Collection, known: Shelf | None) -> Shelf:
        if known is not None and known.state == collection.associations:
            return known
        owners, vectors = self._store.user_vectors(collection)
        return Shelf.empty(collection.associations).append(*means(owners, vectors))


def means(owners: Numbers, vectors: Vector) -> tuple[Numbers, Vector]:
    """Return each owner once, and the mean of its vectors; `owners` must be in order."""
    if not len(owners):
        return owners, vectors
    unique, starts, counts = np.unique(owners, return_index=True, return_counts=True)
    return unique, np.asarray(np.add.reduceat(vectors, starts, axis=0) / counts[:, None], np.float32)
