"""Questions to the people process, put on threads of their own: one of them may take a minute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import HTTPConnection

from dashboard.aside import Aside
from dashboard.callers import WHO
from pipeline.broker import Broker
from pipeline.requests import ASK_SECONDS, Requests

AT_ONCE, WAITING = 8, 32
BUSY = "too many questions about people wait for their answers already: ask again in a moment"


class PeopleDesk:
    """Asks the people process; used on the event loop only."""

    def __init__(self, broker: Broker) -> None:
        self._requests = Requests(broker)
        self._aside = Aside(AT_ONCE, WAITING, BUSY)

    async def ask(
        self, caller: HTTPConnection, what: str, members: Mapping[str, Any] | None = None, seconds: float = ASK_SECONDS
    ) -> dict[str, Any]:
        """Return the answer to the question `what` (people.list, …) that `caller`, a request of ours, leads to.

        Raises what the people process raises, PeopleAway when it is not there, RefusedError when too many wait.
        """
        who = str(caller.scope.get(WHO, ""))
        return await self._aside.run(self._requests.ask, what, members, who, seconds)
