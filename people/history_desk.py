"""What the history keeps of a person is forgotten with them: at once where it runs, else as soon as it is back."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import redis

from people.changes import is_followed
from people.house import House, Room
from pipeline.errors import HistoryAway, RekstreamError
from pipeline.requests import HISTORY, Requests

log = logging.getLogger(__name__)

FORGET_SECONDS = 60.0
_ME = "rekstream"


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What the history removed, and what it found afterwards; `why` is one sentence where that is still to be done."""

    removed: Mapping[str, int] = field(default_factory=dict)
    remaining: Mapping[str, int] = field(default_factory=dict)
    why: str = ""


class HistoryDesk(Room):
    """Asks the history process to forget; what it could not be asked stands in people.sqlite until it could."""

    tables: ClassVar[tuple[str, ...]] = (
        "CREATE TABLE IF NOT EXISTS history_leftovers (person TEXT PRIMARY KEY, tracks TEXT NOT NULL, at REAL NOT NULL) STRICT",
    )

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self._history = Requests(house.broker, HISTORY)

    def forget_there(self, person: str, tracks: Sequence[str]) -> Forgotten:
        """Have the history forget a person, whose tracks these are, now or later; counts are called "history visits" …."""
        try:
            return self._ask(person, tracks)
        except (RekstreamError, redis.RedisError) as error:
            if isinstance(error, HistoryAway) and not is_followed(self.house.database):
                return Forgotten()  # no history was ever told of anybody here
            with self.house.database.transaction():
                values = (person, json.dumps(list(tracks)), time.time())
                self.house.database.execute("INSERT OR REPLACE INTO history_leftovers VALUES (?, ?, ?)", *values)
            return Forgotten(why=f"the history has not forgotten yet, and does as soon as it can ({error})")

    def export(self, person_id: str) -> Mapping[str, Any]:
        """Return what the history keeps of a person, or why that is missing here."""
        try:
            return {"history": self._history.ask("history.export", {"person": person_id}, _ME, FORGET_SECONDS)}
        except (RekstreamError, redis.RedisError) as error:
            is_there = not isinstance(error, HistoryAway) or is_followed(self.house.database)
            return {"history": {"missing": f"what the history keeps could not be asked for: {error}"} if is_there else {}}

    def finish(self) -> None:
        """Have forgotten what the history could not be asked before."""
        for person, tracks in self.house.database.rows("SELECT person, tracks FROM history_leftovers"):
            try:
                self._ask(person, json.loads(tracks))
            except HistoryAway as error:
                log.debug("history: %s", error)
                return
            with self.house.database.transaction():
                self.house.database.execute("DELETE FROM history_leftovers WHERE person = ?", person)
            self.house.database.empty_log()
            log.warning("the history has forgotten now, too, what it could not be asked before")

    def _ask(self, person: str, tracks: Sequence[str]) -> Forgotten:
        members = {"person": person, "tracks": list(tracks)}
        done = self._history.ask("history.forget", members, _ME, FORGET_SECONDS)
        return Forgotten(_ours(done["removed"]), _ours(done["remaining"]))


def _ours(counts: Mapping[str, int]) -> dict[str, int]:
    return {f"history {what}": count for what, count in counts.items()}
