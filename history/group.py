"""The consumer group by which the history reads the stream of results: what was handed out stays pending until it is settled.

The group's one consumer has a name that nobody else ever had. It lives and goes with the stream, so that it says which stream
this is: a Redis that was emptied, or another one, has another; one that came back with its data has the same.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import redis

from pipeline import keys
from pipeline.broker import Broker
from pipeline.entities import Result
from pipeline.results import BEGINNING, result_of

log = logging.getLogger(__name__)

GROUP = "history"
_PAGE = 500

Entry = tuple[bytes, Mapping[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries of the stream in their order.

    `ids` are those of all, `results` what could be read of them. `before` is how many entries the stream ever had before the
    first, where that can be told: when it is the oldest that is left; `end` how many it had in all, `newest` the last's id.
    `removed` are ids that were taken out of the stream on purpose: whoever counts does not miss them.
    """

    ids: tuple[str, ...] = ()
    results: tuple[Result, ...] = ()
    before: int | None = None
    end: int | None = None
    newest: str = BEGINNING
    removed: frozenset[str] = frozenset()

    def __len__(self) -> int:
        """Return how many entries there are."""
        return len(self.ids)

    def removed_between(self, after: str, until: str) -> int:
        """Return how many entries after one id, up to another, were taken out."""
        return sum(order(after) < order(entry) <= order(until) for entry in self.removed)


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
        """Read on after the id `after`: what was handed out already, settled or not, comes again."""
        while pending := self._quick.xpending_range(keys.RESULTS, GROUP, "-", "+", _PAGE):
            self._quick.xack(keys.RESULTS, GROUP, *(entry["message_id"] for entry in pending))
        self._quick.xgroup_setid(keys.RESULTS, GROUP, after)

    def next(self, limit: int, after: str = BEGINNING) -> Batch:
        """Return what came out after the last, whose id is `after`; what was trimmed meanwhile can be told from its place."""
        pipe = self._quick.pipeline(transaction=True)
        pipe.xinfo_stream(keys.RESULTS)
        pipe.zrangebyscore(keys.REMOVED, order(after)[0], "+inf")
        pipe.xreadgroup(GROUP, self._consumer, {keys.RESULTS: ">"}, count=limit)
        about, removed, entries = pipe.execute()
        return _batch(_entries(entries), about, frozenset(map(_text, removed)))

    def settle(self, batch: Batch) -> None:
        """Say that these are done with."""
        if batch.ids:
            self._quick.xack(keys.RESULTS, GROUP, *batch.ids)

    def wait(self, after: str, seconds: float) -> None:
        """Wait until something comes out after the id `after`, for up to `seconds`."""
        self._blocking.xread({keys.RESULTS: after}, block=max(1, int(seconds * 1000)), count=1)


def order(entry: str) -> tuple[int, int]:
    """Return what the ids of a stream are ordered by: milliseconds since 1970, and a number."""
    milliseconds, _, number = entry.partition("-")
    return int(milliseconds), int(number or 0)


def _batch(entries: Sequence[Entry], about: Mapping[str, Any], removed: frozenset[str]) -> Batch:
    ids = tuple(_text(entry_id) for entry_id, _ in entries)
    added, oldest, newest = about.get("entries-added"), about.get("first-entry"), _text(about["last-generated-id"])
    batch = Batch(
        ids=ids,
        results=tuple(result for entry_id, values in entries if (result := _result(_text(entry_id), values))),
        end=None if added is None else int(added),
        newest=newest,
        removed=removed,
    )
    if not ids or not oldest or _text(oldest[0]) != ids[0] or batch.end is None:
        return batch
    return replace(batch, before=batch.end - int(about["length"]) - batch.removed_between(ids[0], newest))


def _entries(answer: Any) -> list[Entry]:
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
