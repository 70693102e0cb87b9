"""Forgetting a person: out of the collection, out of the rooms, out of Redis, and the proof by searching afterwards.

The row of the person goes last, so that whatever fails or is killed meanwhile is finished by doing it again.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import redis

from people.audit import Audit
from people.calls import CallError, Picture
from people.collection import Collection
from people.desk import picture_of
from people.enrolment import Enrolment
from people.face_library import Library, words
from people.history_desk import HistoryDesk
from people.house import House, Room, room_of
from people.register import EXTERNAL, USER, Person, Place, Register
from people.traces import Traces, TracesInRedis
from pipeline.answering import Answer
from pipeline.chores import Chore
from pipeline.errors import ProviderError, SettingsError, StorageError
from pipeline.happenings import FORGOTTEN, Happenings
from pipeline.requests import Request
from pipeline.results import Results

FINISH_SECONDS = 30.0
KEEP_SECONDS = 366 * 24 * 3600.0
"""So long it is known that somebody was forgotten, by whom nobody can say: a backup may bring back what was kept of them."""

MOST_ASKED = 10_000
_TOLD_AT_ONCE = 500  # tracks: a happening has 64 KB at most
_THIS_PROCESS = "rekstream"


class Forgetting(Room):
    """Forgets people; what another provider keeps of them is deleted as soon as that one answers again."""

    tables: ClassVar[tuple[str, ...]] = (
        """CREATE TABLE IF NOT EXISTS leftovers (
            scope TEXT NOT NULL,
            collection TEXT NOT NULL,
            user TEXT NOT NULL,
            face TEXT NOT NULL,
            PRIMARY KEY (scope, collection, user, face)
        ) STRICT""",
        "CREATE TABLE IF NOT EXISTS forgotten (digest TEXT PRIMARY KEY, at REAL NOT NULL) STRICT, WITHOUT ROWID",
    )

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self._seen = TracesInRedis(house.broker.scripts)
        self._happenings = Happenings(house.broker.scripts)

    def meet(self, rooms: Mapping[type[Room], Room]) -> None:
        """Get to know all rooms: each has something to forget."""
        self._rooms = list(rooms.values())
        self._register = room_of(rooms, Register)
        self._library = room_of(rooms, Library)
        self._enrolment = room_of(rooms, Enrolment)
        self._audit = room_of(rooms, Audit)
        self._history = room_of(rooms, HistoryDesk)

    def answers(self) -> Mapping[str, Answer]:
        """Return what is answered about forgetting."""
        return {"people.forget": self._answer, "people.forgotten": self._were_forgotten}

    def chores(self) -> Sequence[Chore]:
        """Finish what was begun."""
        return (Chore("forgetting", FINISH_SECONDS, self.finish),)

    def finish(self) -> None:
        """Forget whoever was to be forgotten when this process was killed, and what could not be reached then."""
        for person in self._register.all():
            if person.forgetting:
                self.forget_person(person, _THIS_PROCESS)
        place = self._library.place()
        if place is not None:
            self._delete_leftovers(place)
        self._history.finish()
        with self.house.database.transaction():
            self.house.database.execute("DELETE FROM forgotten WHERE at < ?", time.time() - KEEP_SECONDS)

    def is_unfinished(self, place: Place) -> bool:
        """Say whether the collection at a place may still hold somebody who is to be forgotten."""
        return any(person.forgetting for person in self._register.all()) or bool(self._leftovers(place))

    def forget_person(self, person: Person, who: str, picture: Picture | None = None) -> dict[str, Any]:
        """Remove everything that tells of a person and return what was removed, and what a search finds afterwards."""
        with self._enrolment.alone():
            self._register.begin_forgetting(person.id)
            traces = self._traces(person)
            removed = Counter(self._enrolment.forget(person.id))
            unreachable = self._forget_faces(person, removed)
            for room in self._rooms:
                if room is not self._enrolment:
                    removed.update(room.forget(person.id))
            until = Results(self.house.broker.scripts).last_id()
            seen, results = self._seen.remove(traces, until)
            removed.update(seen)
            there = self._history.forget_there(person.id, traces.tracks)
            removed.update(there.removed)
            remaining = {**self._search(traces, until, picture), **there.remaining}
            removed["people"] += 1
            self._drop(person)
            remaining["people"] = self._register.count(person.id)
            self._audit.note(who, "forget")
            self.house.database.empty_log()
            self._library.changed()
        for start in range(0, len(traces.tracks), _TOLD_AT_ONCE):
            self._happenings.tell(FORGOTTEN, {"tracks": traces.tracks[start : start + _TOLD_AT_ONCE]})
        return {
            "name": person.name,
            "removed": dict(removed),
            "remaining": remaining,
            "unreachable": [words(place.scope) for place in unreachable],
            "unfinished": [there.why] if there.why else [],
            "results": results,
            "tracks": list(traces.tracks),
        }

    def _drop(self, person: Person) -> None:
        """Let a person be known no more, but by a digest of an id that means nothing: so they are known when they come back."""
        with self.house.database.transaction():
            self.house.database.execute("INSERT OR REPLACE INTO forgotten VALUES (?, ?)", _digest(person.id), time.time())
            self._register.drop(person.id)

    def _were_forgotten(self, request: Request) -> Mapping[str, Any]:
        """Return who of these `people`, ids whom somebody still holds, were forgotten here: not who was never known."""
        asked = request.members.get("people")
        if not isinstance(asked, list) or len(asked) > MOST_ASKED or not all(isinstance(person, str) for person in asked):
            raise SettingsError(f"people: name up to {MOST_ASKED:,} ids in a list")
        known = {digest for (digest,) in self.house.database.rows("SELECT digest FROM forgotten")}
        return {"forgotten": [person for person in asked if _digest(person) in known]}

    def _answer(self, request: Request) -> Mapping[str, Any]:
        person = self._register.find(request.members["person"])
        pictures = request.members.get("pictures") or []
        picture = picture_of(pictures[0]) if pictures else None
        try:
            return self.forget_person(person, request.who, picture)
        except (CallError, StorageError, redis.RedisError) as error:
            raise ProviderError(
                f"{person.name} is recognised no more, but not all is deleted yet ({error}): "
                "it goes on by itself, or when you say it again"
            ) from error

    def _traces(self, person: Person) -> Traces:
        """Return by what else than the register a person is found."""
        places = self._register.places(person.id)
        aliases = {
            alias for place in places for kind in (USER, EXTERNAL) for alias in self._register.aliases(kind, place, person.id)
        }
        faces = tuple(face.id for face in self._register.faces(person.id))
        tracks = {*self._seen.tracks_named(person.id), *(track for room in self._rooms for track in room.tracks_of(person.id))}
        return Traces(person.id, frozenset(aliases), faces, tuple(sorted(tracks)))

    # --- the collection ---

    def _forget_faces(self, person: Person, removed: Counter[str]) -> list[Place]:
        """Delete a person's faces and users; return the places that cannot be reached now, which are noted down."""
        here = self._library.place()
        places = self._register.places(person.id)
        for place in places:
            if place == here:
                self._delete(place, person, removed)
            else:
                self._note_leftovers(place, person)
        return [place for place in places if place != here]

    def _delete(self, place: Place, person: Person, removed: Counter[str]) -> None:
        collection = Collection(self._library.calls, place)
        faces = list(self._faces(collection, person))
        collection.delete_faces(faces)
        for user in self._register.aliases(USER, place, person.id):
            collection.delete_user(user)
            removed["users"] += 1
        removed["faces"] += len(faces)

    def _faces(self, collection: Collection, person: Person) -> Iterator[Mapping[str, Any]]:
        """Yield what a collection holds of a person: by the faces that we know, by its users, and by names of pictures."""
        place, seen = collection.place, set()
        ids = [face.id for face in self._register.faces(person.id) if face.place == place]
        external = set(self._register.aliases(EXTERNAL, place, person.id))
        found = list(collection.faces_by_id(ids))
        for user in self._register.aliases(USER, place, person.id):
            found += collection.faces(UserId=user)
        if external:
            found += [face for face in collection.faces() if face.get("ExternalImageId") in external]
        for face in found:
            if face["FaceId"] not in seen:
                seen.add(face["FaceId"])
                yield face

    def _note_leftovers(self, place: Place, person: Person) -> None:
        """Remember, without the person, what is to be deleted once that provider answers again."""
        faces = [face.id for face in self._register.faces(person.id) if face.place == place]
        users = self._register.aliases(USER, place, person.id)
        with self.house.database.transaction():
            for user, face in [("", face) for face in faces] + [(user, "") for user in users]:
                self.house.database.execute(
                    "INSERT OR REPLACE INTO leftovers VALUES (?, ?, ?, ?)", place.scope, place.collection, user, face
                )

    def _delete_leftovers(self, place: Place) -> None:
        rows = self._leftovers(place)
        if not rows:
            return
        collection = Collection(self._library.calls, place)
        collection.delete_faces(collection.faces_by_id([str(face) for _, face in rows if face]))
        for user, _ in rows:
            if user:
                collection.delete_user(str(user))
        with self.house.database.transaction():
            self.house.database.execute(
                "DELETE FROM leftovers WHERE scope = ? AND collection = ?", place.scope, place.collection
            )

    def _leftovers(self, place: Place) -> list[tuple[Any, ...]]:
        query = "SELECT user, face FROM leftovers WHERE scope = ? AND collection = ?"
        return self.house.database.rows(query, place.scope, place.collection)

    # --- the proof ---

    def _search(self, traces: Traces, until: str, picture: Picture | None) -> dict[str, int]:
        """Look everywhere for somebody who is forgotten, and return how much of what is found."""
        remaining: Counter[str] = Counter()
        for room in self._rooms:
            for what, count in room.remaining(traces.person).items():
                remaining[what] += count
        for what, count in self._seen.count(traces, until).items():
            remaining[what] += count
        place = self._library.place()
        if place is not None:
            collection = Collection(self._library.calls, place)
            remaining["faces"] = len(collection.faces_by_id(traces.faces)) if traces.faces else 0
            remaining["users"] = len(traces.aliases.intersection(collection.users()))
            if picture is not None:
                remaining["matches"] = self._matches(collection, picture, traces)
        return dict(remaining)

    def _matches(self, collection: Collection, picture: Picture, traces: Traces) -> int:
        """Return how many faces that are nobody else's a picture of the person still finds."""
        found = [match["Face"] for match in collection.search(picture, self.house.settings.show)]
        return sum(face["FaceId"] in traces.faces or self._register.person_of(face) is None for face in found)


def _digest(person_id: str) -> str:
    return hashlib.sha256(person_id.encode()).hexdigest()
