"""Pictures become faces of a collection, if they are good enough; any kill leaves nothing half done.

    check (one face, large, sharp, bright, turned here) ─> nobody else's? ─> note down ─> index ─> user ─> associate ─> keep

What is noted down and not kept was interrupted: its face is looked for by its own name in the collection, and deleted.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import redis

from people import quality
from people.calls import CallError, Picture, new_mailbox
from people.collection import Collection
from people.face_library import Library
from people.house import House, Room, room_of
from people.register import USER, EnrolledFace, Person, Place, Register
from pipeline.chores import Chore
from pipeline.entities import Operation
from pipeline.errors import EnrolmentRefused, PeopleAway, StorageError, UnknownPerson

log = logging.getLogger(__name__)

EXTERNAL_PREFIX = "e_"
TIDY_SECONDS = 10.0
BUSY_SECONDS = 30.0
_ALIKE = 75.0  # percent: what AssociateFaces asks of a further face of a user, by AWS's default


@dataclass(frozen=True, slots=True)
class Pending:
    """An enrolment that is not over: `id` is the ExternalImageId of its face, `mailbox` that of the call that indexes it."""

    id: str
    person: str
    place: Place
    mailbox: str


class Enrolment(Room):
    """Adds faces to people, and takes them away; one after the other."""

    tables: ClassVar[tuple[str, ...]] = (
        """CREATE TABLE IF NOT EXISTS enrolments (
            id TEXT PRIMARY KEY,
            person TEXT NOT NULL,
            scope TEXT NOT NULL,
            collection TEXT NOT NULL,
            mailbox TEXT NOT NULL,
            is_new INTEGER NOT NULL
        ) STRICT""",
    )

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self._lock = threading.RLock()

    def meet(self, rooms: Mapping[type[Room], Room]) -> None:
        """Get to know the register and the library."""
        self._register = room_of(rooms, Register)
        self._library = room_of(rooms, Library)

    def chores(self) -> Sequence[Chore]:
        """Tidy up after enrolments that were interrupted."""
        return (Chore("enrolment", TIDY_SECONDS, self.tidy),)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Change the collection alone; raises PeopleAway when others take too long."""
        if not self._lock.acquire(timeout=BUSY_SECONDS):
            raise PeopleAway("other pictures are being enrolled just now: send this one again in a moment")
        try:
            yield
        finally:
            self._lock.release()

    def enrol(self, person: Person, picture: Picture, *, is_crop: bool = False, is_draft: bool = False) -> EnrolledFace:
        """Make the face in a picture one of a person's; somebody who is only a draft is kept with their first face.

        In a crop of a track the largest face counts, elsewhere there has to be one alone. Raises EnrolmentRefused with what to
        do, UnknownPerson for somebody who was forgotten meanwhile, CallError, PersonExists, redis.RedisError, PeopleAway or
        StorageError, and leaves everything as it was.
        """
        with self.alone():
            known = self._register.get(person.id)
            if known.forgetting if known else not is_draft:
                raise UnknownPerson(f"{person.name} was forgotten meanwhile, and this picture was not taken")
            return self._enrol(person, picture, is_crop=is_crop)

    def remove(self, person: Person, face: EnrolledFace) -> None:
        """Delete one face of a person; with the last one of a collection its user goes, too."""
        with self.alone():
            collection = Collection(self._library.calls, face.place)
            collection.delete_faces(collection.faces_by_id([face.id]))
            self._register.drop_faces(face.place, [face.id])
            self._drop_user_without_faces(collection, person.id)
            self._library.changed()

    def tidy(self) -> None:
        """Delete what interrupted enrolments left, while workers answer for its collection."""
        with self.alone():
            place = self._library.place()
            for pending in self._pending():
                if pending.place == place:
                    self._undo(pending)

    def forget(self, person_id: str) -> Mapping[str, int]:
        """Tidy up after a person's enrolments."""
        with self.alone():
            found = self._pending(person_id)
            for pending in found:
                self._undo(pending)
        return {"enrolments": len(found)}

    def remaining(self, person_id: str) -> Mapping[str, int]:
        """Return how many enrolments of a person are not over."""
        return {"enrolments": len(self._pending(person_id))}

    # --- steps ---

    def _enrol(self, person: Person, picture: Picture, *, is_crop: bool) -> EnrolledFace:
        collection = self._library.collection()
        measured = quality.checked(self._seen(picture), picture, is_crop=is_crop)
        collection.make()
        self._check_whose(person, collection, picture)
        pending = self._note_down(person, collection.place)
        try:
            face = EnrolledFace(self._indexed(pending, collection, picture), pending.place, person.id, time.time(), measured)
            self._give(face, person, collection)
        except BaseException:
            with contextlib.suppress(CallError, redis.RedisError, StorageError):  # else it is tidied up later
                self._undo(pending)
            raise
        self._keep(pending, face)
        return face

    def _seen(self, picture: Picture) -> Sequence[Mapping[str, Any]]:
        try:
            return list(self._library.calls.call(Operation.DETECT_FACES, {}, picture)["FaceDetails"])
        except CallError as error:
            if error.kind == "picture":
                raise EnrolmentRefused(f"{error}: send another picture") from error
            raise

    def _check_whose(self, person: Person, collection: Collection, picture: Picture) -> None:
        for match in collection.search(picture, self.house.settings.watch):
            other = self._register.person_of(match["Face"])
            if other is not None and other != person.id:
                raise EnrolmentRefused(
                    f"the face is {self._register.name_of(other)}'s already ({match['Similarity']:.1f} % alike): "
                    f"add the picture to them, or remove that face of theirs first if it is {person.name}'s"
                )

    def _note_down(self, person: Person, place: Place) -> Pending:
        """Note what is about to be done, and with it the person, if they are new."""
        pending = Pending(f"{EXTERNAL_PREFIX}{uuid.uuid4().hex}", person.id, place, new_mailbox())
        is_new = self._register.get(person.id) is None
        with self.house.database.transaction():
            if is_new:
                self._register.keep(person)
            self.house.database.execute(
                "INSERT INTO enrolments VALUES (?, ?, ?, ?, ?, ?)",
                *(pending.id, person.id, place.scope, place.collection, pending.mailbox, int(is_new)),
            )
        return pending

    def _indexed(self, pending: Pending, collection: Collection, picture: Picture) -> str:
        """Have the face indexed and return its id."""
        answer = collection.index(picture, pending.id, pending.mailbox)
        if not answer["FaceRecords"]:
            raise EnrolmentRefused(quality.unindexed(answer.get("UnindexedFaces") or []))
        return str(answer["FaceRecords"][0]["Face"]["FaceId"])

    def _give(self, face: EnrolledFace, person: Person, collection: Collection) -> None:
        """Make the face the person's in the collection."""
        user = self._user_of(person, face.place)
        self._register.keep_alias(USER, user, face.place, person.id)
        collection.add_user(user)
        alike = collection.associate(user, face.id)
        if alike is not None:
            raise EnrolmentRefused(
                f"the face is not like {person.name}'s other pictures ({alike:.0f} % alike, {_ALIKE:.0f} at least): "
                "is it somebody else? Then add it under their name"
            )

    def _keep(self, pending: Pending, face: EnrolledFace) -> None:
        with self.house.database.transaction():
            self._register.keep_face(face)
            self.house.database.execute("DELETE FROM enrolments WHERE id = ?", pending.id)
        self._library.changed()

    # --- undoing ---

    def _undo(self, pending: Pending) -> None:
        """Leave nothing of an enrolment."""
        self._library.calls.give_up(pending.mailbox)
        collection = Collection(self._library.calls, pending.place)
        left = [face for face in collection.faces() if face.get("ExternalImageId") == pending.id]
        collection.delete_faces(left)
        self._drop_user_without_faces(collection, pending.person)
        with self.house.database.transaction():
            rows = self.house.database.rows("SELECT is_new FROM enrolments WHERE id = ?", pending.id)
            self.house.database.execute("DELETE FROM enrolments WHERE id = ?", pending.id)
            if rows and rows[0][0] and not self._register.faces(pending.person):
                self._register.drop(pending.person)

    def _drop_user_without_faces(self, collection: Collection, person_id: str) -> None:
        if any(face.place == collection.place for face in self._register.faces(person_id)):
            return
        if person_id in self._register.aliases(USER, collection.place, person_id):  # our own; an adopted one stays
            collection.delete_user(person_id)
            self._register.drop_alias(USER, person_id, collection.place)

    def _user_of(self, person: Person, place: Place) -> str:
        """Return the id of a person's user: that of an adopted collection, else our own for them, which is no name."""
        known = self._register.aliases(USER, place, person.id)
        return known[0] if known else person.id

    def _pending(self, person_id: str | None = None) -> list[Pending]:
        rows: list[tuple[Any, ...]] = self.house.database.rows(
            "SELECT id, person, scope, collection, mailbox FROM enrolments WHERE ?1 IS NULL OR person = ?1", person_id
        )
        return [Pending(name, person, Place(scope, collection), mailbox) for name, person, scope, collection, mailbox in rows]
