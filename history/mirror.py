"""A copy of what the people process knows: who people are, their visits and alerts, and whose each track is.

people.sqlite ──changes, in order──> one transaction a batch: rows as they are now, and the number reached ──> database

The same change may be taken twice, so whatever dies meanwhile costs nothing. People away is no fault: what changed waits there.
What is gone because people.sqlite keeps it no longer stays here for as long as the history is kept; what was undone (a visit
that was part of another, a name that was wrong) goes here, too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Double,
    Index,
    Integer,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from history.database import insert_new
from history.house import House, Recorder
from history.schema import METADATA, Number, tracks
from pipeline.chores import Chore
from pipeline.errors import PeopleAway
from pipeline.requests import PEOPLE, Requests

log = logging.getLogger(__name__)

FOLLOW_SECONDS = 1.0
BATCH = 500
_ME = "the history"

people = Table(
    "people",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("added", Double, nullable=False),
    sqlite_with_rowid=False,
)
"""Who is known now. Other tables name people by id only; names are joined when they are read."""

visits = Table(
    "visits",
    METADATA,
    Column("id", Number, primary_key=True, autoincrement=False),
    Column("camera", Text, nullable=False),
    Column("person", Text),
    Column("unknown", Text),
    Column("similarity", Double, nullable=False),
    Column("began", Double, nullable=False),
    Column("ended", Double, nullable=False),
    Column("is_open", Integer, nullable=False),
    Index("visits_by_time", "ended", "began"),
    Index("visits_of_camera", "camera", "ended", "began"),
    Index("visits_of_person", "person", "ended", "began", "camera"),
)
"""The visits of people.sqlite: `person` is an id, `unknown` a group of unknown faces (u_12), both NULL where neither is."""

alerts = Table(
    "alerts",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("watch", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("camera", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("visit", Text, nullable=False),
    Column("track", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("captured_at", Double, nullable=False),
    Column("at", Double, nullable=False),
    Column("what", Text, nullable=False),
    Column("verdict", Text),
    Index("alerts_by_time", "at"),
    Index("alerts_of_person", "person"),
    sqlite_with_rowid=False,
)
"""The alerts of people.sqlite; `person` is '' where nobody known was the cause, `what` is JSON."""

mirror = Table(
    "mirror",
    METADATA,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("source", Text, nullable=False),
    Column("number", Number, nullable=False),
    Column("whole_at", Number, nullable=False),
)
"""One row: which people.sqlite is followed, the last change that was taken, and that with which everything is here."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far a people.sqlite was followed; from the change `whole_at` on nothing is missing."""

    source: str = ""
    number: int = 0
    whole_at: int = 0

    def goes_on_with(self, told: Mapping[str, Any]) -> bool:
        """Say whether an answer continues here: the same file, no backup of it, and nothing that is gone was missed."""
        last, pruned = int(told["last"]), int(told["pruned"])
        return self.source == told["source"] and self.number <= last and max(self.number, self.whole_at) >= pruned


