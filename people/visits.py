"""Visits: one stay of one identity at one camera, however many tracks it had; the same whatever order results come in.

A track is a span of time at a camera with an identity, which may change; visits are what lies near each other:

    tracks of Grace   ├─17─┤  ├──19──┤                 ├─23─┤
    visits of Grace   ├────── 1 ─────┤  (visit_gap)    ├─ 2 ┤
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from people.database import Database

TABLES = (
    """CREATE TABLE IF NOT EXISTS visits (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        camera TEXT NOT NULL,
        identity TEXT NOT NULL,
        similarity REAL NOT NULL,
        began REAL NOT NULL,
        ended REAL NOT NULL,
        is_searched INTEGER NOT NULL,
        is_open INTEGER NOT NULL
    ) STRICT""",
    "CREATE INDEX IF NOT EXISTS visits_by_identity ON visits (identity, camera, ended)",
    "CREATE INDEX IF NOT EXISTS visits_by_end ON visits (ended)",
    "CREATE INDEX IF NOT EXISTS visits_open ON visits (is_open) WHERE is_open",
    """CREATE TABLE IF NOT EXISTS tracks (
        track TEXT PRIMARY KEY,
        camera TEXT NOT NULL,
        began REAL NOT NULL,
        ended REAL NOT NULL,
        identity TEXT NOT NULL,
        similarity REAL NOT NULL,
        is_searched INTEGER NOT NULL,
        is_said INTEGER NOT NULL,
        visit INTEGER
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS tracks_by_visit ON tracks (visit)",
    "CREATE INDEX IF NOT EXISTS tracks_by_identity ON tracks (identity)",
    "CREATE INDEX IF NOT EXISTS tracks_by_end ON tracks (ended)",
)

LATE_SECONDS = 2.0  # how much later than its picture a result may come without its visit being over before

_PERSON, _UNKNOWN, _TRACK = "p:", "u_", "t:"
_VISIT = "SELECT id, camera, identity, similarity, began, ended, is_searched, is_open FROM visits"
_STAY = "SELECT track, camera, began, ended, identity, similarity, is_searched, is_said, visit FROM tracks"


def of_person(person: str) -> str:
    """Return the identity of somebody who is known."""
    return f"{_PERSON}{person}"


def of_unknown(group: int) -> str:
    """Return the identity of an unknown person who was grouped, which is the group's id in the API, too: u_12."""
    return f"{_UNKNOWN}{group}"


def of_track(track: str) -> str:
    """Return the identity of a track of which nothing else is known."""
    return f"{_TRACK}{track}"


def person_in(identity: str) -> str | None:
    """Return the person that an identity is, None for unknown ones."""
    return identity.removeprefix(_PERSON) if identity.startswith(_PERSON) else None


def unknown_in(identity: str) -> str | None:
    """Return the group of unknown visits that an identity is, such as u_12; None for people and for single tracks."""
    return identity if identity.startswith(_UNKNOWN) else None


def group_number(group: str) -> int:
    """Return the number of the group u_12: 12."""
    return int(group.removeprefix(_UNKNOWN))


@dataclass(frozen=True, slots=True)
class Stay:
    """One track's: when it was seen first and last (seconds since 1970), who it is, and the visit that it belongs to.

    `is_searched` is true once a search for it was answered, or needs none as nobody is known: who has no name then is unknown.
    `is_said` is true where a person and not a search said who it is.
    """

    track: str
    camera: str
    began: float
    ended: float
    identity: str
    similarity: float = 0.0
    is_searched: bool = False
    is_said: bool = False
    visit: int | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """One stay of one identity at one camera; `similarity` is the best of its tracks, in percent, 0 where nobody is named.

    `is_searched` is true once one of its tracks was: without a person it is somebody unknown then, and not somebody of whom
    nothing is known yet. `is_open` is true while it may go on.
    """

    id: int
    camera: str
    identity: str
    similarity: float
    began: float
    ended: float
    is_searched: bool
    is_open: bool

    @property
    def person(self) -> str | None:
        """The id of the person, None for unknown ones."""
        return person_in(self.identity)

    @property
    def unknown(self) -> str | None:
        """The group of unknown visits, such as u_12; None for people and where nothing is known."""
        return unknown_in(self.identity)


