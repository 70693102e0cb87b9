"""Answers what is asked about the people who are known: who they are, their faces, their names."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from people.audit import Audit
from people.calls import Picture
from people.enrolment import Enrolment
from people.face_library import Library, words
from people.house import House, Room, room_of
from people.register import EnrolledFace, Person, Place, Register
from pipeline.answering import Answer
from pipeline.errors import EnrolmentRefused, SettingsError, UnknownPerson
from pipeline.purposes import Purposes
from pipeline.requests import Request
from pipeline.tracks import Faces
from vision.pictures import inspect

MOST_PICTURES = 20  # of one question


class Desk(Room):
    """Shows and changes the register."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self._purposes = Purposes(house.broker.scripts)

    def meet(self, rooms: Mapping[type[Room], Room]) -> None:
        """Get to know the rooms that know."""
        self._register = room_of(rooms, Register)
        self._library = room_of(rooms, Library)
        self._enrolment = room_of(rooms, Enrolment)
        self._audit = room_of(rooms, Audit)
        self._rooms = list(rooms.values())

    def answers(self) -> Mapping[str, Answer]:
        """Return what is answered about people."""
        return {
            "people.list": self._list,
            "people.get": self._get,
            "people.add": self._add,
            "people.change": self._change,
            "people.export": self._export,
            "people.enrol": self._enrol,
            "people.unenrol": self._unenrol,
        }

    def enrol_track(self, person_id: str, track: str, who: str = "") -> EnrolledFace:
        """Make the face of a track that was just seen one of a person's.

        Raises EnrolmentRefused, UnknownPerson, or what `Enrolment.enrol` raises.
        """
        person = self._register.find(person_id)
        face = self._enrolment.enrol(person, self._seen_lately(track), is_crop=True)
        self._audit.note(who, "enrol", person.id, "a face just seen")
        return face

    def _list(self, request: Request) -> Mapping[str, Any]:
        self._audit.viewed(request.who, "list")
        place = self._library.place()
        here = set(self._register.enrolled(place)) if place else set()
        faces: dict[str, list[EnrolledFace]] = {}
        for face in self._register.faces():
            faces.setdefault(face.person, []).append(face)
        again = self._library.again(place)
        return {
            "people": [_as_json(one, faces.get(one.id, []), place, is_here=one.id in here) for one in self._register.all()],
            "collection": self.house.settings.collection,
            "provider": words(place.scope) if place else None,
            "again": len(again.people),
            "sentence": again.sentence,
        }

    def _get(self, request: Request) -> Mapping[str, Any]:
        person = self._register.find(request.members["person"])
        self._audit.viewed(request.who, "view", person.id)
        return self._shown(person)

    def _export(self, request: Request) -> Mapping[str, Any]:
        """Return everything that is kept of somebody, as people may ask for it; vectors stay with Rekognition."""
        person = self._register.find(request.members["person"])
        self._audit.note(request.who, "export", person.id)
        return self._shown(person) | {what: kept for room in self._rooms for what, kept in room.export(person.id).items()}

    def _add(self, request: Request) -> Mapping[str, Any]:
        """Add somebody with their pictures; nobody, if none of these can be used."""
        told = request.members
        pictures = self._pictures(told)
        person = self._register.draft(told.get("name"), told.get("consent"), told.get("legal_basis"))
        refused = self._enrol_each(person, pictures, told, request.who, is_draft=True)
        if not pictures:
            self._register.keep(person)
            self._audit.note(request.who, "add", person.id)
        return self._shown(person) | {"refused": refused}

    def _enrol(self, request: Request) -> Mapping[str, Any]:
        person = self._register.find(request.members["person"])
        pictures = self._pictures(request.members)
        if not pictures:
            raise SettingsError('there is no picture: send one, or {"track": …} of a face just seen')
        refused = self._enrol_each(person, pictures, request.members, request.who)
        return self._shown(person) | {"refused": refused}

    def _unenrol(self, request: Request) -> Mapping[str, Any]:
        person = self._register.find(request.members["person"])
        named = str(request.members["face"])
        face = next((face for face in self._register.faces(person.id) if face.id == named), None)
        if face is None:
            raise UnknownPerson(f"{person.name} has no face {named[:40]!r}: `rekstream faces list` names them")
        place = self._library.place()
        if place != face.place:
            raise SettingsError(
                f"that face is kept by {words(face.place.scope)}, and {words(place.scope) if place else 'nobody'} answers now: "
                "remove it while that one does"
            )
        self._enrolment.remove(person, face)
        self._audit.note(request.who, "remove face", person.id)
        return self._shown(person)

    def _change(self, request: Request) -> Mapping[str, Any]:
        person = self._register.find(request.members["person"])
        changed = self._register.change(person.id, request.members["changes"])
        self._audit.note(request.who, "correct", person.id, ", ".join(sorted(request.members["changes"])))
        return self._shown(changed)

    def _enrol_each(
        self, person: Person, pictures: Sequence[Picture], told: Mapping[str, Any], who: str, *, is_draft: bool = False
    ) -> list[dict[str, Any]]:
        """Enrol what can be, and return what was refused; raises the first refusal if that is all of it."""
        refused: list[dict[str, Any]] = []
        first: EnrolmentRefused | None = None
        for number, picture in enumerate(pictures, 1):
            is_still_draft = is_draft and len(refused) == number - 1
            try:
                self._enrolment.enrol(person, picture, is_crop=bool(told.get("track")), is_draft=is_still_draft)
            except EnrolmentRefused as error:
                first = first or error
                refused.append({"picture": number, "message": str(error)})
            else:
                self._audit.note(who, "enrol", person.id, "a face just seen" if told.get("track") else "a picture")
        if first and len(refused) == len(pictures):
            raise first
        return refused

    def _pictures(self, told: Mapping[str, Any]) -> list[Picture]:
        if told.get("track"):
            return [self._seen_lately(str(told["track"]))]
        sent = told.get("pictures") or []
        if len(sent) > MOST_PICTURES:
            raise SettingsError(f"{len(sent)} pictures are too many at once: send {MOST_PICTURES} at most")
        return [picture_of(one) for one in sent]

    def _seen_lately(self, track: str) -> Picture:
        face = Faces(self.house.broker.scripts).of(track)
        if face is None:
            raise EnrolmentRefused(
                f"nothing of {track[:60]!r} is kept any more: a face just seen is kept for a quarter of an hour"
            )
        if not self._purposes.names_people(face.camera):
            raise EnrolmentRefused(
                f"nobody is known by camera {face.camera!r}, as its purpose says: enrol with a picture instead"
            )
        if not face.jpeg:
            raise EnrolmentRefused(f"no picture of {track[:60]!r} was kept, as privacy is on: enrol with a picture instead")
        about = inspect(face.jpeg)
        return Picture(face.jpeg, about.width, about.height)

    def _shown(self, person: Person) -> dict[str, Any]:
        place = self._library.place()
        here = self._register.enrolled(place) if place else []
        return _as_json(person, self._register.faces(person.id), place, is_here=person.id in here)


def picture_of(sent: Mapping[str, Any]) -> Picture:
    """Return what the dashboard sent, which has checked it."""
    try:
        return Picture(base64.b64decode(sent["image"]), int(sent["width"]), int(sent["height"]))
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise SettingsError(f"a picture cannot be read ({type(error).__name__}): send it again") from error


def _as_json(person: Person, faces: list[EnrolledFace], place: Place | None, *, is_here: bool) -> dict[str, Any]:
    return {
        "id": person.id,
        "name": person.name,
        "consent": person.consent or None,
        "legal_basis": person.legal_basis or None,
        "added": round(person.added, 3),
        "faces": [{"id": face.id, "added": round(face.added, 3), **face.quality} for face in faces if face.place == place],
        "elsewhere": sum(face.place != place for face in faces),
        "enrolled": is_here,
        "forgetting": person.forgetting,
    }
