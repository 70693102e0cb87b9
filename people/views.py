"""The best view of each track so far, as workers keep it in Redis: the vector of its face, and the picture cut out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import redis

from people.unknowns import View, vector_of
from pipeline import keys


class Views:
    """Reads what workers keep of tracks; every method may raise redis.RedisError."""

    def __init__(self, connection: redis.Redis) -> None:
        self._connection: Any = connection  # redis-py types every command as sync-or-async

    def of(self, tracks: Iterable[str]) -> dict[str, View]:
        """Return the views of these tracks in one question; those of which none is kept, or without a vector, are left out."""
        asked = list(dict.fromkeys(tracks))
        if not asked:
            return {}
        pipe = self._connection.pipeline(transaction=False)
        for track in asked:
            pipe.hmget(keys.face(track), "vector", "weight", "captured_at")
        found = {track: _view(*values) for track, values in zip(asked, pipe.execute(), strict=True)}
        return {track: view for track, view in found.items() if view is not None}


def _view(vector: bytes | None, weight: bytes | None, at: bytes | None) -> View | None:
    known = vector_of(vector or b"")
    try:
        return None if known is None else View(known, float(weight or 0), float(at or 0))
    except ValueError:
        return None
