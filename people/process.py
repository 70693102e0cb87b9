"""The people process: follows the results stream, keeps people.sqlite, answers who is there.

The order of a stop: no new question is taken, those being answered get `GRACE_SECONDS`, the rooms end, the heartbeat goes, the
file is closed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

import redis
from prometheus_client import CollectorRegistry

from people.answering import Answering
from people.database import Database
from people.follower import Follower
from people.house import Answer, Chore, House, PeopleSettings, Room
from people.ownership import RENEW_SECONDS, Ownership
from people.rooms import ROOMS, TABLES
from pipeline.broker import Broker
from pipeline.clock import RedisClock
from pipeline.errors import BrokerError, RekstreamError
from pipeline.metrics import MetricsServer, PeopleMetrics
from pipeline.periodic import Periodic
from pipeline.presence import Presence

log = logging.getLogger(__name__)

GRACE_SECONDS = 2.0
CLOCK_SECONDS = 20.0


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
        self._metrics = PeopleMetrics(registry)
        self._clock = _clock_of(broker)
        self._database = Database(settings.data, TABLES)
        self._ownership = Ownership(broker.scripts, settings.data)
        self._has_begun = False
        self.house = House(broker, self._database, self._clock, settings, registry, self._may_serve)
        self.rooms: list[Room] = [room(self.house) for room in ROOMS]
        for room in self.rooms:
            room.meet({type(other): other for other in self.rooms})
        self._answering = Answering(broker, self._answers(), self._metrics, self._may_serve, stop)
        self._follower = Follower(broker, self._database, self.rooms, self._may_serve, stop)
        self._chores = self._make_chores()
        self._server = MetricsServer(registry, broker.own_address())
        self._presence = Presence(broker.scripts, "people", settings.version, self._server.address)

    def start(self) -> None:
        """Begin to know, to hear and to answer."""
        with suppress(redis.RedisError):
            self._look_whose_turn()
        for chore in self._chores:
            chore.start()
        self._follower.start()
        self._answering.start()
        self._presence.start()

    def shut_down(self) -> None:
        """End in order; `stop` is set already."""
        self._answering.join(GRACE_SECONDS)
        self._follower.join(GRACE_SECONDS)
        for chore in self._chores:
            chore.stop()
        for room in reversed(self.rooms if self._has_begun else ()):
            room.stop()
        with suppress(redis.RedisError):
            self._ownership.give_up()
        self._presence.stop()
        self._server.stop()
        self._database.close()

    def _answers(self) -> Mapping[str, Answer]:
        return {what: answer for room in self.rooms for what, answer in room.answers().items()}

    def _make_chores(self) -> list[Periodic]:
        ours = (
            Chore("clock", CLOCK_SECONDS, self._set_clock),
            Chore("ownership", RENEW_SECONDS, self._look_whose_turn),
            Chore("serving", RENEW_SECONDS, self._answering.serve),
        )
        chores = [*ours, *(self._only_while_serving(chore) for room in self.rooms for chore in room.chores())]
        return [Periodic(chore.name, chore.seconds, chore.action, _failed(chore.name)) for chore in chores]

    def _only_while_serving(self, chore: Chore) -> Chore:
        def act() -> None:
            if self._may_serve():
                chore.action()

        return replace(chore, action=act)

    def _look_whose_turn(self) -> None:
        """Serve, if no other process does; what rooms do on threads of their own begins then."""
        self._ownership.look()
        if self._may_serve() and not self._has_begun:
            self._has_begun = True
            for room in self.rooms:
                room.start()

    def _may_serve(self) -> bool:
        return self._ownership.is_ours

    def _set_clock(self) -> None:
        self._clock.synchronise()
        self._metrics.clock_error_seconds.set(self._clock.error_seconds)


def _clock_of(broker: Broker) -> RedisClock:
    try:
        return RedisClock(broker.scripts)
    except redis.RedisError as error:
        raise BrokerError(f"Redis at {broker.address} went away during the start ({error}): start again") from error


def _failed(name: str) -> Callable[[Exception], None]:
    """Return what is done when a chore failed: the next round may succeed."""

    def failed(error: Exception) -> None:
        if isinstance(error, redis.RedisError):
            log.debug("%s: %s", name, error)
        elif isinstance(error, RekstreamError):
            log.warning("%s: %s", name, error)
        else:
            log.error("%s failed", name, exc_info=error)

    return failed
