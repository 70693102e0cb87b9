"""Finds results of before: by time, camera, person, emotion; newest first, a page at a time, each page at the same cost.

Nothing here reads `results` but by their number or along an index in the order of time. What is asked for is found in lanes,
each in that order already, and merged: faces of one emotion have a lane a camera, people a lane a track. A page looks at so
many faces at most; it may be short then, and says from where to go on.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, Connection, and_, or_, select

from history.house import House, Recorder
from history.names import a_person, named, names_of, tracks_in
from history.packing import unpacked
from history.schema import EMOTIONS, faces, gaps, minutes, results, tracks
from pipeline.answering import Answer
from pipeline.entities import Operation
from pipeline.errors import SettingsError
from pipeline.purposes import Purposes
from pipeline.requests import Request
from pipeline.texts import check_texts

USUAL, MOST = 50, 500
MOST_FACES = 50_000  # that are looked at for one page, at most
_COST_OF_TRACK = 100  # faces that could be looked at while one more track is asked for
MOST_GAPS = 20
_END = 2**62


class Place(NamedTuple):
    """Where a result stands in the order of time, which rises with these."""

    at: float
    number: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; '' means any, times are seconds since 1970, and what comes at or after `before` was seen already."""

    since: float
    until: float
    camera: str
    person: str
    emotion: str
    has_faces: bool
    limit: int
    before: Place

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Wanted:
        """Return what a request's members ask for; raises SettingsError."""
        since, until = a_time(told, "since", 0.0), a_time(told, "until", float(_END))
        return cls(
            since,
            until,
            a_text(told, "camera"),
            a_text(told, "person"),
            an_emotion(told),
            bool(told.get("faces")),
            _limit(told),
            min(_place(a_text(told, "before")), Place(until, _END)),
        )


class Search(Recorder):
    """Answers history.search."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self._purposes = Purposes(house.broker.scripts)

    def answers(self) -> Mapping[str, Answer]:
        """Return what is answered about results of before."""
        return {"history.search": self._search}

    def _search(self, request: Request) -> Mapping[str, Any]:
        wanted = Wanted.of(request.members)
        may_name = cache(self._purposes.names_people)  # a camera that was removed is looked for in Redis each time
        with self.house.database.reading() as connection:
            person = a_person(connection, wanted.person)
            found, following = search(connection, wanted, person, may_name)
            shown = results_at(connection, [place.number for place in found])
            names = names_of(connection, tracks_in(shown))
            missing = gaps_between(connection, wanted.since, wanted.until)
        return {
            "results": [named(result, names, may_name) for result in shown],
            "next": None if following is None else f"{following.at!r}:{following.number}",
            "gaps": missing,
            "Person": person,
            "pictures": self.house.settings.archive is not None,
        }


def search(
    connection: Connection,
    wanted: Wanted,
    person: Mapping[str, str] | None = None,
    may_name: Callable[[str], bool] = lambda _: True,
) -> tuple[list[Place], Place | None]:
    """Return where what is wanted stands, newest first, and before which place to go on; None where nothing is left."""
    if person is not None:
        return _of_person(connection, wanted, person["Id"], may_name)
    if wanted.emotion or wanted.has_faces:
        cameras = [wanted.camera] if wanted.camera else cameras_of(connection)
        lanes = [_with_faces(connection, wanted, camera) for camera in cameras]
    else:
        lanes = [_pictures(connection, wanted)]
    found = list(islice(_distinct(heapq.merge(*lanes, reverse=True)), wanted.limit))
    return found, found[-1] if len(found) == wanted.limit else None


def results_at(connection: Connection, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Return results by their numbers as the API shows them, in this order; of forgotten ones only what they were."""
    rows = {row.number: row for row in connection.execute(select(results).where(results.c.number.in_(numbers)))}
    return [_shown(rows[number]) for number in numbers if number in rows]


def cameras_of(connection: Connection, column: Column[str] = minutes.c.camera) -> list[str]:
    """Return the cameras of which there are results (visits, by their column), by one look into the index for each."""
    found: list[str] = []
    while True:
        after = column > (found[-1] if found else "")
        camera = connection.execute(select(column).where(after).order_by(column).limit(1)).scalar()
        if camera is None:
            return found
        found.append(camera)


def gaps_between(connection: Connection, since: float, until: float) -> list[dict[str, Any]]:
    """Return what is missing between two times, newest first."""
    asked = select(gaps.c.since, gaps.c.till, gaps.c.lost, gaps.c.why).where(gaps.c.till >= since, gaps.c.since <= until)
    return [dict(row) for row in connection.execute(asked.order_by(gaps.c.till.desc()).limit(MOST_GAPS)).mappings()]


def _pictures(connection: Connection, wanted: Wanted) -> list[Place]:
    """Return results of pictures, whatever was seen there."""
    at, number = results.c.captured_at, results.c.number
    here = [results.c.camera == wanted.camera] if wanted.camera else []
    asked = select(at, number).where(_between(at, number, wanted), results.c.operation == str(Operation.DETECT_FACES), *here)
    rows = connection.execute(asked.order_by(at.desc(), number.desc()).limit(wanted.limit))
    return [Place(*row) for row in rows]


