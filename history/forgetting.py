"""Forgetting a person here: every room removes what tells of them, in one transaction, and is looked through afterwards.

The people process asks for it, with the tracks that it knows; those that are theirs here, from before people.sqlite kept them,
are added. Minutes stay: they count faces and tell of nobody.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Double, Table, Text, delete, func, select

from history.corrections import corrections
from history.database import insert_new
from history.house import House, Recorder, room_of
from history.mirror import Mirror, alerts, is_whole, people, visits
from history.schema import METADATA, tracks
from pipeline.answering import Answer
from pipeline.chores import Chore
from pipeline.entities import Result
from pipeline.errors import PeopleAway, SettingsError
from pipeline.faces import counted_faces
from pipeline.names import TRACK
from pipeline.requests import PEOPLE, Request, Requests

log = logging.getLogger(__name__)

LATE_SECONDS = 60.0
"""So long after somebody was forgotten a result from before may still be on its way into the database."""

ORPHAN_SECONDS = 60.0

_ME = "the history"
_STAYS = "is it an older people.sqlite? What is kept of them stays, without names, as long as everything does"
_ASKED_AT_ONCE = 500
_NOBODY = "nobody"  # an id that nobody has
_MOST_TRACKS = 100_000


forgotten = Table(
    "forgotten",
    METADATA,
    Column("track", Text, primary_key=True),
    Column("at", Double, nullable=False),
    sqlite_with_rowid=False,
)
"""Tracks that were forgotten in the last minute, and when: a kill shall not let through what is late."""


class Forgetting(Recorder):
    """Answers history.forget, history.remaining and history.export; stands after all rooms that write what they hear.

    What is on its way while somebody is forgotten is forgotten when it comes; whom a backup brought back is forgotten once
    more, if the people process says that they were forgotten. Of who is not known to it otherwise nothing goes.
    """

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self._rooms: Sequence[Recorder] = ()
        self._lock = threading.Lock()
        self._lately: dict[str, float] | None = None  # what stands in `forgotten`, once that was looked at
        self._orphans: set[str] = set()
        self._people = Requests(house.broker, PEOPLE)

    def meet(self, rooms: Mapping[type[Recorder], Recorder]) -> None:
        """Get to know all rooms: each may have something to forget."""
        self._rooms = list(rooms.values())
        room_of(rooms, Mirror).before.append(self.forget_again)

    def answers(self) -> Mapping[str, Answer]:
        """Return what is answered about forgetting, and about all that is kept of somebody."""
        return {"history.forget": self._forget, "history.remaining": self._remaining, "history.export": self._export}

    def hear(self, connection: Connection, results: Sequence[Result]) -> None:
        """Forget also the results of before that were on their way meanwhile, and what other rooms just made of them."""
        with self._lock:
            if self._lately is None:
                self._lately = {row.track: row.at for row in connection.execute(select(forgotten))}
            lately = dict(self._lately)
        before = [(track, result.captured_at) for result in results if lately for track in _tracks_in(result)]
        late = sorted({track for track, at in before if at <= lately.get(track, 0.0)})
        for room in self._rooms if late else ():
            room.forget(connection, _NOBODY, late)

    def chores(self) -> Sequence[Chore]:
        """Remember for a minute only what was forgotten, and look for whom people.sqlite has forgotten."""
        return (Chore("forgotten", LATE_SECONDS, self.tidy), Chore("orphans", ORPHAN_SECONDS, self.look_for_orphans))

    def tidy(self) -> None:
        """Let what was forgotten long enough ago be remembered no more."""
        before = self.house.clock.now() - LATE_SECONDS
        with self.house.database.writing() as connection:
            connection.execute(delete(forgotten).where(forgotten.c.at < before))
            with self._lock:
                self._lately = {row.track: row.at for row in connection.execute(select(forgotten))}

    def forget_again(self) -> None:
        """Forget whom the people process has forgotten and a backup brought back; may raise PeopleAway.

        Done before the mirror takes names off tracks: by these are found the faces of somebody.
        """
        with self.house.database.reading() as connection:
            found = sorted(held(connection) | known(connection))
        for first in range(0, len(found), _ASKED_AT_ONCE):
            part = {"people": found[first : first + _ASKED_AT_ONCE]}
            for person in self._people.ask("people.forgotten", part, _ME)["forgotten"]:
                log.warning("somebody whom the people process has forgotten is forgotten here, too: a backup brought them back")
                self.forget_person(person, ())

    def look_for_orphans(self) -> None:
        """Forget again, and tell of whom the people process does not know though nobody was forgotten.

        An older people.sqlite may not know yet who is wanted: what is kept of them stays, without a name.
        """
        try:
            self.forget_again()
        except PeopleAway as error:
            log.debug("people: %s", error)
            return
        with self.house.database.reading() as connection:
            found = held(connection) - known(connection) if is_whole(connection) else set()
        if left := found - self._orphans:
            log.warning("the people process does not know %d people of the history: %s", len(left), _STAYS)
        self._orphans = found

    def forget_person(self, person: str, told: Sequence[str]) -> tuple[dict[str, int], dict[str, int]]:
        """Forget a person, whose tracks these are, in every room; return what was removed, and what is found afterwards."""
        with self.house.database.writing() as connection:
            theirs = _all_tracks(connection, person, told)
            now = self.house.clock.now()
            _remember(connection, theirs, now)
            with self._lock:
                self._lately = {**(self._lately or {}), **dict.fromkeys(theirs, now)}
            removed = self._of_all(lambda room: room.forget(connection, person, theirs))
            remaining = _sum(room.remaining(connection, person, theirs) for room in self._rooms if not _settles(room))
        self.house.database.empty_log()  # from here on who stays before a camera may be seen again, as nobody
        removed |= self._of_all(lambda room: room.settle())
        with self.house.database.reading() as connection:
            later = _sum(room.remaining(connection, person, theirs) for room in self._rooms if _settles(room))
        return removed, {**remaining, **later}

    def _forget(self, request: Request) -> Mapping[str, Any]:
        """Forget a person in every room; return how much of what was removed, and is found afterwards."""
        removed, remaining = self.forget_person(*_asked(request))
        return {"removed": removed, "remaining": remaining}

    def _export(self, request: Request) -> Mapping[str, Any]:
        """Return what every room keeps of a person."""
        person, _ = _asked(request)
        with self.house.database.reading() as connection:
            return {what: kept for room in self._rooms for what, kept in room.export(connection, person).items()}

    def _remaining(self, request: Request) -> Mapping[str, Any]:
        """Look for what forgetting a person would remove."""
        person, told = _asked(request)
        with self.house.database.reading() as connection:
            theirs = _all_tracks(connection, person, told)
            return {"remaining": self._of_all(lambda room: room.remaining(connection, person, theirs))}

    def _of_all(self, ask: Callable[[Recorder], Mapping[str, int]]) -> dict[str, int]:
        return _sum(ask(room) for room in self._rooms)


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    together: Counter[str] = Counter()
    for some in counts:
        for what, count in some.items():
            together[what] += count
    return dict(together)


def _remember(connection: Connection, followed: Sequence[str], now: float) -> None:
    """Write down that these tracks were forgotten, perhaps once more."""
    for first in range(0, len(followed), _ASKED_AT_ONCE):
        connection.execute(delete(forgotten).where(forgotten.c.track.in_(followed[first : first + _ASKED_AT_ONCE])))
    insert_new(connection, forgotten, [{"track": track, "at": now} for track in followed])


def _settles(room: Recorder) -> bool:
    """Say whether a room has something to do after the transaction: what remains is known after that only."""
    return type(room).settle is not Recorder.settle


def held(connection: Connection) -> set[str]:
    """Return the ids of people that rows hold."""
    columns = (tracks.c.person, visits.c.person, alerts.c.person, corrections.c.person)
    return {person for column in columns for person in _different(connection, column)}


def known(connection: Connection) -> set[str]:
    """Return the ids of the people who are known, as far as the mirror is."""
    return set(connection.execute(select(people.c.id)).scalars())


def _different(connection: Connection, column: Column[Any]) -> Iterator[str]:
    """Yield what a column holds, each once and '' never, by one look into its index for each."""
    last = ""
    while (last := connection.execute(select(func.min(column)).where(column > last)).scalar() or "") != "":
        yield last


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
