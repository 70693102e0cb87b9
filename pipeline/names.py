"""The names of tracks: written by the people process, and put into results when these are read.

So a name that was taken back, or forgotten, stands in no result any more, not even in one that came before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import redis

from pipeline import keys
from pipeline.entities import Result

NAME_SECONDS = 900.0  # longer than results are kept

TRACK, PERSON, UNKNOWN = "Track", "Person", "Unknown"
"""Members of a face in FaceDetails: ours, beside Rekognition's."""


@dataclass(frozen=True, slots=True)
class TrackName:
    """Who a track is: `person` {"Id", "Name", "Similarity"}, `unknown` {"Id", "Visits"} of one who was grouped, or neither."""

    person: Mapping[str, Any] | None = None
    unknown: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the members that a face gets."""
        return {PERSON: self.person} if self.person else {UNKNOWN: self.unknown} if self.unknown else {}


class Names:
    """Who tracks are, in Redis; every method may raise redis.RedisError."""

    def __init__(self, connection: redis.Redis) -> None:
        self._connection: Any = connection  # redis-py types every command as sync-or-async

    def write(self, names: Mapping[str, TrackName]) -> None:
        """Say who these tracks are, for so long as results of them are kept; who is nobody any more loses the name."""
        pipe = self._connection.pipeline(transaction=False)
        for track, name in names.items():
            for key, who in ((keys.name(track), name.person), (keys.unknown(track), name.unknown)):
                if who:
                    pipe.set(key, json.dumps(who, separators=(",", ":")), ex=int(NAME_SECONDS))
                else:
                    pipe.delete(key)
        if names:
            pipe.execute()

    def of(self, tracks: Iterable[str]) -> dict[str, TrackName]:
        """Return who these tracks are, in one question to Redis; those of whom nothing is known are left out."""
        asked = list(dict.fromkeys(tracks))
        if not asked:
            return {}
        found = self._connection.mget([*map(keys.name, asked), *map(keys.unknown, asked)])
        both = zip(asked, found, found[len(asked) :], strict=False)
        return {track: TrackName(_read(person), _read(unknown)) for track, person, unknown in both if person or unknown}

    def into(self, results: Sequence[Result]) -> list[Result]:
        """Return results with Person or Unknown beside each face whose track is somebody: one question to Redis for all."""
        tracks = [_tracks(result) for result in results]
        names = self.of(track for found in tracks for track in found if track)
        return [_named(result, found, names) for result, found in zip(results, tracks, strict=True)]


def _tracks(result: Result) -> list[str]:
    """Return the track of each face of a result, '' for those that have none."""
    faces = result.response.get("FaceDetails")
    return [_track(face) for face in faces] if isinstance(faces, list) else []


def _track(face: Any) -> str:
    track = face.get(TRACK) if isinstance(face, dict) else None
    return track if isinstance(track, str) else ""


def _named(result: Result, tracks: Sequence[str], names: Mapping[str, TrackName]) -> Result:
    if not any(track in names for track in tracks):
        return result
    both = zip(result.response["FaceDetails"], tracks, strict=True)
    faces = [{**face, **names[track].as_json()} if track in names else face for face, track in both]
    return replace(result, response={**result.response, "FaceDetails": faces})


def _read(stored: bytes | None) -> Mapping[str, Any] | None:
    try:
        found = json.loads(stored) if stored else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
