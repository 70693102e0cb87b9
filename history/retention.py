"""Deletes what is older than it is kept, in steps so small that the writer hardly waits."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, Table, delete, select

from history.house import House, Recorder
from history.schema import faces, results
from pipeline.chores import Chore

log = logging.getLogger(__name__)

ROUND_SECONDS = 60.0
STEP = 2000  # rows of a step
PAUSE_SECONDS = 0.05  # between two


class Retention(Recorder):
    """Sees to the ages of all rooms' tables."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self._stop = threading.Event()
        self._columns: list[ColumnElement[Any]] = []

    def meet(self, rooms: Mapping[type[Recorder], Recorder]) -> None:
        """Learn which columns tell how old rows are."""
        self._columns = [column for room in rooms.values() for column in room.ages]

    def chores(self) -> Sequence[Chore]:
        """Delete what became too old."""
        return (Chore("retention", ROUND_SECONDS, self._look),) if self.house.settings.keep else ()

    def stop(self) -> None:
        """End a round after its step."""
        self._stop.set()

    def _look(self) -> None:
        self.delete_old()

    def delete_old(self) -> int:
        """Delete all that is too old now, and return how many rows that were; may raise StorageError."""
        now = min(self.house.clock.now(), time.time())  # a clock that was set wrong shall not delete all
        before = now - self.house.settings.keep
        gone = self._in_steps(_delete_results, results.c.captured_at, before)
        gone += sum(self._in_steps(_delete_rows, column, before) for column in self._columns)
        if gone:
            log.info("%d rows became too old and were deleted", gone)
        if gone or self.house.database.log_is_left:
            self.house.database.empty_log()
        return gone

    def _in_steps(self, remove: Any, column: Any, before: float) -> int:
        gone = 0
        last = math.ceil(before) - 1 if isinstance(column.type, Integer) else before  # as in `schema.within`
        while not self._stop.is_set():
            with self.house.database.writing() as connection:
                step = remove(connection, column, _bound(connection, column, last))
            gone += step
            if step < STEP:
                break
            self._stop.wait(PAUSE_SECONDS)
        return gone


def _bound(connection: Connection, column: Any, last: float) -> float:
    """Return the time of the last row of a step: at least STEP rows are as old, or all that are too old are."""
    asked = select(column).where(column <= last).order_by(column).offset(STEP - 1).limit(1)
    found: float | None = connection.execute(asked).scalar()
    return last if found is None else found


def _delete_results(connection: Connection, column: Any, until: float) -> int:
    old = select(results.c.number).where(column <= until)
    connection.execute(delete(faces).where(faces.c.result.in_(old)))
    return connection.execute(delete(results).where(column <= until)).rowcount


def _delete_rows(connection: Connection, column: Any, until: float) -> int:
    table: Table = column.table
    return connection.execute(delete(table).where(column <= until)).rowcount
