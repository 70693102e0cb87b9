"""What the rooms of the history process share, and what each of them may offer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

from prometheus_client import CollectorRegistry
from sqlalchemy import ColumnElement, Connection

from history.database import Database
from pipeline.answering import Answer
from pipeline.archive import ArchiveSettings
from pipeline.broker import Broker
from pipeline.chores import Chore
from pipeline.clock import Clock
from pipeline.entities import Result
from pipeline.prices import Prices, built_in


@dataclass(frozen=True, slots=True)
class HistorySettings:
    """What the history process is told.

    `data` is the folder of history.sqlite, `database` the URL of another database or '' for that one; what is older than `keep`
    seconds is deleted, 0 keeps all. `time_zone` is where days begin and end (Europe/Berlin), '' that of this machine. `prices`
    are those of AWS, `region` is where calls would be paid that cost nothing here.
    """

    data: Path
    database: str = ""
    keep: float = 30 * 86_400.0
    time_zone: str = ""
    version: str = ""
    privacy: bool = False
    archive: ArchiveSettings | None = None
    prices: Prices = field(default_factory=built_in, repr=False)
    region: str = "us-east-1"


@dataclass(frozen=True, slots=True)
class House:
    """What every room can use; `registry` is what /metrics shows.

    `may_serve` says whether this process is the one that serves: no other thread of a room does anything elsewhere otherwise.
    """

    broker: Broker
    database: Database
    clock: Clock
    settings: HistorySettings
    registry: CollectorRegistry
    may_serve: Callable[[], bool] = lambda: True


class Recorder:
    """One room of the history process; what it does not offer it need not define.

    Its tables are added to `schema.METADATA` where its module is imported, which `rooms` does.
    """

    ages: ClassVar[tuple[ColumnElement[float], ...]] = ()
    """The columns that tell when something was, one a table: rows that are older than is kept go."""

    def __init__(self, house: House) -> None:
        self.house = house

    def meet(self, rooms: Mapping[type[Recorder], Recorder]) -> None:
        """Get to know the other rooms, once all are there."""

    def answers(self) -> Mapping[str, Answer]:
        """Return the questions that are answered here by name, such as history.status."""
        return {}

    def hear(self, connection: Connection, results: Sequence[Result]) -> None:
        """Take notice of results that were just written, in their order, each once.

        Called inside the transaction that writes them: what is done on `connection` counts once through any kill, and is undone
        if this raises. Cameras of results are mailboxes (`keys.camera_of_mailbox`). Nothing slow belongs here; what
        a room keeps in memory besides must stand it that the transaction fails after this, and the results are heard again.
        """

    def export(self, connection: Connection, person: str) -> Mapping[str, Any]:  # noqa: ARG002
        """Return what is kept of a person here, for people to read."""
        return {}

    def forget(self, connection: Connection, person: str, tracks: Sequence[str]) -> Mapping[str, int]:  # noqa: ARG002
        """Remove what tells of a person (whose tracks these are), and return how much of what; may be repeated."""
        return {}

    def remaining(self, connection: Connection, person: str, tracks: Sequence[str]) -> Mapping[str, int]:  # noqa: ARG002
        """Look for what `forget` removes, and return how much of it is there, by the same words: zeros are the proof."""
        return {}

    def erase(self, connection: Connection, camera: str, since: float, until: float) -> Mapping[str, int]:  # noqa: ARG002
        """Remove what tells of those whom a camera saw between two times, and return how much of what; may be repeated."""
        return {}

    def settle(self) -> Mapping[str, int]:
        """Do what `forget` and `erase` wrote down and what is outside of the database, once that is committed.

        Returns how much of what was removed; may raise RekstreamError, and may be repeated: chores of the room do it too.
        """
        return {}

    def chores(self) -> Sequence[Chore]:
        """Return what is to be done again and again."""
        return ()

    def start(self) -> None:
        """Begin what runs on threads of this room, once this process serves; Redis and the database may be away."""

    def stop(self) -> None:
        """End what runs on threads of this room."""


R = TypeVar("R", bound=Recorder)


def room_of(rooms: Mapping[type[Recorder], Recorder], kind: type[R]) -> R:
    """Return one of the rooms that `Recorder.meet` is given."""
    return cast(R, rooms[kind])
