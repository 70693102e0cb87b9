"""Questions to another process over Redis, put on threads of their own: one of them may take a minute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import HTTPConnection

from dashboard.aside import Aside
from dashboard.callers import WHO
from pipeline.broker import Broker
from pipeline.requests import ASK_SECONDS, Requests

AT_ONCE, WAITING = 8, 32


class ProcessDesk:
    """Asks the process that serves a topic, people or history; used on the event loop only."""

    def __init__(self, broker: Broker, topic: str) -> None:
        self._requests = Requests(broker, topic)
        busy = f"too many questions about {topic} wait for their answers already: ask again in a moment"
        self._aside = Aside(AT_ONCE, WAITING, busy)

    async def ask(
        self, caller: HTTPConnection, what: str, members: Mapping[str, Any] | None = None, seconds: float = ASK_SECONDS
    ) -> dict[str, Any]:
        """Return the answer to the question `what` (people.list, history.status …) that `caller`, a request of ours, leads to.

        Raises what that process raises, PeopleAway or HistoryAway when it is not there, RefusedError when too many wait.
        """
        who = str(caller.scope.get(WHO, ""))
        return await self._aside.run(self._requests.ask, what, members, who, seconds)
