"""The people process: follows the results stream, keeps people.sqlite, answers who is there.

The order of a stop: no new question is taken, the follower ends, then the chores and the rooms, the heartbeat goes, the file is
closed.
"""

from __future__ import annotations

import threading

from prometheus_client import CollectorRegistry

from people.database import FILE_NAME, Database
from people.follower import Follower
from people.house import House, PeopleSettings, Room
from people.rooms import ROOMS, TABLES
from pipeline.answering import Answering
from pipeline.broker import Broker
from pipeline.metrics import PeopleMetrics
from pipeline.ownership import Ownership
from pipeline.requests import PEOPLE
from pipeline.service import GRACE_SECONDS, Service, clock_chore, clock_of


def run(broker: Broker, settings: PeopleSettings, stop: threading.Event) -> None:
    """Know people until `stop` is set; Redis may come and go meanwhile.

    Raises BrokerError when Redis cannot be used at the start, SettingsError when people.sqlite cannot be.
    """
    broker.check()
    process = PeopleProcess(broker, settings, stop)
    process.start()
    stop.wait()
    process.shut_down()


class PeopleProcess:
    """The parts of the people process, wired."""

    def __init__(self, broker: Broker, settings: PeopleSettings, stop: threading.Event) -> None:
        registry = CollectorRegistry()
        metrics = PeopleMetrics(registry)
        clock = clock_of(broker)
        self._database = Database(settings.data, TABLES)
        self._ownership = Ownership(broker.scripts, PEOPLE, settings.data / FILE_NAME)
        self.house = House(broker, self._database, clock, settings, registry, self._may_serve)
        self.rooms: list[Room] = [room(self.house) for room in ROOMS]
        for room in self.rooms:
            room.meet({type(other): other for other in self.rooms})
        answers = {what: answer for room in self.rooms for what, answer in room.answers().items()}
        self._follower = Follower(broker, self._database, self.rooms, self._may_serve, stop)
        self._service = Service(
            broker,
            self._ownership,
            Answering(broker, PEOPLE, answers, lambda *labels: metrics.requests.labels(*labels).inc(), self._may_serve, stop),
            [chore for room in self.rooms for chore in room.chores()],
            clock_chore(clock, metrics.clock_error_seconds.set),
            registry,
            settings.version,
            self._begin,
        )

    def start(self) -> None:
        """Begin to know, to hear and to answer."""
        self._service.start()
        self._follower.start()

    def shut_down(self) -> None:
        """End in order; `stop` is set already."""
        self._service.stop_answering()
        self._follower.join(GRACE_SECONDS)
        self._service.stop_chores()
        for room in reversed(self.rooms if self._service.has_begun else ()):
            room.stop()
        self._service.leave()
        self._database.close()

    def _begin(self) -> None:
        for room in self.rooms:
            room.start()

    def _may_serve(self) -> bool:
        return self._ownership.is_ours
