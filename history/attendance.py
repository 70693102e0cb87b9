"""Who came and went when: the first and last sight of each person, by day and camera, and what people corrected of it.

What was seen is computed from visits whenever it is asked for, so that "not this person", a name that came late and forgetting
hold for the days before, too. A correction says what counts; what was seen stays beside it, and corrections stay in line.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Connection, Double, Integer, Row, Text, column, func, select, values

from history.corrections import Correction, correct, corrections, newest_of
from history.days import Days, day_from
from history.house import House, Recorder
from history.mirror import people, visits
from history.names import a_person, person_of
from history.schema import faces, results, tracks
from history.search import a_text
from pipeline.answering import Answer
from pipeline.errors import SettingsError
from pipeline.purposes import Purposes
from pipeline.requests import PEOPLE, Request, Requests

MOST_DAYS, MOST_ENTRIES = 31, 5000
GAP_SECONDS = 300.0
"""Out of sight for as long as this is a gap."""

_MOST_PICTURED = 200  # entries for which the results that show them are looked up
_NEAR_SECONDS = 1.0
_AUDIT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Span:
    """Somebody in sight of a camera, within one day; `is_open` while they still are."""

    camera: str
    began: float
    ended: float
    is_open: bool


class Attendance(Recorder):
    """Answers history.attendance and history.correct."""

    ages: ClassVar[tuple[ColumnElement[float], ...]] = (corrections.c.until,)

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self._days = Days(house.settings.time_zone)
        self._purposes = Purposes(house.broker.scripts)
        self._people = Requests(house.broker, PEOPLE)

    def answers(self) -> Mapping[str, Answer]:
        """Return what is answered about attendance."""
        return {"history.attendance": self._attendance, "history.correct": self._correct}

    def export(self, connection: Connection, person: str) -> Mapping[str, Any]:
        """Return what was corrected of a person's days."""
        asked = select(corrections).where(corrections.c.person == person).order_by(corrections.c.id)
        return {"corrections": [dict(row) for row in connection.execute(asked).mappings()]}

    def forget(self, connection: Connection, person: str, tracks: Sequence[str]) -> Mapping[str, int]:  # noqa: ARG002
        """Remove what was corrected of a person's days."""
        return {"corrections": connection.execute(corrections.delete().where(corrections.c.person == person)).rowcount}

    def remaining(self, connection: Connection, person: str, tracks: Sequence[str]) -> Mapping[str, int]:  # noqa: ARG002
        """Count what `forget` removes."""
        return {"corrections": len(connection.execute(select(corrections).where(corrections.c.person == person)).all())}

    def _attendance(self, request: Request) -> Mapping[str, Any]:
        told, now = request.members, self.house.clock.now()
        last = day_from(a_text(told, "day")) if told.get("day") else self._days.day_of(now)
        first = last - timedelta(days=_number_of_days(told) - 1)
        with self.house.database.reading() as connection:
            asked = a_person(connection, a_text(told, "person"))
            found = self._entries(connection, first, last, a_text(told, "camera"), asked["Id"] if asked else "")
        span = {"from": first.isoformat(), "day": last.isoformat()}
        return {"zone": self._days.zone, **span, "now": now, "Person": asked, "attendance": found}

    def _correct(self, request: Request) -> Mapping[str, Any]:
        """Correct somebody's day, once the audit log of people has it; return the entry as it is now."""
        told = request.members
        day = day_from(a_text(told, "day"))
        with self.house.database.reading() as connection:
            person = person_of(connection, told.get("person")).id
            before = newest_of(connection, day, day, person).get((person, day))
            (seen,) = self._entries(connection, day, day, "", person) or [{}]
        change = Correction.of(told.get("changes"), before, self._days, day, request.who, self.house.clock.now())
        _check(change, seen.get("seen"), self._days)
        note = {"what": "correct attendance", "person": person, "detail": f"{day}: {change.in_words()}"}
        self._people.ask("audit.note", note, request.who, _AUDIT_SECONDS)
        with self.house.database.writing() as connection:
            correct(connection, person, day, self._days.span(day)[1], change)
            (entry,) = self._entries(connection, day, day, "", person)
        return entry

    def _entries(self, connection: Connection, first: date, last: date, camera: str, person: str) -> list[dict[str, Any]]:
        may_name = cache(self._purposes.names_people)  # a camera that was removed is looked for in Redis each time
        return attendance(connection, self._days, first, last, camera, person, may_name, self.house.clock.now())


