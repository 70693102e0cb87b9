"""When a camera is looked at: ``mon-fri 08:00-18:00, sat 10:00-14:00``, in the local time of whoever captures it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.errors import SettingsError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST = 500

_PART = re.compile(
    r"(?:(?P<first>[a-z]{3})(?:-(?P<last>[a-z]{3}))?\s+)?(?P<from>\d{1,2}):(?P<from_minute>\d{2})-(?P<to>\d{1,2}):(?P<to_minute>\d{2})"
)
_EXAMPLE = "write for example mon-fri 08:00-18:00, sat 10:00-14:00"
_HOUR_MINUTES = 60
_DAY_MINUTES = 24 * _HOUR_MINUTES


@dataclass(frozen=True, slots=True)
class _Span:
    """Minutes from `begin` to `end` of the days; one that ends before it begins goes on until the next morning."""

    days: frozenset[int]
    begin: int
    end: int

    def holds(self, day: int, minute: int) -> bool:
        if self.begin < self.end:
            return day in self.days and self.begin <= minute < self.end
        return (day in self.days and minute >= self.begin) or ((day - 1) % 7 in self.days and minute < self.end)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The times at which a camera is looked at; with no spans it always is."""

    spans: tuple[_Span, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """Return what `text` says; raises SettingsError with the part that is not understood."""
        if len(text) > LONGEST:
            raise SettingsError(f"schedule of {len(text)} characters is too long: {_EXAMPLE}")
        return cls(tuple(_span(part.strip().lower()) for part in text.split(",") if part.strip()))

    def is_on(self, moment: datetime) -> bool:
        """Say whether the camera is looked at."""
        minute = moment.hour * _HOUR_MINUTES + moment.minute
        return not self.spans or any(span.holds(moment.weekday(), minute) for span in self.spans)

    def next_change(self, moment: datetime) -> datetime | None:
        """Return the minute at which `is_on` changes next, None when it never does."""
        if not self.spans:
            return None
        start, now = moment.replace(second=0, microsecond=0), self.is_on(moment)
        minutes = (start + timedelta(minutes=count) for count in range(1, 8 * _DAY_MINUTES))
        return next((minute for minute in minutes if self.is_on(minute) != now), None)


def _span(part: str) -> _Span:
    match = _PART.fullmatch(part)
    if match is None:
        raise SettingsError(f"schedule {part!r} is not understood: {_EXAMPLE}")
    begin, end = _minute(part, match["from"], match["from_minute"]), _minute(part, match["to"], match["to_minute"])
    if begin == end:
        raise SettingsError(f"schedule {part!r} begins and ends at the same minute: {_EXAMPLE}")
    return _Span(_days(part, match["first"], match["last"]), begin, end)


def _minute(part: str, hour: str, minute: str) -> int:
    found = int(hour) * _HOUR_MINUTES + int(minute)
    if int(minute) >= _HOUR_MINUTES or found > _DAY_MINUTES:
        raise SettingsError(f"schedule {part!r}: there is no {hour}:{minute} on a clock from 00:00 to 24:00")
    return found


def _days(part: str, first: str | None, last: str | None) -> frozenset[int]:
    for name in (first, last):
        if name is not None and name not in DAYS:
            raise SettingsError(f"schedule {part!r} names no day {name!r}: days are {', '.join(DAYS)}")
    if first is None:
        return frozenset(range(7))
    begin, end = DAYS.index(first), DAYS.index(last or first)
    return frozenset((begin + count) % 7 for count in range((end - begin) % 7 + 1))
