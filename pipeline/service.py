"""What every process that serves a topic has: it serves alone, does chores, answers questions, can be seen and measured.

The order of a stop: no new question is taken, those being answered get `GRACE_SECONDS`, the chores end, another process may
serve, the heartbeat goes. What the process itself has to end goes between these steps, which is why each has a name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import redis
from prometheus_client import CollectorRegistry

from pipeline.answering import Answering
from pipeline.broker import Broker
from pipeline.chores import Chore
from pipeline.clock import RedisClock
from pipeline.errors import BrokerError
from pipeline.metrics import MetricsServer
from pipeline.ownership import RENEW_SECONDS, Ownership
from pipeline.presence import Presence

GRACE_SECONDS = 2.0
CLOCK_SECONDS = 20.0


class Service:
    """The outer side of a process of one topic; `on_turn` is called once, when it is this process that serves.

    `chores` are done while it serves, that of the `clock` always.
    """

    def __init__(
        self,
        broker: Broker,
        ownership: Ownership,
        answering: Answering,
        chores: Iterable[Chore],
        clock: Chore,
        registry: CollectorRegistry,
        version: str,
        on_turn: Callable[[], None],
        details: Callable[[], dict[str, Any]] = dict,
    ) -> None:
        self._ownership = ownership
        self._answering = answering
        self._on_turn = on_turn
        self.has_begun = False
        ours = (
            clock,
            Chore("ownership", RENEW_SECONDS, self._look_whose_turn),
            Chore("serving", RENEW_SECONDS, answering.serve),
        )
        theirs = [chore.only_while(lambda: ownership.is_ours) for chore in chores]
        self._chores = [chore.periodic() for chore in (*ours, *theirs)]
        self._server = MetricsServer(registry, broker.own_address())
        self._presence = Presence(broker.scripts, ownership.role, version, self._server.address, details)

    def start(self) -> None:
        """Be there: serve if no other process does, or as soon as none does."""
        with suppress(redis.RedisError):
            self._look_whose_turn()
        for chore in self._chores:
            chore.start()
        self._answering.start()
        self._presence.start()

    def stop_answering(self) -> None:
        """Take no more questions; those that are being answered get a moment."""
        self._answering.join(GRACE_SECONDS)

    def stop_chores(self) -> None:
        """End what is done again and again."""
        for chore in self._chores:
            chore.stop()

    def leave(self) -> None:
        """Let another process serve, and be seen no longer."""
        with suppress(redis.RedisError):
            self._ownership.give_up()
        self._presence.stop()
        self._server.stop()

    def _look_whose_turn(self) -> None:
        """Serve, if no other process does; what the rooms do on threads of their own begins then."""
        self._ownership.look()
        if self._ownership.is_ours and not self.has_begun:
            self.has_begun = True
            self._on_turn()


def clock_of(broker: Broker) -> RedisClock:
    """Return a clock set by this Redis; raises BrokerError."""
    try:
        return RedisClock(broker.scripts)
    except redis.RedisError as error:
        raise BrokerError(f"Redis at {broker.address} went away during the start ({error}): start again") from error


def clock_chore(clock: RedisClock, tell: Callable[[float], None]) -> Chore:
    """Return the chore that sets a clock again; `tell` hears by how much it may be wrong, in seconds."""

    def act() -> None:
        clock.synchronise()
        tell(clock.error_seconds)

    return Chore("clock", CLOCK_SECONDS, act)