def attendance(
    connection: Connection,
    days: Days,
    first: date,
    last: date,
    camera: str = "",
    person: str = "",
    may_name: Callable[[str], bool] = lambda _: True,
    now: float = float("inf"),
) -> list[dict[str, Any]]:
    """Return an entry for each person and day, by day and name, of a camera or person where that is said.

    People who are known by the end of a day and were not seen on it have an entry, too, but not for days that are yet to come.
    """
    everybody = _people(connection, person)
    seen = _spans(connection, days, first, last, camera, person, may_name)
    said = newest_of(connection, first, last, person)
    found: list[dict[str, Any]] = []
    for day in _each_day(first, last):
        begin, end = days.span(day)
        for row in everybody if begin <= now else ():
            spans, correction = seen.get((row.id, day), ()), said.get((row.id, day))
            if spans or correction or row.added < end:
                if len(found) == MOST_ENTRIES:
                    raise SettingsError(
                        f"more than {MOST_ENTRIES:,} entries would be too many at once: ask for fewer days, or for one person"
                    )
                found.append(_entry(days, row, day, spans, correction))
    _add_results(connection, found[:_MOST_PICTURED])
    return found


def _spans(
    connection: Connection,
    days: Days,
    first: date,
    last: date,
    camera: str,
    person: str,
    may_name: Callable[[str], bool],
) -> dict[tuple[str, date], list[Span]]:
    """Return when people were in sight, by person and day, in the order of time; visits over midnight belong to both days."""
    since, until = days.begin(first), days.span(last)[1]
    here = [visits.c.camera == camera] if camera else []
    theirs = [visits.c.person == person] if person else [visits.c.person.isnot(None)]
    columns = (visits.c.person, visits.c.camera, visits.c.began, visits.c.ended, visits.c.is_open)
    asked = select(*columns).where(visits.c.ended >= since, visits.c.began < until, *here, *theirs)
    found: dict[tuple[str, date], list[Span]] = defaultdict(list)
    times = [(day, *days.span(day)) for day in _each_day(first, last)]
    for who, where, began, ended, is_open in connection.execute(asked.order_by(visits.c.began)):
        for day, begin, end in times if may_name(where) else ():
            if began < end and ended >= begin:
                found[who, day].append(Span(where, max(began, begin), min(ended, end), bool(is_open) and ended < end))
    return found


def _check(change: Correction, seen: Mapping[str, float] | None, days: Days) -> None:
    """Refuse a correction that what was seen contradicts; raises SettingsError."""
    if seen and change.arrival_at is not None and change.leaving_at is None and change.arrival_at > seen["last_at"]:
        last = days.clock(seen["last_at"])
        raise SettingsError(f"arrival {change.arrival}: they were seen until {last} already, correct leaving, too")
    if seen and change.leaving_at is not None and change.arrival_at is None and change.leaving_at < seen["first_at"]:
        first = days.clock(seen["first_at"])
        raise SettingsError(f"leaving {change.leaving}: they were seen from {first} on only, correct arrival, too")


def _entry(days: Days, person: Row[Any], day: date, spans: Sequence[Span], correction: Correction | None) -> dict[str, Any]:
    seen = _summary(spans) if spans else None
    arrival = correction.arrival_at if correction else None
    leaving = correction.leaving_at if correction else None
    first_at = arrival if arrival is not None else seen["first_at"] if seen else None
    last_at = leaving if leaving is not None else seen["last_at"] if seen else None
    is_excused = correction is not None and correction.excused is not None
    is_there = first_at is not None or last_at is not None
    end = days.span(day)[1]
    by_camera: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        by_camera[span.camera].append(span)
    return {
        "day": day.isoformat(),
        "Person": {"Id": person.id, "Name": person.name},
        "state": "present" if is_there else "excused" if is_excused else "absent",
        "first_at": first_at,
        "last_at": last_at,
        "seen": {"first_at": seen["first_at"], "last_at": seen["last_at"]} if seen else None,
        "first_camera": min(spans, key=lambda span: span.began).camera if spans else None,
        "last_camera": max(spans, key=lambda span: span.ended).camera if spans else None,
        "seconds": seen["seconds"] if seen else 0.0,
        "visits": len(spans),
        "open": any(span.is_open for span in spans),
        "gaps": seen["gaps"] if seen else [],
        "clock": {
            **_clock(days, end, first=first_at, last=last_at),
            **_clock(days, end, seen_first=seen["first_at"] if seen else None, seen_last=seen["last_at"] if seen else None),
        },
        "first_result": None,
        "last_result": None,
        "cameras": [_of_camera(days, end, name, theirs) for name, theirs in sorted(by_camera.items())],
        "correction": correction.as_json() if correction and not correction.is_empty else None,
        "corrections": correction.number if correction else 0,
    }


