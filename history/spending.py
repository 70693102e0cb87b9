"""The room that counts calls, and answers what they cost.

Only calls are kept: what they cost is computed when it is asked (`money`), by the prices there are then.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import redis
from sqlalchemy import Connection, delete

from history import money
from history.calls import call_rows, spending
from history.database import add_up
from history.house import House, Recorder
from pipeline.answering import Answer
from pipeline.chores import Chore
from pipeline.entities import Result
from pipeline.errors import SettingsError
from pipeline.requests import Request
from pipeline.spending import Purse, Spending

KEEP_SECONDS = 400 * 86_400.0  # whatever is kept of results: it tells of nobody, and a month's steps need the whole month
_CHORE_SECONDS = 3600.0


class SpendingBook(Recorder):
    """Counts calls, and answers history.money."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self._purse = Purse(house.broker.scripts)

    def hear(self, connection: Connection, results: Sequence[Result]) -> None:
        """Count the calls of these results."""
        add_up(connection, spending, call_rows(results), largest=("until",), least=("since",))

    def answers(self) -> Mapping[str, Answer]:
        """Answer what was spent."""
        return {"history.money": self._money}

    def chores(self) -> Sequence[Chore]:
        """Let go of what is older than a year."""
        return [Chore("spending", _CHORE_SECONDS, self._expire)]

    def _money(self, request: Request) -> Mapping[str, Any]:
        now = self.house.clock.now()
        settings = self.house.settings
        question = money.Question(
            since=_moment(request.members.get("since"), money.month_of(now)[0]),
            until=_moment(request.members.get("until"), now),
            now=now,
            cameras=tuple(map(str, request.members.get("cameras") or ())),
        )
        with self.house.database.reading() as connection:
            return money.answer(connection, settings.prices, settings.region, question, self._budget())

    def _budget(self) -> Spending | None:
        try:
            return self._purse.read()
        except redis.RedisError:
            return None

    def _expire(self) -> None:
        with self.house.database.writing() as connection:
            connection.execute(delete(spending).where(spending.c.hour < time.time() - KEEP_SECONDS))


def _moment(value: Any, instead: float) -> float:
    if value is None:
        return instead
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e11:  # noqa: PLR2004  # year 5138
        raise SettingsError(f"{str(value)[:60]!r} is no moment: write seconds since 1970")
    return float(value)