def _with_faces(connection: Connection, wanted: Wanted, camera: str) -> list[Place]:
    """Return results of a camera with a face in it that counts, of the emotion that is asked for."""
    at, number = faces.c.at, faces.c.result
    like = [faces.c.emotion == wanted.emotion] if wanted.emotion else []
    asked = select(at, number).where(faces.c.camera == camera, *like, _between(at, number, wanted))
    asked = asked.group_by(at, number).order_by(at.desc(), number.desc()).limit(wanted.limit)
    return [Place(*row) for row in connection.execute(asked)]


def _of_person(
    connection: Connection, wanted: Wanted, person: str, may_name: Callable[[str], bool]
) -> tuple[list[Place], Place | None]:
    """Walk a person's tracks at cameras that name people, from the last on, until what is found is newer than what is left."""
    found: list[Place] = []
    looked = 0
    asked = select(tracks.c.track, tracks.c.camera, tracks.c.until, tracks.c.faces).where(
        tracks.c.person == person,
        tracks.c.until >= wanted.since,
        tracks.c.since <= wanted.before.at,
        *([tracks.c.camera == wanted.camera] if wanted.camera else []),
    )
    for track, camera, until, size in connection.execute(asked.order_by(tracks.c.until.desc())):
        if not may_name(camera):
            continue
        if len(found) == wanted.limit and until < found[-1].at:
            return found, found[-1]
        is_older = (
            until < wanted.before.at
        )  # the others overlap the place from which this page goes on: it has to get past them
        if is_older and looked > MOST_FACES:
            here = Place(until, _END)
            return [place for place in found if place > here], here
        newer = _of_track(connection, wanted, track)
        found = list(islice(_distinct(heapq.merge(found, newer, reverse=True)), wanted.limit))
        looked += _COST_OF_TRACK + (size if wanted.emotion else min(size, wanted.limit)) if is_older else 0
    return found, found[-1] if len(found) == wanted.limit else None


def _of_track(connection: Connection, wanted: Wanted, track: str) -> list[Place]:
    at, number = faces.c.at, faces.c.result
    like = [faces.c.emotion == wanted.emotion] if wanted.emotion else []
    asked = select(at, number).where(faces.c.track == track, *like, _between(at, number, wanted))
    asked = asked.group_by(at, number).order_by(at.desc(), number.desc()).limit(wanted.limit)
    return [Place(*row) for row in connection.execute(asked)]


def _between(at: ColumnElement[float], number: ColumnElement[int], wanted: Wanted) -> ColumnElement[bool]:
    before = wanted.before
    return and_(at >= wanted.since, at <= before.at, or_(at < before.at, number < before.number))


def _distinct(places: Iterable[Place]) -> Iterator[Place]:
    last = None
    for place in places:
        if place != last:
            yield place
        last = place


def _shown(row: Any) -> dict[str, Any]:
    if row.response is not None:
        return {**unpacked(row.response), "number": row.number}
    return {
        "id": row.id,
        "number": row.number,
        "camera": row.camera,
        "captured_at": row.captured_at,
        "published_at": row.published_at,
        "operation": row.operation,
        "provider": row.provider,
        "FaceDetails": [],
        "forgotten": True,
    }


# --- what is asked, and whether that can be used ---


def a_text(told: Mapping[str, Any], member: str) -> str:
    """Return a member that is a text, '' where there is none; raises SettingsError."""
    value = told.get(member)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise SettingsError(f"{member} {str(value)[:40]!r}: write a text")
    check_texts(value, member)
    return value


def a_time(told: Mapping[str, Any], member: str, default: float) -> float:
    """Return a member that is a time in seconds since 1970; raises SettingsError."""
    value = told.get(member)
    if value is None:
        return default
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value) or not 0 <= value <= _END:
        raise SettingsError(f"{member} {str(value)[:40]!r}: write seconds since 1970")
    return float(value)


def an_emotion(told: Mapping[str, Any]) -> str:
    """Return the emotion that is asked for as Rekognition calls it, '' for any; raises SettingsError."""
    text = a_text(told, "emotion")
    if text and text.lower() not in EMOTIONS:
        raise SettingsError(f"emotion {text[:40]!r}: write one of {', '.join(EMOTIONS)}")
    return text.upper()


def _limit(told: Mapping[str, Any]) -> int:
    limit = told.get("limit", USUAL)
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MOST:
        raise SettingsError(f"limit {str(limit)[:40]!r}: write a number from 1 to {MOST}")
    return limit


def _place(text: str) -> Place:
    """Return the place that `next` of an answer names."""
    at, _, number = text.partition(":")
    try:
        place = Place(float(at), int(number)) if text else Place(float(_END), _END)
    except ValueError:
        place = Place(math.nan, 0)
    if not (0 <= place.at <= _END and 0 <= place.number <= _END):
        raise SettingsError(f"before {text[:40]!r}: send what `next` of the last answer says")
    return place
