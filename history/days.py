"""Days where the cameras are: when they begin and end, and what a clock on the wall shows there."""

from __future__ import annotations

import re
import time
from datetime import date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from pipeline.errors import SettingsError

_CLOCK = re.compile(r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?")


class Days:
    """The days of a time zone (`Europe/Berlin`), that of this machine when it is ''; changes of the clock are kept."""

    def __init__(self, zone: str = "") -> None:
        self._zone: tzinfo | None = ZoneInfo(zone) if zone else None
        self.zone = zone or f"this machine's ({'/'.join(dict.fromkeys(time.tzname))})"

    def begin(self, day: date) -> float:
        """Return when a day begins, in seconds since 1970; it ends where the next one begins."""
        return datetime(day.year, day.month, day.day, tzinfo=self._zone).timestamp()

    def span(self, day: date) -> tuple[float, float]:
        """Return when a day begins and ends."""
        return self.begin(day), self.begin(day + timedelta(days=1))

    def day_of(self, at: float) -> date:
        """Return the day on which a moment is."""
        return datetime.fromtimestamp(at, self._zone).date()

    def clock(self, at: float) -> str:
        """Return what a clock shows at a moment: 08:30:05."""
        return datetime.fromtimestamp(at, self._zone).time().isoformat("seconds")

    def moment(self, day: date, clock: str) -> float:
        """Return when a clock shows 08:30 (or 08:30:05) on a day; raises SettingsError."""
        match = _CLOCK.fullmatch(clock.strip())
        hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second")) if match else (99, 0, 0)
        try:
            return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=self._zone).timestamp()
        except ValueError:
            raise SettingsError(f"time {clock[:40]!r}: write what the clock showed, such as 08:30") from None


def day_from(text: str) -> date:
    """Return the day that 2026-11-23 names; raises SettingsError."""
    try:
        day = date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) else date.min
    except ValueError:
        day = date.min
    if not date(1971, 1, 1) <= day <= date(2200, 1, 1):
        raise SettingsError(f"day {text[:40]!r}: write it as 2026-11-23")
    return day
