"""What happened when: how much was seen in each stretch of time, and who was there from when to when."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Row, Table, func, select

from history.house import House, Recorder
from history.mirror import people, visits
from history.names import a_person
from history.rows import NO_CAMERA
from history.schema import SUM_STEPS, minutes, sums, within
from history.search import a_text, a_time, an_emotion, cameras_of, gaps_between
from pipeline.answering import Answer
from pipeline.errors import SettingsError
from pipeline.purposes import Purposes
from pipeline.requests import Request

MOST_BUCKETS, MOST_VISITS = 200, 1000
USUAL_SECONDS = 86_400.0
STEPS = (60, 300, 900, 3600, 6 * 3600, 86_400, 7 * 86_400, 28 * 86_400, 364 * 86_400)
_FIGURES = ("results", "faces", "smiling", "errors")


class Timeline(Recorder):
    """Answers history.timeline."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self._purposes = Purposes(house.broker.scripts)

    def answers(self) -> Mapping[str, Answer]:
        """Return what is answered about stretches of time."""
        return {"history.timeline": self._timeline}

    def _timeline(self, request: Request) -> Mapping[str, Any]:
        told, now = request.members, self.house.clock.now()
        until = a_time(told, "until", now)
        since, camera, who = a_time(told, "since", until - USUAL_SECONDS), a_text(told, "camera"), a_text(told, "person")
        emotion = an_emotion(told).lower()
        step = step_of(since, until)
        with self.house.database.reading() as connection:
            asked = a_person(connection, who)
            person = asked["Id"] if asked else ""
            may_name = cache(self._purposes.names_people)  # a camera that was removed is looked for in Redis each time
            there = visits_between(connection, since, until, camera, person, MOST_VISITS + 1)
            return {
                "since": since,
                "until": until,
                "step": step,
                "cameras": [] if person else buckets(connection, since, until, step, camera, emotion),
                **present(connection, since, until, camera, person, may_name),
                "visits": _shown(there[:MOST_VISITS], may_name, is_of_person=bool(person)),
                "more": len(there) > MOST_VISITS,
                "Person": asked,
                "gaps": gaps_between(connection, since, until),
            }


def step_of(since: float, until: float) -> int:
    """Return how long the stretches are into which a time is divided, in seconds; raises SettingsError."""
    if since >= until:
        raise SettingsError(f"since {since:.0f} and until {until:.0f}: the second has to be later")
    return next((step for step in STEPS if (until - since) / step <= MOST_BUCKETS), STEPS[-1])


def buckets(
    connection: Connection, since: float, until: float, step: int, camera: str = "", emotion: str = ""
) -> list[dict[str, Any]]:
    """Return what was counted in stretches of `step` seconds, by camera, where anything was; faces of one emotion, if said.

    These are whole: the first may begin before `since`, the last may end after `until`.
    """
    table, time, of_step = _told_in(step)
    figures = [table.c[name] for name in ("results", emotion or "faces", "smiling", "errors")]
    at = (time - time % step).label("at")
    whole = within(time, since // step * step, -(-until // step) * step)
    cameras = [camera] if camera else [name for name in cameras_of(connection) if name != NO_CAMERA]
    asked = select(table.c.camera, at, *map(func.sum, figures)).where(table.c.camera.in_(cameras), *of_step, *whole)
    found: dict[str, list[dict[str, Any]]] = {}
    for name, start, *counted in connection.execute(asked.group_by(table.c.camera, at).order_by(table.c.camera, at)):
        found.setdefault(name, []).append({"at": int(start), **dict(zip(_FIGURES, map(int, counted), strict=True))})
    return [{"camera": name, "buckets": rows} for name, rows in found.items()]


def _told_in(step: int) -> tuple[Table, Column[int], Sequence[ColumnElement[bool]]]:
    """Return the table of which few rows make a step, its column of times, and which rows those are."""
    length = max((length for length in SUM_STEPS if step % length == 0), default=0)
    return (sums, sums.c.at, [sums.c.step == length]) if length else (minutes, minutes.c.minute, ())


def visits_between(
    connection: Connection, since: float, until: float, camera: str = "", person: str = "", limit: int = MOST_VISITS
) -> list[dict[str, Any]]:
    """Return the visits that touch a time as the API shows them, the last seen first; of a camera or person, if said."""
    asked = select(visits, people.c.name).outerjoin(people, people.c.id == visits.c.person)
    asked = asked.where(*_touching(since, until, camera, person)).order_by(visits.c.ended.desc(), visits.c.id.desc())
    return [as_json(row) for row in connection.execute(asked.limit(limit))]


def present(
    connection: Connection,
    since: float,
    until: float,
    camera: str = "",
    person: str = "",
    may_name: Callable[[str], bool] = lambda _: True,
) -> dict[str, Any]:
    """Return how often and how long people were there between two times, and how many visits were of unknown ones."""
    names = {row.id: row.name for row in connection.execute(select(people.c.id, people.c.name))}
    length = visits.c.ended - visits.c.began
    about = (func.count(), func.sum(length), func.min(visits.c.began), func.max(visits.c.ended))
    nameless = [name for name in cameras_of(connection, visits.c.camera) if not may_name(name)]
    asked = select(visits.c.person, *about).where(*_touching(since, until, camera, person), visits.c.person.isnot(None))
    asked = asked.where(visits.c.camera.not_in(nameless)) if nameless else asked
    known = {who: figures for who, *figures in connection.execute(asked.group_by(visits.c.person)) if who in names}
    everybody = select(func.count()).select_from(visits).where(*_touching(since, until, camera, person))
    unknown = 0 if person else connection.execute(everybody).scalar_one() - sum(count for count, *_ in known.values())
    return {
        "people": [
            {"Person": {"Id": who, "Name": names[who]}, **_figures(*known[who])}
            for who in sorted(known, key=lambda who: names[who].lower())
        ],
        "unknown": {"visits": unknown},
    }


def _figures(count: int, seconds: float, first: float, last: float) -> dict[str, Any]:
    return {"visits": count, "seconds": round(seconds, 3), "first_at": round(first, 3), "last_at": round(last, 3)}


def as_json(row: Row[Any]) -> dict[str, Any]:
    """Return a visit, with the name of its person, as the API shows it."""
    similarity = row.similarity or None
    return {
        "id": row.id,
        "camera": row.camera,
        "Person": {"Id": row.person, "Name": row.name, "Similarity": similarity} if row.name is not None else None,
        "Unknown": {"Id": row.unknown} if row.unknown is not None else None,
        "began_at": round(row.began, 3),
        "ended_at": round(row.ended, 3),
        "open": bool(row.is_open),
    }


def _shown(found: Sequence[dict[str, Any]], may_name: Callable[[str], bool], *, is_of_person: bool) -> list[dict[str, Any]]:
    """Return visits, without names where the camera's purpose names nobody; none of these where a person was asked for."""
    nameless = {"Person": None, "Unknown": None}
    named = [(visit, may_name(visit["camera"])) for visit in found]
    return [visit if is_named else {**visit, **nameless} for visit, is_named in named if is_named or not is_of_person]


def _touching(since: float, until: float, camera: str, person: str) -> Sequence[ColumnElement[bool]]:
    here = [visits.c.camera == camera] if camera else []
    theirs = [visits.c.person == person] if person else []
    return visits.c.ended >= since, visits.c.began < until, *here, *theirs
