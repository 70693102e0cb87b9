"""What Redis tells of somebody for minutes: names of tracks, faces, results, pictures; found, removed, looked for again."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from pipeline import keys
from pipeline.results import Results

_PAGE = 500
_SAYS_WHO = re.compile(rb'"(?:Track|UserId|FaceId|ExternalImageId)": ?"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Traces:
    """By what a person is found outside the register: `aliases` are users and names of pictures."""

    person: str
    aliases: frozenset[str]
    faces: tuple[str, ...]
    tracks: tuple[str, ...]


class TracesInRedis:
    """Finds and removes them; every method may raise redis.RedisError."""

    def __init__(self, connection: redis.Redis) -> None:
        self._redis: Any = connection

    def tracks_named(self, person_id: str) -> list[str]:
        """Return the tracks that carry a person's name now."""
        found = list(self._redis.scan_iter(match=keys.name("*"), count=1000))
        values = self._redis.mget(found) if found else []
        prefix = len(keys.name(""))
        return [key.decode()[prefix:] for key, value in zip(found, values, strict=True) if value and _id_in(value) == person_id]

    def remove(self, traces: Traces, until: str) -> tuple[Counter[str], list[str]]:
        """Delete what shows a person, results up to the id `until`; return how much of what, and the ids of the results."""
        found = list(self._showing(traces, until))
        ids = [name for name, _ in found]
        names = {*traces.tracks, *self.tracks_named(traces.person)}
        return Counter(
            pictures=sum(self._remove_picture(camera, set(ids)) for camera in {camera for _, camera in found})
            + self._in_pieces(self._redis.delete, [keys.face(track) for track in traces.tracks]),
            results=self._in_pieces(Results(self._redis).take_out, ids),
            names=self._in_pieces(self._redis.delete, [keys.name(track) for track in names]),
        ), ids

    def count(self, traces: Traces, until: str) -> Counter[str]:
        """Look for what `remove` removes, and return how much of what is there."""
        return Counter(
            pictures=self._in_pieces(self._redis.exists, [keys.face(track) for track in traces.tracks]),
            results=sum(1 for _ in self._showing(traces, until)),
            names=len(self.tracks_named(traces.person)),
        )

    def _showing(self, traces: Traces, until: str) -> Iterator[tuple[str, str]]:
        """Yield id and camera of the results up to an id that show a person's tracks, or that matched their users or faces.

        Whoever stands before a camera goes on to be seen there, in later results, as nobody who is known.
        """
        theirs = {word.encode() for word in (*traces.tracks, *traces.aliases, *traces.faces)}
        after = "-"
        while entries := self._redis.xrange(keys.RESULTS, min=after, max=until, count=_PAGE):
            for name, values in entries:
                if not theirs.isdisjoint(_SAYS_WHO.findall(values.get(b"result", b""))):
                    yield name.decode(), values.get(b"camera", b"").decode()
            after = f"({entries[-1][0].decode()}"

    def _remove_picture(self, camera: str, results: set[str]) -> int:
        """Delete the pictures of a camera that one of these results is about."""
        count = 0
        for key in (keys.newest(camera), keys.overtaken(camera)):
            about = self._redis.hget(key, "result_id")
            if about is not None and about.decode() in results:
                count += int(self._redis.delete(key))
        return count

    def _in_pieces(self, command: Any, names: Sequence[str]) -> int:
        return sum(int(command(*names[start : start + _PAGE])) for start in range(0, len(names), _PAGE))


def _id_in(name: bytes) -> str:
    try:
        return str(json.loads(name)["Id"])
    except (ValueError, KeyError, TypeError):
        return ""
