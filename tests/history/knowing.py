"""The people process beside the history's, both real, and results as workers publish them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from history.mirror import visits
from history.process import HistoryProcess
from people.process import PeopleProcess
from people.register import EnrolledFace, Register
from pipeline import keys
from pipeline.broker import Broker
from pipeline.requests import Requests
from tests.conftest import wait_until
from tests.history.support import history_process, rows
from tests.people.rooms import PLACE
from tests.people.seeing import Seeing
from tests.people.support import people_process


@dataclass(frozen=True)
class Both:
    """Both processes; `seeing` publishes what workers would, times are seconds from now on."""

    broker: Broker
    people: PeopleProcess
    history: HistoryProcess
    seeing: Seeing

    def know(self, name: str, face: str) -> str:
        """Let somebody be known by a face, and return their id."""
        return know(self.people, name, face)

    def ask(self, what: str, **members: Any) -> dict[str, Any]:
        """Ask the process that what belongs to."""
        return Requests(self.broker, "history" if what.startswith("history.") else "people").ask(what, members, "a test")

    def visits(self) -> list[tuple[str, str | None, float, float]]:
        """Return camera, person and times of the visits in the history."""
        base = self.seeing.began
        return [
            (row["camera"], row["person"], round(row["began"] - base, 2), round(row["ended"] - base, 2))
            for row in rows(self.history, visits)
        ]


def know(people: PeopleProcess, name: str, face: str) -> str:
    register = next(room for room in people.rooms if isinstance(room, Register))
    person = register.add(name)
    register.keep_face(EnrolledFace(face, PLACE, person.id, time.time(), {}))
    return person.id


@contextmanager
def both(broker: Broker, folder: Path, **settings: Any) -> Iterator[Both]:
    """Run both processes until the end of the with-block."""
    with people_process(broker, folder) as people, history_process(broker, folder, **settings) as history:
        wait_until(lambda: all(broker.scripts.exists(keys.serving(topic)) for topic in ("people", "history")))
        yield Both(broker, people, history, Seeing(broker))


def only(found: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the only one that there is."""
    (one,) = found
    return one
