"""The result stream, read so that no broken entry breaks a list: it is skipped and counted."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import redis

from pipeline import keys
from pipeline.camera_spec import is_camera
from pipeline.entities import Result
from pipeline.errors import SettingsError
from pipeline.names import Names
from pipeline.results import result_of

log = logging.getLogger(__name__)

BEGINNING = "0-0"
BATCH = 500
FARTHEST = 20_000  # entries that are looked through for the newest results of one camera

_ID = re.compile(r"\d{1,19}(?:-\d{1,19})?")

Entries = list[tuple[bytes, Mapping[bytes, bytes]]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One readable result, and its JSON object as the API sends it: with the names of the faces' tracks."""

    result: Result
    text: str


class ResultStream:
    """Reads the stream of results; `skipped` counts the entries that could not be read. May raise redis.RedisError.

    Faces carry the names that their tracks have now. Results of one-shot photos, and of what is asked about a camera beside its
    frames (searches of faces, labels), are left out unless their mailbox is asked for by name.
    """

    def __init__(self, connection: redis.Redis) -> None:
        self._connection: Any = connection  # redis-py types every command as sync-or-async
        self._names = Names(connection)
        self._lock = threading.Lock()
        self._skipped_ids: dict[bytes, None] = {}
        self.skipped = 0

    def after(self, last: str, limit: int, camera: str | None = None) -> tuple[list[Entry], str]:
        """Return up to `limit` results that came after the id `last`, oldest first, and the id to go on from."""
        found: list[Result] = []
        while True:
            batch: Entries = self._connection.xrange(keys.RESULTS, min=f"({last}", max="+", count=BATCH)
            for entry_id, values in batch:
                last = entry_id.decode()
                found += self._wanted(entry_id, values, camera)
                if len(found) == limit:
                    return self._named(found), last
            if len(batch) < BATCH:
                return self._named(found), last

    def newest(self, limit: int, camera: str | None = None) -> tuple[list[Entry], str]:
        """Return the newest `limit` results, oldest first, and the id to go on from."""
        found: list[Result] = []
        first, edge, seen = BEGINNING, "+", 0
        while len(found) < limit and seen < FARTHEST:
            batch: Entries = self._connection.xrevrange(keys.RESULTS, max=edge, count=BATCH)
            for entry_id, values in batch:
                first = entry_id.decode() if first == BEGINNING else first
                found += self._wanted(entry_id, values, camera)
                if len(found) == limit:
                    break
            if len(batch) < BATCH:
                break
            seen, edge = seen + len(batch), f"({batch[-1][0].decode()}"
        return self._named(found[::-1]), first

    def follow(self, last: str, seconds: float) -> tuple[list[Entry], str]:
        """Wait up to `seconds` for what comes after the id `last`, photos too; return it and the id to go on from."""
        answer = self._connection.xread({keys.RESULTS: last}, block=max(1, int(seconds * 1000)), count=BATCH)
        if not answer:
            return [], last
        batch: Entries = answer[0][1] if isinstance(answer, list) else next(iter(answer.values()))[0]
        return self._named(self._readable(batch)), batch[-1][0].decode()

    def is_behind(self, last: str) -> bool:
        """Say whether the stream ends before an id that it once had: it is another one, whose clock was set back."""
        entries: Entries = self._connection.xrevrange(keys.RESULTS, count=1)
        return bool(entries) and is_later(last, entries[0][0].decode())

    def _wanted(self, entry_id: bytes, values: Mapping[bytes, bytes], camera: str | None) -> list[Result]:
        name = values.get(b"camera", b"").decode(errors="replace")
        if not is_camera(name) if camera is None else name != camera:
            return []
        return self._readable([(entry_id, values)])

    def _readable(self, batch: Iterable[tuple[bytes, Mapping[bytes, bytes]]]) -> list[Result]:
        found = []
        for entry_id, values in batch:
            try:
                found.append(result_of(entry_id.decode(), values))
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                self._skip(entry_id, error)
        return found

    def _named(self, results: list[Result]) -> list[Entry]:
        """Write the results as they are sent, with names; whoever keeps a result keeps it without."""
        found = []
        for result, named in zip(results, self._names.into(results), strict=True):
            try:
                found.append(Entry(result, json.dumps(named.as_json(), allow_nan=False, separators=(",", ":"))))
            except (TypeError, ValueError) as error:
                self._skip(result.id.encode(), error)
        return found

    def _skip(self, entry_id: bytes, error: Exception) -> None:
        """Count a broken entry once, however often it is met."""
        with self._lock:
            if entry_id in self._skipped_ids:
                return
            self._skipped_ids[entry_id] = None
            if len(self._skipped_ids) > BATCH:
                del self._skipped_ids[next(iter(self._skipped_ids))]
            self.skipped += 1
        log.warning("result %s cannot be read and is skipped: %s %s", entry_id.decode(), type(error).__name__, error)


def check_id(text: str) -> str:
    """Return an id of the stream if it is one, as ``next`` and ``id`` have them; raises SettingsError."""
    if not _ID.fullmatch(text):
        raise SettingsError(f"after {text!r} is no id of a result: send the `next` of an earlier answer, or leave it out")
    return text


def is_later(one: str, other: str) -> bool:
    """Say whether one id of the stream comes after another."""
    return _order(one) > _order(other)


def _order(entry_id: str) -> tuple[int, int]:
    milliseconds, _, count = entry_id.partition("-")
    return int(milliseconds), int(count or 0)
