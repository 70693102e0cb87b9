"""Answers who was where and when, and which unknown people came again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from people.audit import Audit
from people.house import Room, room_of
from people.identities import Identities
from people.register import Register
from people.visits import Visit, of_person, of_unknown
from pipeline.answering import Answer
from pipeline.errors import SettingsError
from pipeline.requests import Request

MOST, USUAL = 1000, 100
_ALL = 10**9


class Guestbook(Room):
    """Lists visits, and groups of unknown ones."""

    def meet(self, rooms: Mapping[type[Room], Room]) -> None:
        """Get to know those who keep visits and people."""
        self._identities = room_of(rooms, Identities)
        self._register = room_of(rooms, Register)
        self._audit = room_of(rooms, Audit)

    def answers(self) -> Mapping[str, Answer]:
        """Return what is answered about visits."""
        return {"visits.list": self._visits, "unknowns.list": self._unknowns}

    def export(self, person_id: str) -> Mapping[str, Any]:
        """Return the visits of a person, newest first."""
        return {"visits": self._shown(self._identities.visits.newest(_ALL, None, of_person(person_id)))}

    def _visits(self, request: Request) -> Mapping[str, Any]:
        """Return visits, newest first, of one camera or person where that is said."""
        wanted, camera = request.members.get("person"), request.members.get("camera")
        person = None if wanted is None else self._register.find(wanted).id
        identity = None if person is None else of_person(person)
        self._audit.viewed(request.who, "visits", person or "")
        found = self._identities.visits.newest(_limit(request), camera, identity)
        return {"visits": self._shown(found)}

    def _shown(self, visits: Sequence[Visit]) -> list[dict[str, Any]]:
        tracks = self._identities.visits.tracks_of([visit.id for visit in visits])
        return [{**self._identities.visit_as_json(visit), "tracks": tracks[visit.id]} for visit in visits]

    def _unknowns(self, request: Request) -> Mapping[str, Any]:
        """Return the unknown people who would be recognised again, the last seen first."""
        self._audit.viewed(request.who, "unknowns")
        groups = self._identities.unknowns.recognisable()
        found = {group: self._identities.visits.newest(MOST, None, of_unknown(group)) for group in groups}
        there = sorted((visits[0].ended, group) for group, visits in found.items() if visits)[::-1]
        return {"unknowns": [self._as_json(group, found[group], groups[group]) for _, group in there[: _limit(request)]]}

    def _as_json(self, group: int, found: Sequence[Visit], track: str) -> dict[str, Any]:
        identity = of_unknown(group)
        return {
            "Id": identity,
            "Visits": self._identities.visits.number_of(identity),
            "began_at": round(min(visit.began for visit in found), 3),
            "ended_at": round(max(visit.ended for visit in found), 3),
            "cameras": sorted({visit.camera for visit in found}),
            "track": track,
        }


def _limit(request: Request) -> int:
    limit = request.members.get("limit", USUAL)
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MOST:
        raise SettingsError(f"limit {limit!r}: write a number from 1 to {MOST}")
    return limit
