"""Tells watches of the budget when most of it is spent, and when all is: each once a period and limit, through any restart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from people.alert_book import Alert
from people.alerts import Alerts
from people.house import House, Room, room_of
from people.watches import Kind, Watch
from pipeline.chores import Chore
from pipeline.spending import Purse, Spending, step_of

LOOK_SECONDS = 2.0


class BudgetAlerts(Room):
    """Looks at what was spent, as long as somebody watches for it."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self._purse = Purse(house.broker.scripts)

    def meet(self, rooms: Mapping[type[Room], Room]) -> None:
        """Get to know who keeps watches and alerts."""
        self._alerts = room_of(rooms, Alerts)

    def chores(self) -> Sequence[Chore]:
        """Return what looks at the budget."""
        return (Chore("budget", LOOK_SECONDS, self.look),)

    def look(self) -> None:
        """Make the alerts that are due; may raise redis.RedisError, StorageError."""
        watches = [watch for watch in self._alerts.watches.all() if watch.kind is Kind.BUDGET]
        spending, now = self._purse.read() if watches else None, self.house.clock.now()
        if spending is None or now >= spending.end:
            return
        step = step_of(spending.spent_dollars, spending.limit_dollars, self.house.settings.provider.dollars_per_call())
        for watch in watches if step else ():
            if watch.is_on(now):
                self._alerts.keep(watch, _alert_of(watch, spending, step, now))


def _alert_of(watch: Watch, spending: Spending, step: int, now: float) -> Alert:
    cause = f"budget {spending.start:.0f} {spending.limit_dollars:g} {step}"
    what = {
        "Step": step,
        "SpentDollars": round(spending.spent_dollars, 6),
        "LimitDollars": spending.limit_dollars,
        "Until": spending.end,
    }
    return Alert(watch.id, watch.kind, cause, "", now, now, subject=cause, what=what)
