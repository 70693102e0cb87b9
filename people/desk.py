"""Answers what is asked about the people who are known: who they are, one of them in full, a change of their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from people.audit import Audit
from people.house import Answer, Room, room_of
from people.library import Library, words
from people.register import EnrolledFace, Person, Place, Register
from pipeline.requests import Request


class Desk(Room):
    """Shows and changes the register."""

    def meet(self, rooms: Mapping[type[Room], Room]) -> None:
        """Get to know the rooms that know."""
        self._register = room_of(rooms, Register)
        self._library = room_of(rooms, Library)
        self._audit = room_of(rooms, Audit)

    def answers(self) -> Mapping[str, Answer]:
        """Return what is answered about people."""
        return {"people.list": self._list, "people.get": self._get, "people.change": self._change}

    def shown(self, person: Person) -> dict[str, Any]:
        """Return a person as the API shows them."""
        place = self._library.place()
        return _as_json(person, self._register.faces(person.id), place, place is not None and self._is_here(person, place))

    def _list(self, request: Request) -> Mapping[str, Any]:
        self._audit.viewed(request.who, "list")
        place = self._library.place()
        here = set(self._register.enrolled(place)) if place else set()
        faces: dict[str, list[EnrolledFace]] = {}
        for face in self._register.faces():
            faces.setdefault(face.person, []).append(face)
        again = self._library.again(place)
        return {
            "people": [_as_json(one, faces.get(one.id, []), place, one.id in here) for one in self._register.all()],
            "collection": self.house.settings.collection,
            "provider": words(place.scope) if place else None,
            "again": len(again.people),
            "sentence": again.sentence,
        }

    def _get(self, request: Request) -> Mapping[str, Any]:
        person = self._register.find(request.members["person"])
        self._audit.viewed(request.who, "view", person.id)
        return self.shown(person)

    def _change(self, request: Request) -> Mapping[str, Any]:
        person = self._register.find(request.members["person"])
        changed = self._register.change(person.id, request.members["changes"])
        self._audit.note(request.who, "correct", person.id, ", ".join(sorted(request.members["changes"])))
        return self.shown(changed)

    def _is_here(self, person: Person, place: Place) -> bool:
        return person.id in self._register.enrolled(place)


def _as_json(person: Person, faces: list[EnrolledFace], place: Place | None, is_here: bool) -> dict[str, Any]:
    elsewhere = [face for face in faces if face.place != place]
    return {
        "id": person.id,
        "name": person.name,
        "consent": person.consent or None,
        "legal_basis": person.legal_basis or None,
        "added": round(person.added, 3),
        "faces": [{"id": face.id, "added": round(face.added, 3), **face.quality} for face in faces if face.place == place],
        "elsewhere": len(elsewhere),
        "enrolled": is_here,
        "forgetting": person.forgetting,
    }