@dataclass(frozen=True, slots=True)
class Cause:
    """What let visits change: the track, and the result that was heard; '' where it was no result."""

    track: str = ""
    result: str = ""
    captured_at: float = 0.0


@dataclass(frozen=True, slots=True)
class VisitChange:
    """What happened to a visit.

    began; changed (another identity, a better similarity, or it was searched); ended; gone (it was part of another, or its
    tracks are another's); rejected (somebody said that it is not `person`). `name` is that of the visit's person, if any.
    """

    kind: Literal["began", "changed", "ended", "gone", "rejected"]
    visit: Visit
    person: str | None = None
    name: str = ""
    cause: Cause = Cause()


Listener = Callable[[VisitChange], None]


class Visits:
    """Keeps tracks and visits in `database`, and tells `tell` of each change; every method belongs inside a transaction.

    `gap` says for how many seconds somebody may be out of sight of a camera within one visit.
    """

    def __init__(self, database: Database, gap: Callable[[str], float], tell: Listener) -> None:
        self._database = database
        self._gap = gap
        self._listener = tell
        self.cause = Cause()
        """Of what is told from now on."""

    def saw(self, track: str, camera: str, began: float, ended: float, known: Stay | None) -> Stay:
        """Note that a track was seen between two times, and return its whole stay; `known` is what `stay` says of it."""
        if known is None:
            return self._place(Stay(track, camera, began, ended, of_track(track)))
        longer = replace(known, began=min(began, known.began), ended=max(ended, known.ended))
        return known if longer == known else self._place(longer)

    def identify(self, stay: Stay, identity: str, similarity: float = 0.0, *, is_said: bool = False) -> Stay:
        """Let a track be somebody else, or the same more surely: a search was answered, or somebody said it."""
        known = replace(stay, identity=identity, similarity=similarity, is_said=is_said, is_searched=True)
        return stay if known == stay else self._place(known)

    def retire(self, stay: Stay) -> None:
        """Call a stay of long ago otherwise, as another track has its number now."""
        self._database.execute("UPDATE tracks SET track = ? WHERE track = ?", f"{stay.track}~{stay.ended:.0f}", stay.track)

    def group(self, stay: Stay, identity: str) -> Stay:
        """Let a track belong to an unknown group, searched or not."""
        return self._place(replace(stay, identity=identity, similarity=0.0))

    def stay(self, track: str) -> Stay | None:
        """Return what is known of a track."""
        found = self._stays("WHERE track = ?", track)
        return found[0] if found else None

    def stays_of(self, identity: str, since: float = 0.0) -> list[Stay]:
        """Return the tracks that are somebody and were seen since a time."""
        return self._stays("WHERE identity = ? AND ended >= ?", identity, since)

    def number_of(self, identity: str) -> int:
        """Return how many visits somebody made."""
        return int(self._database.rows("SELECT COUNT(*) FROM visits WHERE identity = ?", identity)[0][0])

    def seen_since(self, since: float) -> list[str]:
        """Return the tracks that were seen since a time."""
        return [track for (track,) in self._database.rows("SELECT track FROM tracks WHERE ended >= ?", since)]

    def visit(self, number: int) -> Visit | None:
        """Return one visit."""
        found = self._visits("WHERE id = ?", number)
        return found[0] if found else None

    def newest(self, limit: int, camera: str | None = None, identity: str | None = None) -> list[Visit]:
        """Return the visits that were over last, or are not over, newest first; of one camera or identity if that is said."""
        where = "WHERE (?1 IS NULL OR camera = ?1) AND (?2 IS NULL OR identity = ?2) ORDER BY ended DESC, id DESC LIMIT ?3"
        return [_visit(*row) for row in self._database.rows(f"{_VISIT} {where}", camera, identity, limit)]

    def tracks_of(self, visits: Iterable[int]) -> dict[int, list[str]]:
        """Return the tracks of visits by their numbers, in the order in which they were seen."""
        return {number: [stay.track for stay in self._stays("WHERE visit = ?", number)] for number in visits}

    def end(self, now: float) -> list[Visit]:
        """End the visits of those who were not seen for too long, and return them as they are now."""
        open_ones = self._visits("WHERE is_open AND ended < ?", now - LATE_SECONDS)
        over = [visit for visit in open_ones if visit.ended < now - LATE_SECONDS - self._gap(visit.camera)]
        for visit in over:
            self._write(replace(visit, is_open=False), "ended")
        return over

    def drop(self, visit: Visit) -> None:
        """Let a visit not have been one."""
        self._database.execute("DELETE FROM tracks WHERE visit = ?", visit.id)
        self._remove(visit)

    def forget(self, identity: str) -> int:
        """Delete somebody's tracks and visits, and return how many visits those were."""
        self._database.execute("DELETE FROM tracks WHERE identity = ?", identity)
        return self._database.execute("DELETE FROM visits WHERE identity = ?", identity).rowcount

    def cut_out(self, camera: str, since: float, until: float) -> tuple[dict[str, bool], int]:
        """Let nobody have been at a camera between two times: who came before or stayed on keeps that part of the visit.

        Returns the tracks that were seen then, and whether anything is left of them; how many visits are shorter, or gone.
        """
        seen = self._stays("WHERE camera = ? AND began < ? AND ended > ?", camera, until, since)
        left = {stay.track: self._keep_around(stay, since, until) for stay in seen}
        changed = [visit for number in {stay.visit for stay in seen} if number and (visit := self.visit(number))]
        for visit in changed:
            if parts := self._stays("WHERE visit = ?", visit.id):
                self._divide(visit, parts)
            else:
                self._remove(visit)
        return left, len(changed)

    def expire(self, before: float) -> None:
        """Delete the visits that ended before a time, and their tracks."""
        self._database.execute("DELETE FROM tracks WHERE visit IN (SELECT id FROM visits WHERE ended < ?)", before)
        self._database.execute("DELETE FROM visits WHERE ended < ?", before)

    def _place(self, stay: Stay) -> Stay:
        """Put a stay into the visit in which it belongs: its own, one nearby, all of those that it joins, or a new one."""
        own = None if stay.visit is None else self.visit(stay.visit)
        near = self._near(stay)
        known = {visit.id: visit for visit in (*near, *([own] if own else []))}
        if own is not None and own.identity != stay.identity:
            own = self._leave(own, stay, takes_it_along=not near)
        first, *others = sorted({visit.id for visit in (*near, *([own] if own else []))}) or [self._begin(stay)]
        placed = replace(stay, visit=first)
        self._keep(placed)
        if first in known:
            self._join(placed, known[first], [known[number] for number in others])
        return placed

    def _near(self, stay: Stay) -> list[Visit]:
        gap, where = self._gap(stay.camera), "WHERE identity = ? AND camera = ? AND ended >= ? AND began <= ?"
        return self._visits(where, stay.identity, stay.camera, stay.began - gap, stay.ended + gap)

    def _leave(self, visit: Visit, stay: Stay, *, takes_it_along: bool) -> Visit | None:
        """Take a stay out of a visit of another identity; alone in it, it may take the visit along, which is then returned."""
        others = [other for other in self._stays("WHERE visit = ?", visit.id) if other.track != stay.track]
        if others:
            self._divide(visit, others)
        elif takes_it_along:
            return visit
        else:
            self._remove(visit)
        return None

    def _divide(self, visit: Visit, stays: Sequence[Stay]) -> None:
        """Let a visit be what is left of it, or several, where nothing joins the parts any more."""
        first, *others = _clusters(stays, self._gap(visit.camera))
        self._write(_as_long_as(_hull(first), visit), "changed")
        for cluster in others:
            number = self._begin(_hull(cluster), "changed", is_open=visit.is_open)
            for stay in cluster:
                self._keep(replace(stay, visit=number))

    def _keep_around(self, stay: Stay, since: float, until: float) -> bool:
        """Keep of a stay what was before and after; with both, the first part is called otherwise. Say whether any is left."""
        self._database.execute("DELETE FROM tracks WHERE track = ?", stay.track)
        before, after = stay.began < since, stay.ended > until
        if before:
            self._keep(replace(stay, track=f"{stay.track}~{since:.0f}" if after else stay.track, ended=since))
        if after:
            self._keep(replace(stay, began=until))
        return before or after

    def _join(self, stay: Stay, first: Visit, others: Sequence[Visit]) -> None:
        """Make one visit, the first, of a stay that is in it already, and of others."""
        for other in others:
            self._database.execute("UPDATE tracks SET visit = ? WHERE visit = ?", first.id, other.id)
            self._remove(other)
        query = "SELECT MAX(similarity), MAX(is_searched) FROM tracks WHERE visit = ?"
        ((similarity, is_searched),) = self._database.rows(query, first.id)
        visits = (first, *others)
        joined = replace(
            first,
            identity=stay.identity,
            similarity=similarity,
            began=min(stay.began, *(visit.began for visit in visits)),
            ended=max(stay.ended, *(visit.ended for visit in visits)),
            is_searched=bool(is_searched),
            is_open=any(visit.is_open for visit in visits) or stay.ended > first.ended,
        )
        is_news = any(getattr(first, name) != getattr(joined, name) for name in ("identity", "similarity", "is_searched"))
        self._write(joined, "changed" if is_news else None)

    def _begin(self, stay: Stay, kind: Literal["began", "changed"] = "began", *, is_open: bool = True) -> int:
        about = (stay.camera, stay.identity, stay.similarity, stay.began, stay.ended)
        query = "INSERT INTO visits VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)"
        number = self._database.execute(query, *about, int(stay.is_searched), int(is_open)).lastrowid or 0
        self._tell(kind, Visit(number, *about, stay.is_searched, is_open))
        return number

    def _write(self, visit: Visit, kind: Literal["changed", "ended"] | None) -> None:
        query = (
            "UPDATE visits SET identity = ?, similarity = ?, began = ?, ended = ?, is_searched = ?, is_open = ? WHERE id = ?"
        )
        about = (visit.identity, visit.similarity, visit.began, visit.ended)
        self._database.execute(query, *about, int(visit.is_searched), int(visit.is_open), visit.id)
        if kind is not None:
            self._tell(kind, visit)

    def _remove(self, visit: Visit) -> None:
        self._database.execute("DELETE FROM visits WHERE id = ?", visit.id)
        self._tell("gone", visit)

    def _tell(self, kind: Literal["began", "changed", "ended", "gone"], visit: Visit) -> None:
        self._listener(VisitChange(kind, visit, cause=self.cause))

    def _keep(self, stay: Stay) -> None:
        self._database.execute(
            "INSERT OR REPLACE INTO tracks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(stay.track, stay.camera, stay.began, stay.ended, stay.identity, stay.similarity),
            *(int(stay.is_searched), int(stay.is_said), stay.visit),
        )

    def _visits(self, where: str, *values: str | float) -> list[Visit]:
        rows = self._database.rows(f"{_VISIT} {where} ORDER BY id", *values)
        return [_visit(*row) for row in rows]

    def _stays(self, where: str, *values: str | float) -> list[Stay]:
        rows = self._database.rows(f"{_STAY} {where} ORDER BY began", *values)
        return [_stay(*row) for row in rows]