def _of_camera(days: Days, end: float, camera: str, spans: Sequence[Span]) -> dict[str, Any]:
    seen = _summary(spans)
    clock = _clock(days, end, first=seen["first_at"], last=seen["last_at"])
    return {"camera": camera, **seen, "visits": len(spans), "open": any(span.is_open for span in spans), "clock": clock}


def _clock(days: Days, end: float, **moments: float | None) -> dict[str, str | None]:
    """Return what a clock there showed at moments of a day, 24:00:00 at its end."""
    return {name: None if at is None else days.clock(at) if at < end else "24:00:00" for name, at in moments.items()}


def _summary(spans: Sequence[Span]) -> dict[str, Any]:
    """Return from when to when, for how long, and with which gaps somebody was in sight, of one camera or of several."""
    joined: list[list[float]] = []
    for span in sorted(spans, key=lambda span: span.began):
        if joined and span.began <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], span.ended)
        else:
            joined.append([span.began, span.ended])
    between = itertools.pairwise(joined)
    return {
        "first_at": round(joined[0][0], 3),
        "last_at": round(joined[-1][1], 3),
        "seconds": round(sum(ended - began for began, ended in joined), 3),
        "gaps": [
            {"since": round(before[1], 3), "until": round(after[0], 3)}
            for before, after in between
            if after[0] - before[1] >= GAP_SECONDS
        ],
    }


def _add_results(connection: Connection, entries: Iterable[dict[str, Any]]) -> None:
    """Name the results that show somebody for the first and the last time, where they are kept: their pictures may be, too."""
    seen = [(entry, end) for entry in entries if entry["seen"] for end in ("first", "last")]
    sights = [(entry["Person"]["Id"], entry[f"{end}_camera"], entry["seen"][f"{end}_at"]) for entry, end in seen]
    for (entry, end), sight, found in zip(seen, sights, _results_near(connection, sights), strict=True):
        entry[f"{end}_result"] = None if found is None else {"camera": sight[1], "id": found}


def _results_near(connection: Connection, sights: Sequence[tuple[str, str, float]]) -> list[str | None]:
    """Return the first result that shows each person at a camera about a moment."""
    columns = (column("place", Integer), column("person", Text), column("camera", Text), column("at", Double))
    asked = values(*columns, name="sights").data([(place, *sight) for place, sight in enumerate(sights)]).cte()
    shows_them = (
        faces.c.camera == asked.c.camera,
        faces.c.at.between(asked.c.at - _NEAR_SECONDS, asked.c.at + _NEAR_SECONDS),
        func.coalesce(tracks.c.person, "") == asked.c.person,  # so no database begins with all tracks that a person ever had
    )
    first = select(results.c.id).join(faces, faces.c.result == results.c.number).join(tracks, tracks.c.track == faces.c.track)
    first = first.where(*shows_them).order_by(faces.c.at, faces.c.result).limit(1)
    told = connection.execute(select(asked.c.place, first.scalar_subquery())) if sights else ()
    found: dict[int, str | None] = dict(iter(told))
    return [found[place] for place in range(len(sights))]


def _people(connection: Connection, person: str) -> Sequence[Row[Any]]:
    asked = select(people).where(people.c.id == person) if person else select(people)
    return sorted(connection.execute(asked).all(), key=lambda row: row.name.lower())


def _each_day(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def _number_of_days(told: Mapping[str, Any]) -> int:
    number = told.get("days", 1)
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= MOST_DAYS:
        raise SettingsError(f"days {str(number)[:40]!r}: write a number from 1 to {MOST_DAYS}")
    return number
