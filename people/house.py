"""What the rooms of the people process share, and what each of them may offer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

from prometheus_client import CollectorRegistry

from people.database import Database
from pipeline.answering import Answer
from pipeline.broker import Broker
from pipeline.chores import Chore
from pipeline.clock import Clock
from pipeline.entities import Result
from pipeline.provider import Provider


@dataclass(frozen=True, slots=True)
class PeopleSettings:
    """What the people process is told.

    `data` is the folder of people.sqlite, `collection` the id of the Rekognition collection; faces are named from the
    similarity `show` on, in percent, and a face that is like somebody's from `watch` on is theirs (and what
    a watch takes for them). A visit is over when its person was out of sight for `visit_gap` seconds, and is kept for
    `visit_days`, alerts for `alert_days`, unknown faces for `unknown_hours`.
    """

    data: Path
    provider: Provider
    collection: str = "rekstream"
    show: float = 80.0
    watch: float = 99.0
    visit_gap: float = 10.0
    visit_days: float = 30.0
    unknown_hours: float = 24.0
    version: str = ""
    privacy: bool = False
    alert_days: float = 30.0


@dataclass(frozen=True, slots=True)
class House:
    """What every room can use; `registry` is what /metrics shows.

    `may_serve` says whether this process is the one that serves: no other thread of a room does anything elsewhere otherwise.
    """

    broker: Broker
    database: Database
    clock: Clock
    settings: PeopleSettings
    registry: CollectorRegistry
    may_serve: Callable[[], bool] = lambda: True


class Room:
    """One part of the people process; what it does not offer it need not define."""

    tables: ClassVar[tuple[str, ...]] = ()
    """CREATE TABLE IF NOT EXISTS … statements, run at each start."""

    def __init__(self, house: House) -> None:
        self.house = house

    def meet(self, rooms: Mapping[type[Room], Room]) -> None:
        """Get to know the other rooms, once all are there."""

    def answers(self) -> Mapping[str, Answer]:
        """Return the questions that are answered here by name, such as people.list."""
        return {}

    def hear(self, results: Sequence[Result]) -> None:
        """Take notice of what came out of the results stream, in its order, each result once.

        Called inside the transaction that keeps the cursor: what is written to the database counts once through any kill, and
        is undone if this raises. Nothing slow belongs here, and no call of Rekognition.
        """

    def settle(self) -> None:
        """Tell others (in Redis) what the last results changed, once that is kept; may raise redis.RedisError."""

    def tracks_of(self, person_id: str) -> Sequence[str]:  # noqa: ARG002  # rooms that know of some need it
        """Return the tracks that are known to be a person's."""
        return ()

    def export(self, person_id: str) -> Mapping[str, Any]:  # noqa: ARG002  # rooms that keep something need it
        """Return what is kept of a person here, for people to read."""
        return {}

    def forget(self, person_id: str) -> Mapping[str, int]:  # noqa: ARG002  # rooms that have something need it
        """Remove everything that tells of a person, and return how much of what; may be repeated after a failure."""
        return {}

    def remaining(self, person_id: str) -> Mapping[str, int]:  # noqa: ARG002  # as above
        """Look for what `forget` removes, and return how much of it is there, by the same words: zeros are the proof."""
        return {}

    def erase(self, camera: str, since: float, until: float) -> Mapping[str, int]:  # noqa: ARG002  # as above
        """Remove what tells of those whom a camera saw between two times, and return how much of what; may be repeated."""
        return {}

    def chores(self) -> Sequence[Chore]:
        """Return what is to be done again and again."""
        return ()

    def start(self) -> None:
        """Begin what runs on threads of this room, once this process serves; Redis may be away."""

    def stop(self) -> None:
        """End what runs on threads of this room."""


R = TypeVar("R", bound=Room)


def room_of(rooms: Mapping[type[Room], Room], kind: type[R]) -> R:
    """Return one of the rooms that `Room.meet` is given."""
    return cast(R, rooms[kind])
