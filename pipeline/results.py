"""The stream of results: what came out in the last ten minutes, oldest first."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from pipeline import keys
from pipeline.entities import Operation, Result
from pipeline.spending import PAID_BEFORE

log = logging.getLogger(__name__)

_PAGE = 500
MAX_BYTES = 256 * 1024 * 1024
KEEP_SECONDS = 600  # as pipeline/lua/common.lua has it
REMOVED_SECONDS = 2 * KEEP_SECONDS
_ENVELOPE = (
    "seq", "captured_at", "answered_at", "width", "height", "provider", "operation", "worker", "stages", "error", PAID_BEFORE,
)  # fmt: skip
_REDACT = """
local entry, milliseconds, seconds, camera, published_at, left = unpack(ARGV)
local function parts(id)
  local ms, n = string.match(id, '(%d+)-(%d+)')
  return tonumber(ms), tonumber(n)
end
local was_handed_out = false
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local about = {}
  for i = 1, #group, 2 do about[group[i]] = group[i + 1] end
  local ms, n = parts(about['last-delivered-id'])
  local own_ms, own_n = parts(entry)
  was_handed_out = was_handed_out or ms > own_ms or (ms == own_ms and n >= own_n)
end
if not was_handed_out then
  redis.call('XADD', KEYS[1], '*', 'camera', camera, 'published_at', published_at, 'result', left)
