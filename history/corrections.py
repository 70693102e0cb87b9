"""What people corrected of somebody's day: when they came or went, or that they are excused. Nothing is ever overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Column, Connection, Double, Index, Integer, Table, Text, insert, select

from history.days import Days
from history.schema import METADATA, Number
from pipeline.errors import SettingsError

LONGEST_REASON = 200
_MEMBERS = ("arrival", "leaving", "excused")

corrections = Table(
    "corrections",
    METADATA,
    Column("id", Number, primary_key=True),
    Column("person", Text, nullable=False),
    Column("day", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Column("until", Double, nullable=False),
    Column("who", Text, nullable=False),
    Column("arrival", Text),
    Column("leaving", Text),
    Column("arrival_at", Double),
    Column("leaving_at", Double),
    Column("excused", Text),
    Index("corrections_of_person", "person", "day"),
    Index("corrections_of_day", "day"),
    Index("corrections_by_time", "until"),
)
"""The corrections of a person's day (2026-11-23), numbered from 1: the last says what counts, NULL where what was seen does.

`arrival` is what the clock showed (08:30), `arrival_at` when that was; `excused` is a reason; `until` is
when the day ends: they are kept as long as what was seen then.
"""


@dataclass(frozen=True, slots=True)
class Correction:
    """What holds of a day after the correction of this `number`; None where what was seen holds."""

    number: int
    at: float
    who: str
    arrival: str | None = None
    leaving: str | None = None
    arrival_at: float | None = None
    leaving_at: float | None = None
    excused: str | None = None

    @classmethod
    def of(cls, changes: object, before: Correction | None, days: Days, day: date, who: str, at: float) -> Correction:
        """Return what holds after these changes; members that are left out stay as they were. Raises SettingsError."""
        if not isinstance(changes, Mapping) or not changes:
            raise SettingsError(
                "write what is to be corrected: arrival or leaving (08:30), or excused (a reason); null takes it back"
            )
        unknown = sorted(changes.keys() - set(_MEMBERS))
        if unknown:
            raise SettingsError(f"a day has no member {unknown[0][:40]!r}: correct arrival, leaving or excused")
        said = {member: getattr(before, member, None) for member in _MEMBERS}
        said |= {member: _text(member, value) for member, value in changes.items()}
        arrival, leaving, excused = (said[member] for member in _MEMBERS)
        arrival_at = None if arrival is None else days.moment(day, arrival)
        leaving_at = None if leaving is None else days.moment(day, leaving)
        if arrival_at is not None and leaving_at is not None and leaving_at < arrival_at:
            raise SettingsError(f"leaving {leaving} is before arrival {arrival}: write the later one as leaving")
        number = before.number + 1 if before else 1
        return cls(number, at, who, arrival, leaving, arrival_at, leaving_at, excused)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is corrected any more."""
        return self.arrival is None and self.leaving is None and self.excused is None

    def in_words(self) -> str:
        """Return what holds, without anybody's name and without the reason, which may be nobody's business."""
        said = [f"{member} {getattr(self, member)}" for member in ("arrival", "leaving") if getattr(self, member)]
        return ", ".join([*said, *(["excused"] if self.excused else [])]) or "as seen"

    def as_json(self) -> dict[str, Any]:
        """Return it as the API shows it."""
        return {**{member: getattr(self, member) for member in _MEMBERS}, "by": self.who, "at": self.at}


def correct(connection: Connection, person: str, day: date, until: float, change: Correction) -> None:
    """Keep a correction of a person's day, which ends at `until`."""
    names = ("number", "at", "who", "arrival", "leaving", "arrival_at", "leaving_at", "excused")
    values = {name: getattr(change, name) for name in names}
    connection.execute(insert(corrections), [{"person": person, "day": day.isoformat(), "until": until, **values}])


def newest_of(connection: Connection, first: date, last: date, person: str = "") -> dict[tuple[str, date], Correction]:
    """Return the corrections that hold, by person and day, between two days."""
    asked = select(corrections).where(corrections.c.day.between(first.isoformat(), last.isoformat())).order_by(corrections.c.id)
    rows = connection.execute(asked.where(corrections.c.person == person) if person else asked)
    return {(row.person, date.fromisoformat(row.day)): _correction(row) for row in rows}


def _correction(row: Any) -> Correction:
    about = (row.arrival, row.leaving, row.arrival_at, row.leaving_at, row.excused)
    return Correction(row.number, row.at, row.who, *about)


def _text(member: str, value: object) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > LONGEST_REASON or not value.isprintable() or not value.strip():
        what = "a reason of up to 200 characters" if member == "excused" else "what the clock showed, such as 08:30"
        raise SettingsError(f"{member} {str(value)[:40]!r}: write {what}, or null")
    return value.strip()
