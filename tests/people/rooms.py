"""The rooms of a people process that hear when a test says so, without its threads."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from people.database import Database
from people.follower import Follower
from people.house import House, PeopleSettings
from people.identities import Identities
from people.register import EnrolledFace, Place, Register
from people.rooms import ROOMS, TABLES
from pipeline.broker import Broker
from pipeline.clock import RedisClock
from pipeline.names import Names
from pipeline.requests import Request
from pipeline.results import BEGINNING, Results
from tests.people.seeing import Seeing
from tests.people.support import LOCAL

PLACE = Place("local|here", "rekstream")


class Home:
    """The rooms of a people process, what they hear and what they know."""

    def __init__(self, broker: Broker, folder: Path, **settings: Any) -> None:
        self.broker = broker
        self.database = Database(folder, TABLES)
        clock, told = RedisClock(broker.scripts), PeopleSettings(folder, LOCAL, **settings)
        self.rooms = [room(House(broker, self.database, clock, told, CollectorRegistry())) for room in ROOMS]
        for room in self.rooms:
            room.meet({type(other): other for other in self.rooms})
        self._follower = Follower(broker, self.database, self.rooms, lambda: True, threading.Event())
        self._heard = BEGINNING
        self._answers = {what: answer for room in self.rooms for what, answer in room.answers().items()}
        self.seeing = Seeing(broker)
        self.register = next(room for room in self.rooms if isinstance(room, Register))
        self.identities = next(room for room in self.rooms if isinstance(room, Identities))

    def know(self, name: str, face: str) -> str:
        person = self.register.add(name)
        self.register.keep_face(EnrolledFace(face, PLACE, person.id, time.time(), {}))
        return person.id

    def ask(self, what: str, **members: Any) -> dict[str, Any]:
        return dict(self._answers[what](Request("1", what, members, "a test")))

    def heard(self, at_once: int = 7) -> None:
        """Take in what was published since the last time, some results at once, as they may come."""
        results, self._heard = Results(self.broker.scripts).read(self._heard, limit=10_000)
        for start in range(0, len(results), at_once):
            batch = results[start : start + at_once]
            self._follower._hear(batch, batch[-1].id, "a server")

    def name(self, track: str) -> str | None:
        """Return the name that results show for a track, or the id of its group."""
        found = Names(self.broker.scripts).of([track]).get(track)
        who = (found.person or found.unknown) if found else None
        return None if who is None else str(who.get("Name", who["Id"]))

    def visits(self, **asked: Any) -> list[tuple[str, str | None, float, float]]:
        """Return camera, name or group, and times of all visits, oldest first."""
        base = self.seeing.began
        return [
            (
                visit["camera"],
                (visit["Person"] or {}).get("Name") or (visit["Unknown"] or {}).get("Id"),
                round(visit["began_at"] - base, 2),
                round(visit["ended_at"] - base, 2),
            )
            for visit in reversed(self.ask("visits.list", **asked)["visits"])
        ]
