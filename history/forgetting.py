"""Forgetting a person here: every room removes what tells of them, in one transaction, and is looked through afterwards.

The people process asks for it, with the tracks that it knows; those that are theirs here, from before people.sqlite kept them,
are added. Minutes stay: they count faces and tell of nobody.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from history.house import House, Recorder, room_of
from history.records import Records
from history.schema import tracks
from pipeline.answering import Answer
from pipeline.entities import Result
from pipeline.errors import SettingsError
from pipeline.faces import counted_faces
from pipeline.names import TRACK
from pipeline.requests import Request

LATE_SECONDS = 60.0
"""So long after somebody was forgotten a result from before may still be on its way into the database."""

_MOST_TRACKS = 100_000


class Forgetting(Recorder):
    """Answers history.forget and history.remaining; what is still on its way meanwhile is forgotten when it comes."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self._rooms: Sequence[Recorder] = ()
        self._lock = threading.Lock()
        self._lately: dict[str, float] = {}  # tracks that were forgotten, and when

    def meet(self, rooms: Mapping[type[Recorder], Recorder]) -> None:
        """Get to know all rooms: each may have something to forget."""
        self._rooms = list(rooms.values())
        self._records = room_of(rooms, Records)

    def answers(self) -> Mapping[str, Answer]:
        """Return what is answered about forgetting."""
        return {"history.forget": self._forget, "history.remaining": self._remaining}

    def hear(self, connection: Connection, results: Sequence[Result]) -> None:
        """Forget also the results of before that were on their way meanwhile."""
        with self._lock:
            now = self.house.clock.now()
            self._lately = {track: at for track, at in self._lately.items() if at > now - LATE_SECONDS}
            lately = dict(self._lately)
        before = [(track, result.captured_at) for result in results if lately for track in _tracks_in(result)]
        late = {track for track, at in before if at <= lately.get(track, 0.0)}
        if late:
            self._records.forget(connection, "", sorted(late))

    def _forget(self, request: Request) -> Mapping[str, Any]:
        """Forget a person in every room; return how much of what was removed, and is found afterwards."""
        person, told = _asked(request)
        with self.house.database.writing() as connection:
            known = _all_tracks(connection, person, told)
            with self._lock:
                self._lately |= dict.fromkeys(known, self.house.clock.now())
            removed = self._of_all(lambda room: room.forget(connection, person, known))
        self.house.database.empty_log()
        removed |= self._of_all(lambda room: room.settle())
        with self.house.database.reading() as connection:
            remaining = self._of_all(lambda room: room.remaining(connection, person, known))
        return {"removed": removed, "remaining": remaining}

    def _remaining(self, request: Request) -> Mapping[str, Any]:
        """Look for what forgetting a person would remove."""
        person, told = _asked(request)
        with self.house.database.reading() as connection:
            known = _all_tracks(connection, person, told)
            return {"remaining": self._of_all(lambda room: room.remaining(connection, person, known))}

    def _of_all(self, ask: Callable[[Recorder], Mapping[str, int]]) -> dict[str, int]:
        counted: Counter[str] = Counter()
        for room in self._rooms:
            for what, count in ask(room).items():
                counted[what] += count
        return dict(counted)


def _asked(request: Request) -> tuple[str, list[str]]:
    person, told = request.members.get("person"), request.members.get("tracks", [])
    if not isinstance(person, str) or not person:
        raise SettingsError(f"person {str(person)[:40]!r}: name the id of a person")
    if not isinstance(told, list) or len(told) > _MOST_TRACKS or not all(isinstance(track, str) for track in told):
        raise SettingsError(f"tracks: name up to {_MOST_TRACKS:,} tracks in a list")
    return person, told


def _all_tracks(connection: Connection, person: str, told: Sequence[str]) -> list[str]:
    theirs = connection.execute(select(tracks.c.track).where(tracks.c.person == person)).scalars()
    return list(dict.fromkeys([*told, *theirs]))


def _tracks_in(result: Result) -> Iterator[str]:
    shown = [result.response, *(face for face in counted_faces(result.response) if isinstance(face, dict))]
    return (track for one in shown if isinstance(track := one.get(TRACK), str))
