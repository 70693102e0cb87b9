"""A collection that was made elsewhere is adopted: its users, or the names of its pictures, become people."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from people.audit import Audit
from people.collection import Collection
from people.enrolment import EXTERNAL_PREFIX, Enrolment
from people.face_library import Library
from people.forgetting import Forgetting
from people.house import House, Room, room_of
from people.register import EXTERNAL, LONGEST_NAME, PERSON_PREFIX, USER, EnrolledFace, Person, Place, Register
from pipeline.chores import Chore

log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
_ENDING = re.compile(r"\.(?:jpe?g|png)$", re.IGNORECASE)
_OURS = re.compile(rf"{EXTERNAL_PREFIX}[0-9a-f]{{32}}")
_THIS_PROCESS = "rekstream"


class Adoption(Room):
    """Looks whether the collection holds what is not known here; what was forgotten is gone there, and does not come back."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self._looked: tuple[Place, tuple[int, int]] | None = None

    def meet(self, rooms: Mapping[type[Room], Room]) -> None:
        """Get to know the register and the library."""
        self._register = room_of(rooms, Register)
        self._library = room_of(rooms, Library)
        self._enrolment = room_of(rooms, Enrolment)
        self._forgetting = room_of(rooms, Forgetting)
        self._audit = room_of(rooms, Audit)

    def chores(self) -> Sequence[Chore]:
        """Look once a minute, which is one free call where nothing changed."""
        return (Chore("adoption", LOOK_SECONDS, self.look),)

    def look(self) -> None:
        """Adopt what is new in the collection."""
        place = self._library.place()
        if self._library.calls.scope() is None or place is None or self._forgetting.is_unfinished(place):
            return  # nobody to ask, or somebody in there who is to be forgotten
        with self._enrolment.alone():
            collection = self._library.collection()
            counts = collection.counts()
            if counts is None or self._looked == (collection.place, counts):
                return
            if self._has_more(collection, counts):
                self._adopt(collection)
            self._looked = collection.place, counts

    def _has_more(self, collection: Collection, counts: tuple[int, int]) -> bool:
        faces = sum(face.place == collection.place for face in self._register.faces())
        return counts != (faces, len(self._register.aliases(USER, collection.place)))

    def _adopt(self, collection: Collection) -> None:
        """Make people of users, and of faces that no user has; those of our own unfinished enrolments are left aside."""
        users, faces = list(collection.users()), list(collection.faces())
        known = {person.name.lower(): person for person in self._register.all()}
        before = len(known)
        with self.house.database.transaction():
            for user in users:
                self._whose(USER, user, collection.place, known)
            nameless = sum(not self._take(face, collection.place, known) for face in faces)
        name = collection.place.collection
        if len(known) > before:
            log.warning("collection %s is adopted: %d people are new here", name, len(known) - before)
        if nameless:
            log.warning("%d faces of collection %s have no user and no ExternalImageId: they name nobody", nameless, name)
        self._library.changed()

    def _take(self, face: Mapping[str, Any], place: Place, known: dict[str, Person]) -> bool:
        """Keep whose a face is; False for one that names nobody."""
        user, external = face.get("UserId"), face.get("ExternalImageId")
        if not user and not external:
            return False
        if self._register.person_of({"FaceId": face["FaceId"]}) or (not user and _OURS.fullmatch(str(external))):
            return True
        person = self._whose(USER if user else EXTERNAL, str(user or external), place, known)
        self._register.keep_face(EnrolledFace(str(face["FaceId"]), place, person.id, time.time(), {}))
        return True

    def _whose(self, kind: str, alias: str, place: Place, known: dict[str, Person]) -> Person:
        """Return the person of a user, or of a picture's name; one of the same name is the same person."""
        person_id = self._register.person_of({"UserId" if kind == USER else "ExternalImageId": alias})
        person = self._register.get(person_id) if person_id else known.get(_spoken(alias).lower())
        if person is None:
            person = known[_spoken(alias).lower()] = self._register.add(_spoken(alias))
            self._audit.note(_THIS_PROCESS, "adopt", person.id)
        self._register.keep_alias(kind, alias, place, person.id)
        return person


def _spoken(alias: str) -> str:
    """Return the name that an id says: Grace_Hopper.jpg is Grace Hopper."""
    if alias.startswith(PERSON_PREFIX):
        return alias
    return " ".join(_ENDING.sub("", alias).replace("_", " ").split())[:LONGEST_NAME] or alias