def _visit(number: int, camera: str, identity: str, similarity: float, began: float, ended: float, *rest: int) -> Visit:
    """Return a row of the visits as what it is."""
    is_searched, is_open = map(bool, rest)
    return Visit(number, camera, identity, similarity, began, ended, is_searched, is_open)


def _stay(track: str, camera: str, began: float, ended: float, identity: str, similarity: float, *rest: int | None) -> Stay:
    """Return a row of the tracks as what it is."""
    is_searched, is_said, visit = rest
    return Stay(track, camera, began, ended, identity, similarity, bool(is_searched), bool(is_said), visit)


def _clusters(stays: Iterable[Stay], gap: float) -> list[list[Stay]]:
    """Return the stays that are joined by gaps of at most `gap`, in the order of time."""
    clusters: list[list[Stay]] = []
    end = 0.0
    for stay in sorted(stays, key=lambda stay: (stay.began, stay.track)):
        if clusters and stay.began <= end + gap:
            clusters[-1].append(stay)
        else:
            clusters.append([stay])
        end = max(end, stay.ended)
    return clusters


def _as_long_as(stay: Stay, visit: Visit) -> Visit:
    return replace(visit, similarity=stay.similarity, began=stay.began, ended=stay.ended, is_searched=stay.is_searched)


def _hull(stays: Sequence[Stay]) -> Stay:
    """Return one stay that lasts as long as all of these."""
    return replace(
        stays[0],
        began=min(stay.began for stay in stays),
        ended=max(stay.ended for stay in stays),
        similarity=max(stay.similarity for stay in stays),
        is_searched=any(stay.is_searched for stay in stays),
    )