class Mirror(Recorder):
    """Follows people.sqlite by asking the people process what changed."""

    ages: ClassVar[tuple[ColumnElement[float], ...]] = (visits.c.ended, alerts.c.at)

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self._people = Requests(house.broker, PEOPLE)
        self._forgotten = 0
        self.before: list[Callable[[], None]] = []
        """What is to be done once before the first change is taken over, which may take names away; may raise PeopleAway."""

    def chores(self) -> Sequence[Chore]:
        """Return what takes over the changes, about each second."""
        return (Chore("mirror", FOLLOW_SECONDS, self.follow),)

    def follow(self) -> None:
        """Take over everything that changed up to now; nothing while the people process is away."""
        try:
            while self.before:
                self.before[0]()
                self.before.pop(0)
            while self._take():
                pass
        except PeopleAway as error:
            log.debug("people: %s", error)

    def export(self, connection: Connection, person: str) -> Mapping[str, Any]:
        """Return a person's visits and alerts, also those that are too old for people.sqlite, and when they were followed."""
        asked = {
            "visits": select(visits).where(visits.c.person == person).order_by(visits.c.ended),
            "alerts": select(alerts).where(alerts.c.person == person).order_by(alerts.c.at),
            "tracks": select(tracks).where(tracks.c.person == person).order_by(tracks.c.until),
        }
        return {what: [dict(row) for row in connection.execute(rows).mappings()] for what, rows in asked.items()}

    def forget(self, connection: Connection, person: str, tracks: Sequence[str]) -> Mapping[str, int]:  # noqa: ARG002
        """Remove a person's name, visits and alerts."""
        self._forgotten += 1  # what is being asked for now was answered before this
        return {
            what: connection.execute(delete(table).where(column == person)).rowcount for what, table, column in _OF_A_PERSON
        }

    def remaining(self, connection: Connection, person: str, tracks: Sequence[str]) -> Mapping[str, int]:  # noqa: ARG002
        """Count what `forget` removes."""
        return {what: len(connection.execute(select(column).where(column == person)).all()) for what, _, column in _OF_A_PERSON}

    def erase(self, connection: Connection, camera: str, since: float, until: float) -> Mapping[str, int]:
        """Remove alerts and visits of a camera between two times; of a longer visit the part before stays, or else that after.

        The people process does the same (`history/people_desk.py`), and tells both parts then.
        """
        during = and_(visits.c.camera == camera, visits.c.ended > since, visits.c.began < until)
        inside = and_(during, visits.c.began >= since, visits.c.ended <= until)
        of_alerts = and_(alerts.c.camera == camera, alerts.c.captured_at >= since, alerts.c.captured_at < until)
        removed = {
            "visits": connection.execute(delete(visits).where(inside)).rowcount,
            "alerts": connection.execute(delete(alerts).where(of_alerts)).rowcount,
        }
        came_before = update(visits).where(during, visits.c.began < since).values(ended=since, is_open=0)
        connection.execute(came_before)
        connection.execute(update(visits).where(during).values(began=until))
        return removed

    def _take(self) -> bool:
        """Take over one batch of changes; say whether there are more."""
        forgotten = self._forgotten
        with self.house.database.reading() as connection:
            place = _place(connection)
        told = self._people.ask("people.changes", {"after": place.number, "limit": BATCH}, _ME)
        if not place.goes_on_with(told):
            self._begin_anew(place, told)
            return True
        changes = told["changes"]
        if not changes:
            return False
        with self.house.database.writing() as connection:
            if self._forgotten != forgotten or _place(connection) != place:
                return True
            _apply(connection, told, self._oldest())
            _keep(connection, Place(place.source, changes[-1]["number"], place.whole_at))
        return len(changes) == BATCH

    def _begin_anew(self, place: Place, told: Mapping[str, Any]) -> None:
        """Follow from the first change on: drop what is another file's, or what this one keeps and tells again."""
        is_same = place.source == told["source"]
        if place.source:
            why = "changes were missed, or it was put back from a backup" if is_same else "it is another people.sqlite"
            log.warning("visits, alerts and names are taken over anew from the people process: %s", why)
        now = self.house.clock.now()
        with self.house.database.writing() as connection:
            _drop_since(
                connection, now - told["visit_seconds"] if is_same else 0.0, now - told["alert_seconds"] if is_same else 0.0
            )
            connection.execute(delete(people))
            _keep(connection, Place(told["source"], 0, told["last"]))

    def _oldest(self) -> float:
        """Return from when on something is kept."""
        keep = self.house.settings.keep
        return self.house.clock.now() - keep if keep else 0.0


def is_whole(connection: Connection) -> bool:
    """Say whether all that a people.sqlite knew when it was first followed is here."""
    place = _place(connection)
    return bool(place.source) and place.number >= place.whole_at


