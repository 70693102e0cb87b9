"""Writes results into the database, in batches: each once, through any kill, and says so when that is not possible.

    group.next ──> one transaction: results, faces, tracks, minutes, what the rooms make of them, the place reached ──> settled

How far it got is believed from the database, not from Redis: after a kill, an outage, or a history that was put back from a
backup, all that comes after that place is read again, as far as Redis still has it; and what is there already is not counted
again. So nothing is lost or doubled. What Redis dropped before it was read stands in `gaps`, with how many they were.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import redis
from sqlalchemy import Connection, exc, insert, select, update

from history import rows
from history.database import Database, add_up, insert_new
from history.group import Batch, ResultGroup, order
from history.house import Recorder
from history.schema import faces, gaps, minutes, results, streams, sums, tracks
from pipeline.broker import Broker
from pipeline.entities import Result
from pipeline.errors import RekstreamError, StorageError
from pipeline.metrics import HistoryMetrics
from pipeline.presence import living
from pipeline.results import BEGINNING

log = logging.getLogger(__name__)

BATCH = 500
BLOCK_SECONDS = 0.5
GATHER_SECONDS = 0.2  # so long the first of a batch waits for others
DRAIN_SECONDS = 2.0
SLOW_SECONDS = 10.0  # after which a database that was asked is said not to answer
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0

TRIMMED = "Redis dropped them before they were read"
ANOTHER = "Redis was emptied, or is another one"
BROKEN = "they could not be written"


_OF_A_ROW = (exc.DataError, exc.IntegrityError, ValueError, TypeError, OverflowError)  # no database takes it, ever


@dataclass(frozen=True, slots=True)
class Place:
    """How far a stream of that name was read: the last id settled, its place among all (None: not known), when it came out."""

    stream: int
    name: str = ""
    last_id: str = BEGINNING
    position: int | None = None
    at: float = 0.0


class Writer:
    """Writes on a thread of its own until `stop` is set; Redis and the database may come and go."""

    def __init__(
        self,
        broker: Broker,
        database: Database,
        recorders: Sequence[Recorder],
        metrics: HistoryMetrics,
        may_serve: Callable[[], bool],
        stop: threading.Event,
    ) -> None:
        self._broker = broker
        self._database = database
        self._recorders = recorders
        self._metrics = metrics
        self._may_serve = may_serve
        self._stop = stop
        self._group = ResultGroup(broker)
        self._place = Place(0)
        self._pause = FIRST_PAUSE
        self.lost = 0  # since the start, as far as that is known
        self.written = 0
        self._why = ""
        self._busy_since: float | None = None
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self.start, self.join = self._thread.start, self._thread.join

    @property
    def place(self) -> Place:
        """How far it is."""
        return self._place

    @property
    def why(self) -> str:
        """One sentence that tells why nothing is written now, '' while all is well."""
        since = self._busy_since
        if not self._why and since is not None and time.monotonic() - since > SLOW_SECONDS:
            return (
                f"the history database {self._database.name} did not answer for {time.monotonic() - since:.0f} s: is it well?"
            )
        return self._why

    def _run(self) -> None:
        while not self._stop.is_set():
            if not self._may_serve():
                self._stop.wait(BLOCK_SECONDS)
                continue
            try:
                self._follow()
            except redis.RedisError as error:
                log.debug("results are not written: %s", error)
                self._stop.wait(FIRST_PAUSE)
            except RekstreamError as error:
                self._say(str(error))
                self._stop.wait(self._pause)
                self._pause = min(LONGEST_PAUSE, self._pause * 2)
            except Exception:  # the thread's boundary: what is wrong may pass, and nothing was settled
                log.exception("results are not written")
                self._say("results cannot be written by a fault of this program: see the log of `rekstream history`")
                self._stop.wait(LONGEST_PAUSE)

    def _follow(self) -> None:
        """Write what comes until the stop, or until something breaks: then all is looked at again."""
        stream = self._group.open()
        self._place = self._find_place(stream)
        self._group.go_back_to(self._place.last_id)
        self._all_is_well()
        while self._may_serve():
            is_last = self._stop.is_set()  # asked before: what came until the stop is written, too
            batch = self._group.next(BATCH, self._place.last_id)
            if batch:
                self._settle(batch)
            else:
                self._note_end(batch)
                if is_last:
                    self._end()
                    return
            if len(batch) < BATCH and not self._stop.is_set():
                self._group.wait(batch.newest, BLOCK_SECONDS)
                self._stop.wait(GATHER_SECONDS)

    def _settle(self, batch: Batch) -> None:
        began = time.monotonic()
        place, written = self._write_all(batch)
        self._group.settle(batch)
        self._place = place
        self._all_is_well()
        self._metrics.results.inc(written)
        self.written += written
        self._metrics.batch_seconds.observe(time.monotonic() - began)

    @contextmanager
    def _asked(self) -> Iterator[Connection]:
        """Write something, and know since when that takes."""
        self._busy_since = time.monotonic()
        try:
            with self._database.writing() as connection:
                yield connection
        finally:
            self._busy_since = None

    def _write_all(self, batch: Batch) -> tuple[Place, int]:
        """Write a batch; where one of its results is what no database takes, write the others without it."""
        try:
            with self._asked() as connection:
                return self._write(connection, batch)
        except _OF_A_ROW:
            log.exception("%d results could not be written together", len(batch))
        good = tuple(filter(self._may_be_written, batch.results))
        with self._asked() as connection:
            place, written = self._write(connection, replace(batch, results=good))
            if bad := len(batch.results) - len(good):
                self._note_gap(connection, self._place, place.last_id, place.at or time.time(), bad, BROKEN)
        return place, written

    def _may_be_written(self, result: Result) -> bool:
        """Try it, and undo it."""
        try:
            with self._asked() as connection, connection.begin_nested() as attempt:
                write_results(connection, [result], self._place.stream)
                attempt.rollback()
        except _OF_A_ROW:
            log.exception("result %s cannot be written and is left out", result.id)
            return False
        return True

    def _write(self, connection: Connection, batch: Batch) -> tuple[Place, int]:
        """Write a batch inside a transaction; return how far that is, and how many of it were new."""
        new = [entry for entry in batch.ids if _after(entry, self._place.last_id)]
        place = self._note_gaps(connection, batch, new)
        fresh = write_results(connection, batch.results, place.stream)
        for recorder in self._recorders if fresh else ():
            _let_hear(recorder, connection, fresh)
        newest = max(batch.results, key=lambda result: result.published_at, default=None)
        place = replace(place, at=max(place.at, newest.published_at) if newest else place.at)
        _keep_place(connection, place, self._place)
        return place, len(fresh)

    def _note_end(self, batch: Batch) -> None:
        """All that there is was settled: what the stream had beyond that was dropped unread."""
        place, end = self._place, batch.end
        if end is None or place.position == end:
            return
        lost = 0 if place.position is None else end - place.position - batch.removed_between(place.last_id, batch.newest)
        at_end = replace(place, last_id=batch.newest, position=end)
        with self._asked() as connection:
            if lost > 0:
                self._note_gap(connection, place, None, _time_of(batch.newest), lost, TRIMMED)
            _keep_place(connection, at_end, place)
        self._place = at_end

    def _note_gaps(self, connection: Connection, batch: Batch, new: Sequence[str]) -> Place:
        """Write down what is missing before and in a batch; return how far the batch leads."""
        place = self._place
        if not new:
            return place
        first, last, position = batch.ids[0], new[-1], place.position
        if batch.before is not None and new[0] == first:
            removed = batch.removed_between(place.last_id, first)
            lost = batch.before - removed - position if position is not None else 0
            if lost > 0:
                self._note_gap(connection, place, first, _time_of(first), lost, TRIMMED)
            position = batch.before + len(new) + batch.removed_between(first, last)
        elif position is not None:
            position += len(new) + batch.removed_between(place.last_id, last)
        return replace(place, last_id=last, position=position)

    def _note_gap(
        self, connection: Connection, place: Place, until: str | None, till: float, lost: int | None, why: str
    ) -> None:
        since = place.at or till
        log.warning("%s results are missing in the history: %s", "an unknown number of" if lost is None else lost, why)
        self._metrics.lost.inc(lost or 0)
        self.lost += lost or 0
        gap = {"stream": place.stream, "after": place.last_id, "until": until, "since": since, "till": till, "lost": lost}
        connection.execute(insert(gaps), [{**gap, "why": why}])

    def _find_place(self, name: str) -> Place:
        """Return how far this stream was read; a new one ends all others, and what of them was not read is missing."""
        with self._asked() as connection:
            known = connection.execute(select(streams).where(streams.c.name == name)).mappings().one_or_none()
            if known is not None:
                return _place_of(known)
            for other in connection.execute(select(streams).where(streams.c.ended == 0)).mappings().all():
                self._note_gap(connection, _place_of(other), None, time.time(), None, ANOTHER)
            connection.execute(update(streams).values(ended=1))
            values = {"name": name, "last_id": BEGINNING, "position": None, "at": 0.0, "ended": 0}
            number = connection.execute(insert(streams).returning(streams.c.number), values).scalar_one()
            return Place(int(number), name)

    def _end(self) -> None:
        """Write down that all of this stream is here, if nobody is left who could add to it."""
        if not living(self._broker.scripts, "worker"):
            with self._asked() as connection:
                connection.execute(update(streams).where(streams.c.number == self._place.stream).values(ended=1))

    def _all_is_well(self) -> None:
        if self._why:
            log.warning("results are written again")
        self._why, self._pause = "", FIRST_PAUSE

    def _say(self, why: str) -> None:
        if why != self._why:
            log.warning("%s; results wait in Redis for ten minutes, and live analysis goes on", why)
        self._why = why


def write_results(connection: Connection, found: Sequence[Result], stream: int) -> list[Result]:
    """Write what is new among the results of a stream, and return that in its order."""
    written = insert_new(connection, results, [rows.row_of(result, stream) for result in found], "number", "id")
    numbers = {entry: number for number, entry in written}
    fresh = [result for result in found if result.id in numbers]
    insert_new(connection, faces, [row for result in fresh for row in rows.face_rows(result, numbers[result.id])])
    add_up(connection, tracks, rows.track_rows(fresh), largest=("until",), least=("since",))
    of_minutes = rows.minute_rows(fresh)
    add_up(connection, minutes, of_minutes, largest=("age_max",))
    add_up(connection, sums, rows.sum_rows(of_minutes), largest=("age_max",))
    return fresh


def _let_hear(recorder: Recorder, connection: Connection, fresh: Sequence[Result]) -> None:
    try:
        with connection.begin_nested():
            recorder.hear(connection, fresh)
    except (RekstreamError, redis.RedisError, exc.OperationalError, exc.InterfaceError):  # that passes: all is heard again
        raise
    except Exception:  # the room's boundary: the others hear all the same
        log.exception("%s did not take in %d results", type(recorder).__name__, len(fresh))


def _keep_place(connection: Connection, place: Place, before: Place) -> None:
    """Write down how far it is, if that is still where it was: else somebody else writes, too, or has put a backup back."""
    kept = {"last_id": place.last_id, "position": place.position, "at": place.at, "ended": 0}
    its = (streams.c.number == place.stream, streams.c.name == place.name, streams.c.last_id == before.last_id)
    if connection.execute(update(streams).where(*its).values(kept)).rowcount != 1:
        raise StorageError("somebody else wrote to the history meanwhile: results are read again from where it ends")


def _place_of(row: Any) -> Place:
    return Place(row["number"], row["name"], row["last_id"], row["position"], row["at"])


def _after(entry: str, other: str) -> bool:
    """Say whether an entry of a stream comes after another."""
    return order(entry) > order(other)


def _time_of(entry: str) -> float:
    return order(entry)[0] / 1000
