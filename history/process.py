"""The history process: writes results and what is made of them into the database, and answers what was.

The order of a stop: no new question is taken, the writer writes what there is, the chores and the rooms end, the heartbeat
goes, the database is closed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from history.database import FILE_NAME, Database
from history.house import HistorySettings, House, Recorder, room_of
from history.rooms import ROOMS, TABLES
from history.status import Status
from history.writer import DRAIN_SECONDS, Writer
from pipeline.answering import Answering
from pipeline.broker import Broker
from pipeline.errors import SettingsError
from pipeline.metrics import HistoryMetrics
from pipeline.ownership import Ownership
from pipeline.requests import HISTORY
from pipeline.service import Service, clock_chore, clock_of


def run(broker: Broker, settings: HistorySettings, stop: threading.Event) -> None:
    """Keep the history until `stop` is set; Redis and the database may come and go meanwhile.

    Raises BrokerError when Redis cannot be used at the start, SettingsError for a URL of no database, or a folder that cannot
    be written to. A database that does not answer, or was written by a newer rekstream, is told of and tried again.
    """
    broker.check()
    process = HistoryProcess(broker, settings, stop)
    process.start()
    stop.wait()
    process.shut_down()


class HistoryProcess:
    """The parts of the history process, wired."""

    def __init__(self, broker: Broker, settings: HistorySettings, stop: threading.Event) -> None:
        registry = CollectorRegistry()
        metrics = HistoryMetrics(registry)
        clock = clock_of(broker)
        self.database = Database(settings.data, settings.database, TABLES)
        self._ownership = Ownership(broker.scripts, HISTORY, _folder(settings.data) / FILE_NAME)
        self.house = House(broker, self.database, clock, settings, registry, self._may_serve)
        self.rooms: list[Recorder] = [room(self.house) for room in ROOMS]
        known = {type(room): room for room in self.rooms}
        for room in self.rooms:
            room.meet(known)
        self.writer = Writer(broker, self.database, self.rooms, metrics, self._may_serve, stop)
        self._status = room_of(known, Status)
        self._status.watch(self.writer)
        metrics.writing.set_function(lambda: float(not self.writer.why))
        metrics.behind.set_function(lambda: self._status.behind() or 0)
        answers = {what: answer for room in self.rooms for what, answer in room.answers().items()}
        self._service = Service(
            broker,
            self._ownership,
            Answering(broker, HISTORY, answers, _counted_by(metrics), self._may_serve, stop),
            [chore for room in self.rooms for chore in room.chores()],
            clock_chore(clock, metrics.clock_error_seconds.set),
            registry,
            settings.version,
            self._begin,
            self._details,
        )

    def start(self) -> None:
        """Begin to write and to answer."""
        self._service.start()
        self.writer.start()

    def shut_down(self) -> None:
        """End in order; `stop` is set already."""
        self._service.stop_answering()
        self.writer.join(DRAIN_SECONDS)
        self._service.stop_chores()
        for room in reversed(self.rooms if self._service.has_begun else ()):
            room.stop()
        self._service.leave()
        self.database.close()

    def _begin(self) -> None:
        for room in self.rooms:
            room.start()

    def _may_serve(self) -> bool:
        return self._ownership.is_ours

    def _details(self) -> dict[str, Any]:
        """Return what others see beside the heartbeat: why nothing is written, if nothing is, and how much was lost."""
        return {"why": self.writer.why, "lost": self.writer.lost}


def _counted_by(metrics: HistoryMetrics) -> Callable[[str, str], None]:
    return lambda what, outcome: metrics.requests.labels(what, outcome).inc()


def _folder(data: Path) -> Path:
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError(
            f"the data folder {data} cannot be used ({error.strerror}): name a folder that can be written to with --data"
        ) from error
    return data
