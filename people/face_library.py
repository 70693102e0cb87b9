"""Which collection is in use: who answers now, what it holds of the people who are known, and what workers are told of it."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import redis

from people.calls import CallError, Calls
from people.collection import Collection
from people.house import House, Room, room_of
from people.register import Place, Register
from pipeline import keys
from pipeline.chores import Chore

log = logging.getLogger(__name__)

TELL_SECONDS = 5.0
TOLD_SECONDS = 30.0  # for which workers believe it

_VECTORS = "vectors of one provider mean nothing to another"


@dataclass(frozen=True, slots=True)
class Again:
    """Who is known, but by faces of another provider only."""

    people: tuple[str, ...]
    sentence: str


class Library(Room):
    """The collection in use; methods may raise CallError, redis.RedisError or StorageError."""

    tables: ClassVar[tuple[str, ...]] = (
        "CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    )

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self.calls = Calls(house.broker, house.clock)
        self._redis: Any = house.broker.scripts

    def meet(self, rooms: Mapping[type[Room], Room]) -> None:
        """Get to know the register."""
        self._register = room_of(rooms, Register)

    def chores(self) -> Sequence[Chore]:
        """Tell workers who can be found."""
        return (Chore("library", TELL_SECONDS, self.tell),)

    def place(self) -> Place | None:
        """Return where faces are kept now: as the living workers say, or the last that did; None if there never was one."""
        scope = self.calls.scope()
        if scope is None:
            known = self._fact("scope")
            return Place(known, self.house.settings.collection) if known else None
        place = Place(scope, self.house.settings.collection)
        self._notice(place)
        return place

    def collection(self) -> Collection:
        """Return the collection in use; raises CallError when nobody knows who answers."""
        place = self.place()
        if place is None:
            raise CallError("no worker is running, so nobody would ask Rekognition: start `rekstream work`", "no_worker")
        return Collection(self.calls, place)

    def again(self, place: Place | None) -> Again:
        """Return who has to be enrolled again before they can be recognised here."""
        if place is None:
            return Again((), "")
        here = set(self._register.enrolled(place))
        others = {face.person: face.place.scope for face in self._register.faces() if face.person not in here}
        if not others:
            return Again((), "")
        who = "1 person was" if len(others) == 1 else f"{len(others)} people were"
        have = "has" if len(others) == 1 else "have"
        where = " and ".join(sorted({words(scope) for scope in others.values()}))
        return Again(
            tuple(sorted(others)),
            f"{who} enrolled with {where}, and {have} to be enrolled again with {words(place.scope)}: {_VECTORS}",
        )

    def changed(self) -> None:
        """Remember that somebody else is known now, and tell workers, who then search for faces without a name again."""
        self._keep_fact("changed", f"{self.house.clock.now():.3f}")
        with contextlib.suppress(redis.RedisError):  # else they hear of it within seconds
            self.tell()

    def tell(self) -> None:
        """Tell workers which collection to search, whether anybody is in it, and when that last changed."""
        place = self.place()
        about = {
            "collection": self.house.settings.collection,
            "people": len(self._register.enrolled(place)) if place else 0,
            "show": self.house.settings.show,
            "changed": float(self._fact("changed") or 0),
        }
        self._redis.set(keys.PEOPLE, json.dumps(about), px=int(TOLD_SECONDS * 1000))

    def _notice(self, place: Place) -> None:
        """Remember who answers; where that is somebody else now, say who has to be enrolled again."""
        if self._fact("scope") == place.scope:
            return
        self._keep_fact("scope", place.scope)
        if again := self.again(place).sentence:
            log.warning("%s", again)

    def _fact(self, name: str) -> str:
        found = self.house.database.rows("SELECT value FROM facts WHERE name = ?", name)
        return str(found[0][0]) if found else ""

    def _keep_fact(self, name: str, value: str) -> None:
        with self.house.database.transaction():
            self.house.database.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, value)


def words(scope: str) -> str:
    """Return a provider's scope for people to read."""
    who, _, region = scope.rpartition("|")
    if who == "local":
        return "the local Rekognition server"
    return f"AWS account {who.removeprefix('aws-')} in {region}" if who.startswith("aws-") else who
