"""The consumer group by which the history reads the stream of results: what was handed out stays pending until it is settled.

The group's one consumer has a name that nobody else ever had. It lives and goes with the stream, so that it says which stream
this is: a Redis that was emptied, or another one, has another; one that came back with its data has the same.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis

from pipeline import keys
from pipeline.broker import Broker
from pipeline.entities import Result
from pipeline.results import BEGINNING, result_of

log = logging.getLogger(__name__)

GROUP = "history"
NEW, PENDING = ">", "0"


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries of the stream in their order.

    `ids` are those of all, `results` what could be read of them; `trimmed` those of `ids` that were handed out before and are
    not in the stream any more. `position` is the place of the first among all that the stream ever had, where that can be told:
    when it is the oldest that is left; `end` that of the newest entry there is.
    """

    ids: tuple[str, ...] = ()
    results: tuple[Result, ...] = ()
    trimmed: tuple[str, ...] = ()
    position: int | None = None
    end: int | None = None
    newest: str = BEGINNING

    def __len__(self) -> int:
        """Return how many entries there are."""
        return len(self.ids)


class ResultGroup:
    """The group in Redis, used by one thread; every method may raise redis.RedisError."""

    def __init__(self, broker: Broker) -> None:
        self._quick: Any = broker.scripts
        self._blocking: Any = broker.jobs
        self._consumer = ""

    def open(self) -> str:
        """Make sure that there is a group, and return the name of its stream."""
        try:
            self._quick.xgroup_create(keys.RESULTS, GROUP, id=BEGINNING, mkstream=True)
        except redis.ResponseError as error:
            if "BUSYGROUP" not in str(error):  # else it is there
                raise
        known = self._quick.xinfo_consumers(keys.RESULTS, GROUP)
        if known:
            self._consumer = _text(known[0]["name"])
        else:
            self._consumer = uuid.uuid4().hex
            self._quick.xgroup_createconsumer(keys.RESULTS, GROUP, self._consumer)
        return self._consumer

    def go_back_to(self, after: str) -> None:
        """Read on after the id `after`, whatever was handed out already."""
        self._quick.xgroup_setid(keys.RESULTS, GROUP, after)

    def pending(self, limit: int) -> Batch:
        """Return what was handed out and not settled, oldest first."""
        return _batch(self._read(self._quick, PENDING, limit))

    def next(self, limit: int) -> Batch:
        """Return what came out after the last; what was trimmed meanwhile can be told from its place."""
        pipe = self._quick.pipeline(transaction=True)
        pipe.xinfo_stream(keys.RESULTS)
        self._read(pipe, NEW, limit)
        about, entries = pipe.execute()
        return _batch(entries, about)

    def settle(self, batch: Batch) -> None:
        """Say that these are done with."""
        if batch.ids:
            self._quick.xack(keys.RESULTS, GROUP, *batch.ids)

    def wait(self, after: str, seconds: float) -> None:
        """Wait until something comes out after the id `after`, for up to `seconds`."""
        self._blocking.xread({keys.RESULTS: after}, block=max(1, int(seconds * 1000)), count=1)

    def _read(self, connection: Any, which: str, limit: int) -> Any:
        return connection.xreadgroup(GROUP, self._consumer, {keys.RESULTS: which}, count=limit)


def _batch(answer: Any, about: Mapping[str, Any] | None = None) -> Batch:
    entries = _entries(answer)
    ids = tuple(_text(entry_id) for entry_id, _ in entries)
    trimmed = tuple(_text(entry_id) for entry_id, values in entries if not values)
    results = tuple(result for entry_id, values in entries if values and (result := _result(_text(entry_id), values)))
    if about is None:
        return Batch(ids, results, trimmed)
    added, oldest = about.get("entries-added"), about.get("first-entry")
    is_oldest = bool(ids and oldest and _text(oldest[0]) == ids[0])
    position = int(added) - int(about["length"]) + 1 if is_oldest and added is not None else None
    return Batch(ids, results, trimmed, position, None if added is None else int(added), _text(about["last-generated-id"]))


def _entries(answer: Any) -> list[tuple[bytes, Mapping[bytes, bytes] | None]]:
    """Return the entries of the one stream that was asked for."""
    if not answer:
        return []
    return list(answer[0][1] if isinstance(answer, list) else next(iter(answer.values()))[0])


def _result(entry_id: str, values: Mapping[bytes, bytes]) -> Result | None:
    try:
        return result_of(entry_id, values)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        log.warning("result %s cannot be read and is left out: %s", entry_id, error)
        return None


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