def _place(connection: Connection) -> Place:
    found = connection.execute(select(mirror.c.source, mirror.c.number, mirror.c.whole_at)).one_or_none()
    return Place(*found) if found else Place()


def _keep(connection: Connection, place: Place) -> None:
    connection.execute(delete(mirror))
    row = {"one": 1, "source": place.source, "number": place.number, "whole_at": place.whole_at}
    connection.execute(insert(mirror), [row])


def _drop_since(connection: Connection, visits_since: float, alerts_since: float) -> None:
    """Drop what is to be asked for again."""
    connection.execute(delete(visits).where(visits.c.ended >= visits_since))
    connection.execute(delete(alerts).where(alerts.c.at >= alerts_since))
    named = and_(tracks.c.person.isnot(None), tracks.c.until >= visits_since)
    connection.execute(update(tracks).where(named).values(person=None))


def _apply(connection: Connection, told: Mapping[str, Any], oldest: float) -> None:
    """Let rows be as the changes say."""
    rows: dict[str, list[dict[str, Any]]] = {"people": [], "visit": [], "track": [], "alert": []}
    gone: dict[str, list[tuple[str, float]]] = {"people": [], "visit": [], "track": [], "alert": []}
    for change in told["changes"]:
        if change["kind"] == "people":
            rows["people"] = change["row"]
            connection.execute(delete(people))
        elif change["kind"] in rows and change["row"] is not None:
            rows[change["kind"]].append(change["row"])
        elif change["kind"] in gone:
            gone[change["kind"]].append((change["id"], change["at"]))
    if rows["people"]:
        connection.execute(insert(people), rows["people"])
    _put_visits(connection, [row for row in rows["visit"] if row["ended"] >= oldest])
    _put_alerts(connection, [row for row in rows["alert"] if row["at"] >= oldest])
    _put_tracks(connection, rows["track"], oldest)
    _drop_undone(connection, gone, told["visit_seconds"], told["alert_seconds"])


def _put_visits(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    connection.execute(delete(visits).where(visits.c.id.in_([row["id"] for row in rows])))
    if rows:
        connection.execute(insert(visits), [{**row, "is_open": int(row["is_open"])} for row in rows])


def _put_alerts(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    connection.execute(delete(alerts).where(alerts.c.id.in_([row["id"] for row in rows])))
    if rows:
        connection.execute(insert(alerts), [dict(row) for row in rows])


def _put_tracks(connection: Connection, rows: Sequence[Mapping[str, Any]], oldest: float) -> None:
    """Let tracks be whose they are; one whose faces are still to be written has a row at once if it is somebody's."""
    named = [row for row in rows if row["person"] is not None and row["ended"] >= oldest]
    new = [
        {"track": row["track"], "camera": row["camera"], "since": row["began"], "until": row["ended"], "faces": 0}
        for row in named
    ]
    insert_new(connection, tracks, new)
    if rows:
        change = update(tracks).where(tracks.c.track == bindparam("its")).values(person=bindparam("whose"))
        connection.execute(change, [{"its": row["track"], "whose": row["person"]} for row in rows])


def _drop_undone(
    connection: Connection, gone: Mapping[str, Sequence[tuple[str, float]]], visit_seconds: float, alert_seconds: float
) -> None:
    """Drop what is gone, unless it was because people.sqlite keeps nothing so old."""
    for name, at in gone["visit"]:
        connection.execute(delete(visits).where(visits.c.id == int(name), visits.c.ended >= at - visit_seconds))
    for name, at in gone["alert"]:
        connection.execute(delete(alerts).where(alerts.c.id == name, alerts.c.at >= at - alert_seconds))
    for name, at in gone["track"]:
        theirs = and_(tracks.c.track == name, tracks.c.until >= at - visit_seconds, tracks.c.person.isnot(None))
        connection.execute(update(tracks).where(theirs).values(person=None))


_OF_A_PERSON = (("names", people, people.c.id), ("visits", visits, visits.c.person), ("alerts", alerts, alerts.c.person))
