"""How the history does: where it is kept, how far it is, what is missing of it, and why it stands still if it does."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import redis
from sqlalchemy import Connection, func, select

from history.house import House, Recorder
from history.schema import SUM_STEPS, gaps, minutes, sums
from history.writer import Writer
from pipeline import keys
from pipeline.answering import Answer
from pipeline.errors import RekstreamError
from pipeline.requests import Request

MOST_GAPS = 20
COUNT_SECONDS = 60.0


class _Counted(NamedTuple):
    at: float
    before: int  # without what this process has written


class Status(Recorder):
    """Answers history.status."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self._redis: Any = house.broker.scripts
        self._counted: _Counted | None = None
        self._writer: Callable[[], Writer | None] = lambda: None

    def watch(self, writer: Writer) -> None:
        """Tell of this writer from now on."""
        self._writer = lambda: writer

    def answers(self) -> Mapping[str, Answer]:
        """Answer how the history does."""
        return {"history.status": self._status}

    def behind(self) -> int | None:
        """Return how many results wait to be written, None where that cannot be told."""
        writer = self._writer()
        if writer is None or writer.place.position is None:
            return None
        try:
            added = self._redis.xinfo_stream(keys.RESULTS).get("entries-added")
        except redis.RedisError:
            return None
        return None if added is None else max(0, int(added) - writer.place.position)

    def _status(self, _: Request) -> Mapping[str, Any]:
        writer = self._writer()
        about: dict[str, Any] = {
            "database": self.house.database.name,
            "keep_seconds": self.house.settings.keep or None,
            "writing": writer is not None and not writer.why,
            "why": writer.why if writer else "",
            "behind": self.behind(),
            "written_until": writer.place.at or None if writer else None,
            "results": None,
            "bytes": None,
            "since": None,
            "gaps": [],
        }
        with suppress(RekstreamError):  # `why` tells it, then
            about |= self._contents()
        return about

    def _count(self, connection: Connection) -> int:
        """Return how many results there are: all of them are added up once in a while only."""
        writer = self._writer()
        written = writer.written if writer else 0
        if not self._counted or time.monotonic() > self._counted.at + COUNT_SECONDS:
            found = connection.execute(select(func.sum(sums.c.calls)).where(sums.c.step == SUM_STEPS[0])).scalar() or 0
            self._counted = _Counted(time.monotonic(), int(found) - written)
        return self._counted.before + written

    def _contents(self) -> Mapping[str, Any]:
        with self.house.database.reading() as connection:
            since = connection.execute(select(func.min(minutes.c.minute))).scalar()
            newest = connection.execute(select(gaps).order_by(gaps.c.till.desc()).limit(MOST_GAPS)).mappings().all()
            return {
                "results": self._count(connection),
                "bytes": self.house.database.bytes(connection),
                "since": since,
                "gaps": [{name: gap[name] for name in ("since", "till", "lost", "why")} for gap in newest],
            }
