"""What people say of a face that was seen: "this is Grace", "not this person"; it holds at once, and from then on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import redis

from people.audit import Audit
from people.desk import Desk
from people.house import Room, room_of
from people.identities import Identities
from people.register import PERSON_PREFIX, Person, Register
from people.unknowns import Vector
from people.visits import Cause, Stay, group_number, of_person, of_track, person_in, unknown_in
from pipeline.answering import Answer
from pipeline.errors import RekstreamError, SettingsError, UnknownPerson, UnknownTrack
from pipeline.names import NAME_SECONDS
from pipeline.requests import Request


class Corrections(Room):
    """Lets people say who a track is, or is not."""

    def meet(self, rooms: Mapping[type[Room], Room]) -> None:
        """Get to know those who keep names, people and faces."""
        self._identities = room_of(rooms, Identities)
        self._register = room_of(rooms, Register)
        self._desk = room_of(rooms, Desk)
        self._audit = room_of(rooms, Audit)

    def answers(self) -> Mapping[str, Answer]:
        """Return what can be said of tracks."""
        return {"tracks.name": self._name, "tracks.unname": self._unname}

    def _name(self, request: Request) -> Mapping[str, Any]:
        """Let a track be somebody's, with the earlier visits of its unknown group, and enrol its face if that is wanted."""
        stay = self._stay(request)
        if not self._identities.names_people(stay.camera):
            raise SettingsError(f"nobody is named at {stay.camera!r}: its purpose is an audience")
        wanted, enrol = request.members.get("person"), request.members.get("enrol", True)
        if not isinstance(enrol, bool):
            raise SettingsError(f"enrol {str(enrol)[:40]!r}: write true or false")
        person, is_new = self._person(wanted)
        view = self._identities.views.of([stay.track]).get(stay.track)
        with self._identities.unless_undone():
            stay = self._stay(request)
            self._identities.visits.cause = Cause(stay.track)
            self._identities.rejections.withdraw(person.id, stay.track, view.vector if view else None)
            group = unknown_in(stay.identity)
            if group is not None:
                self._identities.rename_group(group_number(group), person.id, is_said=True)
            self._identities.identify(self._stay(request), of_person(person.id), is_said=True)
            self._audit.note(request.who, "correct", person.id, f"track {stay.track}")
        self._identities.settle()
        enrolled = self._enrol(person, stay.track, request.who) if enrol else _not_enrolled("enrol is false")
        return {**self._answer(stay.track), "new": is_new, **enrolled}

    def _unname(self, request: Request) -> Mapping[str, Any]:
        """Take a name from a track, and from those that would have it for the same face."""
        stay = self._stay(request)
        person = person_in(stay.identity)
        if person is None:
            raise UnknownTrack(f"track {stay.track!r} has no name that could be taken back")
        identities, others = self._identities, self._others(stay)
        views = identities.views.of([stay.track, *(other.track for other in others)])
        is_kept = stay.track in views and identities.house.settings.unknown_hours > 0
        vector = views[stay.track].vector if is_kept else None
        with identities.unless_undone():
            self._reject(stay, person, vector)
            for other in others:
                if other.track not in views and other.visit == stay.visit:
                    self._reject(other, person, None)
                elif other.track in views and identities.rejections.against(other.track, views[other.track].vector, [person]):
                    self._take_back(other.track, person)
            self._audit.note(request.who, "correct", person, f"not track {stay.track}")
        identities.settle()
        return {**self._answer(stay.track), "remembered": vector is not None}

    def _others(self, stay: Stay) -> list[Stay]:
        """Return the tracks that were named so by searches, in the same visit or lately, while faces are kept."""
        since = self._identities.house.clock.now() - NAME_SECONDS
        found = self._identities.visits.stays_of(stay.identity)
        lately = [other for other in found if other.visit == stay.visit or other.ended > since]
        return [other for other in lately if other.track != stay.track and not other.is_said]

    def _reject(self, stay: Stay, person: str, vector: Vector | None) -> None:
        self._identities.rejections.add(person, stay.track, vector, self._identities.house.clock.now())
        self._take_back(stay.track, person)

    def _take_back(self, track: str, person: str) -> None:
        """Let a track be nobody's, its alerts be wrong, and its votes decide anew without this person."""
        visits, stay = self._identities.visits, self._identities.visits.stay(track)
        if stay is None or person_in(stay.identity) != person:
            return
        visits.cause = Cause(track)
        visit = None if stay.visit is None else visits.visit(stay.visit)
        if visit is not None:
            self._identities.reject(visit, person)
        decided = self._identities.decide(self._identities.identify(stay, of_track(track)))
        if person_in(decided.identity) is None:
            self._identities.group([decided], {})

    def _enrol(self, person: Person, track: str, who: str) -> dict[str, Any]:
        """Make the seen face one of the person's; the name holds for the track even where that cannot be done."""
        try:
            face = self._desk.enrol_track(person.id, track, who)
        except RekstreamError as error:
            return _not_enrolled(str(error))
        except redis.RedisError as error:
            return _not_enrolled(f"Redis went away meanwhile ({error}): send a picture of this face later")
        return {"enrolled": True, "face": face.id, "why": ""}

    def _person(self, who: object) -> tuple[Person, bool]:
        """Return the person of an id or a name, and whether they are new."""
        if not isinstance(who, str):
            raise SettingsError(f"person {str(who)[:40]!r}: write the id of somebody who is known, or a name")
        try:
            return self._register.find(who), False
        except UnknownPerson:
            if who.startswith(PERSON_PREFIX):
                raise
            return self._register.add(who), True

    def _stay(self, request: Request) -> Stay:
        track = str(request.members.get("track", ""))
        stay = self._identities.visits.stay(track)
        if stay is None:
            raise UnknownTrack(
                f"there is no track {track[:100]!r}: tracks are named in results, and kept as long as their visits"
            )
        return stay

    def _answer(self, track: str) -> dict[str, Any]:
        stay = self._identities.visits.stay(track)
        name = None if stay is None else self._identities.name_of(stay)
        return {
            "track": track,
            "visit": None if stay is None else stay.visit,
            "Person": name.person if name else None,
            "Unknown": name.unknown if name else None,
        }


def _not_enrolled(why: str) -> dict[str, Any]:
    return {"enrolled": False, "face": None, "why": why}