end
redis.call('ZADD', KEYS[2], milliseconds, entry)
redis.call('ZREMRANGEBYSCORE', KEYS[2], 0, tonumber(milliseconds) - seconds * 1000)
redis.call('EXPIRE', KEYS[2], seconds)
redis.call('XDEL', KEYS[1], entry)
"""
SHOWN_SECONDS = 60
NEWEST = "$"
BEGINNING = "0"


@dataclass(frozen=True, slots=True)
class NewestFrame:
    """The newest analysed picture of a camera."""

    jpeg: bytes
    seq: int
    captured_at: float
    result_id: str
    width: int
    height: int


class Results:
    """Reads the result stream; every method may raise redis.RedisError. Workers write it through `Mailbox.finish`."""

    def __init__(self, connection: redis.Redis) -> None:
        self._connection: Any = connection  # redis-py types every command as sync-or-async

    def read(self, after: str = BEGINNING, limit: int = 100, camera: str | None = None) -> tuple[list[Result], str]:
        """Return up to `limit` results that came out after the id `after`, and the id to go on from."""
        found: list[Result] = []
        while len(found) < limit:
            entries = self._connection.xrange(keys.RESULTS, min=f"({after}", max="+", count=_PAGE)
            for entry_id, values in entries:
                after = entry_id.decode()
                if camera is None or values.get(b"camera", b"").decode() == camera:
                    found += _readable([(entry_id, values)])
                if len(found) == limit:
                    break
            if len(entries) < _PAGE:
                break
        return found, after

    def latest(self, limit: int = 100, camera: str | None = None, scan: int = 5000) -> list[Result]:
        """Return the newest `limit` results, oldest first, looking back over at most `scan` entries."""
        found: list[Result] = []
        for entry_id, values in self._connection.xrevrange(keys.RESULTS, count=limit if camera is None else scan):
            if camera is None or values.get(b"camera", b"").decode() == camera:
                found += _readable([(entry_id, values)])
            if len(found) == limit:
                break
        return found[::-1]

    def wait(self, after: str, seconds: float, limit: int = 500) -> list[Result]:
        """Return what comes out after the id `after` (NEWEST: from now on), waiting up to `seconds` for the first."""
        answer = self._connection.xread({keys.RESULTS: after}, block=max(1, int(seconds * 1000)), count=limit)
        return _readable(_entries(answer))

    def follow(self, after: str, seconds: float, limit: int = 500) -> tuple[list[Result], str]:
        """Return what `wait` returns, and the id to go on from: entries that cannot be read are left behind, too."""
        answer = self._connection.xread({keys.RESULTS: after}, block=max(1, int(seconds * 1000)), count=limit)
        entries = _entries(answer)
        return _readable(entries), entries[-1][0].decode() if entries else after

    def last_id(self) -> str:
        """Return the id of the newest result, BEGINNING when there is none."""
        entries = self._connection.xrevrange(keys.RESULTS, count=1)
        return entries[0][0].decode() if entries else BEGINNING

    def newest_frame(self, camera: str) -> NewestFrame | None:
        """Return the newest analysed picture of a camera while it is kept."""
        jpeg, meta, seq, result_id = self._connection.hmget(keys.newest(camera), "jpeg", "meta", "seq", "result_id")
        if jpeg is None:
            return None
        about = json.loads(meta)
        return NewestFrame(
            jpeg,
            int(seq),
            float(about["captured_at"]),
            (result_id or b"").decode(),
            int(about["width"]),
            int(about["height"]),
        )

    def picture_of(self, camera: str, result_id: str) -> bytes | None:
        """Return the JPEG that a result is about, while it is the newest, or for seconds after it came too late to be."""
        for key in (keys.newest(camera), keys.overtaken(camera)):
            known_id, jpeg = self._connection.hmget(key, "result_id", "jpeg")
            if jpeg and known_id == result_id.encode():
                return bytes(jpeg)
        return None

    def show(self, camera: str, frame: NewestFrame) -> None:
        """Let a picture be the newest of a camera that nobody analyses, for a minute."""
        about = {"captured_at": frame.captured_at, "width": frame.width, "height": frame.height}
        values = {"jpeg": frame.jpeg, "meta": json.dumps(about), "seq": frame.seq, "result_id": frame.result_id}
        pipe = self._connection.pipeline()
        pipe.hset(keys.newest(camera), mapping=values)
        pipe.expire(keys.newest(camera), SHOWN_SECONDS)
        pipe.execute()

    def take_out(self, *ids: str | bytes) -> int:
        """Take results out of the stream, and return how many there were; it is noted which, so that nobody misses them."""
        pipe = self._connection.pipeline(transaction=True)
        self._take_out(pipe, ids)
        return int(pipe.execute()[-1])

    def redact(self, entry: bytes, camera: str, published_at: float, members: Mapping[str, Any]) -> None:
        """Leave of a result only that there was one, and what it cost: its answer tells of a person.

        Where the history was handed the result already, nothing of it is left: it would count twice.
        """
        left = json.dumps({name: members[name] for name in _ENVELOPE if name in members})
        told = [entry, _milliseconds(entry), REMOVED_SECONDS, camera, f"{published_at:.6f}", left]
        self._connection.eval(_REDACT, 2, keys.RESULTS, keys.REMOVED, *told)

    def _take_out(self, pipe: Any, ids: Sequence[str | bytes]) -> None:
        seconds = max(map(_milliseconds, ids), default=0) / 1000
        pipe.zadd(keys.REMOVED, {one: _milliseconds(one) for one in ids})
        pipe.zremrangebyscore(keys.REMOVED, 0, (seconds - REMOVED_SECONDS) * 1000)
        pipe.expire(keys.REMOVED, REMOVED_SECONDS)
        pipe.xdel(keys.RESULTS, *ids)

    def trim(self) -> None:
        """Drop what is older than ten minutes, also when nothing new comes, and the oldest entries above MAX_BYTES."""
        seconds, _ = self._connection.time()
        self._connection.xtrim(keys.RESULTS, minid=(seconds - KEEP_SECONDS) * 1000, approximate=False)
        size = self._connection.memory_usage(keys.RESULTS, samples=20) or 0
        if size > MAX_BYTES:
            keep = int(self._connection.xlen(keys.RESULTS) * 0.8 * MAX_BYTES / size)
            self._connection.xtrim(keys.RESULTS, maxlen=keep, approximate=True)


def _milliseconds(entry: str | bytes) -> int:
    text = entry.decode() if isinstance(entry, bytes) else entry
    return int(text.partition("-")[0])


def _entries(answer: Any) -> list[tuple[bytes, Mapping[bytes, bytes]]]:
    """Return the entries of the one stream that XREAD was asked for."""
    if not answer:
        return []
    return list(answer[0][1] if isinstance(answer, list) else next(iter(answer.values()))[0])


def _readable(entries: Iterable[tuple[bytes, Mapping[bytes, bytes]]]) -> list[Result]:
    """Return the results that can be read; a broken entry, or one of another program, is logged and left out."""
    found = []
    for entry_id, values in entries:
        try:
            found.append(result_of(entry_id.decode(), values))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            log.warning("result %s cannot be read and is left out: %s", entry_id.decode(), error)
    return found


def result_of(entry_id: str, values: Mapping[bytes, bytes]) -> Result:
    """Return the result that one entry of the stream holds; members that a newer version added stay in `response`."""
    return made_result(entry_id, values[b"camera"].decode(), float(values[b"published_at"]), json.loads(values[b"result"]))


def made_result(entry_id: str, camera: str, published_at: float, result: Mapping[str, Any]) -> Result:
    """Return the result that `Mailbox.finish` was given, under the id and at the time that it got there."""
    members = dict(result)
    stages = dict(members.pop("stages", {}))
    if "answered_at" in members:
        stages["publish"] = round(max(0.0, published_at - members.pop("answered_at")), 6)
    return Result(
        id=entry_id,
        camera=camera,
        published_at=published_at,
        seq=int(members.pop("seq")),
        captured_at=float(members.pop("captured_at")),
        width=int(members.pop("width")),
        height=int(members.pop("height")),
        provider=members.pop("provider", ""),
        operation=members.pop("operation", Operation.DETECT_FACES),
        worker=str(members.pop("worker", "")),
        error=members.pop("error", None),
        stages=stages,
        response=members,
    )


def result_from_json(about: Any) -> Result:
    """Return the result whose `as_json` this is; raises AttributeError, KeyError, TypeError or ValueError for what is none."""
    members = dict(about)
    members.pop("age_seconds", None)
    result = Result(
        id=str(members.pop("id")),
        camera=str(members.pop("camera")),
        seq=int(members.pop("seq")),
        captured_at=float(members.pop("captured_at")),
        published_at=float(members.pop("published_at")),
        width=int(members.pop("width")),
        height=int(members.pop("height")),
        provider=str(members.pop("provider", "")),
        operation=str(members.pop("operation", Operation.DETECT_FACES)),
        worker=str(members.pop("worker", "")),
        stages={str(stage): float(seconds) for stage, seconds in dict(members.pop("stages", None) or {}).items()},
        error=members.pop("error", None),
        response=members,
    )
    if not math.isfinite(result.captured_at) or not math.isfinite(result.published_at):
        raise ValueError(f"result {result.id!r} says no time")
    return result
