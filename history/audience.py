"""The audience: takes notice of every face that counts, and answers how many there are, how long, how amused; of nobody who.

Whatever a face tells is written in the transaction that writes its results, by what changed through them: stays and laughs as
they are now, sums of minutes by the difference. So nothing is lost or counted twice, whatever dies meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Connection, Table, and_, delete, func, insert, select, update

from history.audience_tables import COUNTS, SECONDS, STEPS, audience, laughs, states, stays
from history.audience_views import NOW, audience_between, now_of, span_of
from history.database import add_up
from history.house import House, Recorder
from history.laughs import Laugh, Laughing
from history.looks import Look, looks_of
from history.search import a_text
from history.stays import MINUTE, Minutes, Stay, Told, age_of, difference, emotion_of, gender_of
from pipeline.answering import Answer
from pipeline.chores import Chore
from pipeline.entities import Result
from pipeline.errors import RekstreamError
from pipeline.requests import Request

STATE_SECONDS = 900.0
"""Longer than results are kept in Redis: nothing of a track comes so long after its last."""

_AT_ONCE = 500
_PREFIX = "rekstream_audience_"
_EMPTY = {**dict.fromkeys(COUNTS, 0), **dict.fromkeys(SECONDS, 0.0)}


class Audience(Recorder):
    """Writes stays, laughs and sums, and answers history.audience."""

    ages = (stays.c.until, laughs.c.start, audience.c.at)

    def __init__(self, house: House) -> None:
        super().__init__(house)
        house.registry.register(AudienceCollector(self._now))

    def answers(self) -> Mapping[str, Answer]:
        """Answer what the audience was and is."""
        return {"history.audience": self._audience}

    def hear(self, connection: Connection, results: Sequence[Result]) -> None:
        """Take notice of faces."""
        seen, at = looks_of(results), max(result.published_at for result in results)
        tracks = list(seen)
        for first in range(0, len(tracks), _AT_ONCE):
            _write(connection, {track: seen[track] for track in tracks[first : first + _AT_ONCE]}, at)

    def forget(self, connection: Connection, person: str, tracks: Sequence[str]) -> Mapping[str, int]:  # noqa: ARG002
        """Remove the stays and laughs of these tracks; what they added to sums stays, which tell of nobody."""
        return {"stays": _delete(connection, stays, tracks), "laughs": _delete(connection, laughs, tracks)} | {
            "stays under way": _delete(connection, states, tracks)
        }

    def remaining(self, connection: Connection, person: str, tracks: Sequence[str]) -> Mapping[str, int]:  # noqa: ARG002
        """Look for stays and laughs of these tracks."""
        words = {"stays": stays, "laughs": laughs, "stays under way": states}
        return {word: _count(connection, table, tracks) for word, table in words.items()}

    def erase(self, connection: Connection, camera: str, since: float, until: float) -> Mapping[str, int]:
        """Remove stays, laughs and sums: those of whole minutes."""
        of_stays = and_(stays.c.camera == camera, stays.c.since < until, stays.c.until >= since)
        gone = select(stays.c.track).where(of_stays).scalar_subquery()
        connection.execute(delete(states).where(states.c.track.in_(gone)))
        began = and_(laughs.c.camera == camera, laughs.c.start >= since, laughs.c.start < until)
        removed = {
            "laughs": connection.execute(delete(laughs).where(began)).rowcount,
            "stays": connection.execute(delete(stays).where(of_stays)).rowcount,
        }
        _take_away_sums(connection, camera, since, until)
        return removed

    def chores(self) -> Sequence[Chore]:
        """Drop what is known of tracks that are over."""
        return (Chore("audience", 60.0, self._drop_states),)

    def _audience(self, request: Request) -> Mapping[str, Any]:
        now = self.house.clock.now()
        since, until = span_of(request.members, now)
        camera = a_text(request.members, "camera") or None
        cameras = (camera,) if camera else ()
        with self.house.database.reading() as connection:
            told = audience_between(connection, since, until, cameras) | now_of(connection, now, cameras)
        return {**told, "camera": camera}

    def _now(self) -> Sequence[Mapping[str, Any]]:
        """Return what each camera sees now; nothing while the database cannot be asked."""
        if not self.house.may_serve():
            return ()
        with suppress(RekstreamError), self.house.database.reading() as connection:
            found: Sequence[Mapping[str, Any]] = now_of(connection, self.house.clock.now())["cameras"]
            return found
        return ()

    def _drop_states(self) -> None:
        before = self.house.clock.now() - STATE_SECONDS
        with self.house.database.writing() as connection:
            connection.execute(delete(states).where(states.c.at < before))


class AudienceCollector(Collector):
    """What /metrics tells of the audience; `now` returns the figures of each camera that saw somebody in the last minute."""

    def __init__(self, now: Callable[[], Sequence[Mapping[str, Any]]]) -> None:
        self._now = now

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Return what there is, without a figure."""
        return [GaugeMetricFamily(f"{_PREFIX}{name}", said, labels=["camera"]) for name, said in NOW.items()]

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return the figures of this moment."""
        families = list(self.describe())
        for about in self._now():
            for family in families:
                value = about[family.name.removeprefix(_PREFIX)]
                if value is not None:
                    family.add_metric([about["camera"]], value)
        return families


def _write(connection: Connection, seen: Mapping[str, tuple[str, Sequence[Look]]], at: float) -> None:
    """Write what the looks of some tracks change, in results that came out up to `at`."""
    known = _stays(connection, seen)
    laughed = _laughed(connection, seen.keys() - known.keys())
    changed: dict[str, tuple[Stay, Told]] = {}
    sums: dict[str, list[Minutes]] = {}
    for track, (camera, looks) in seen.items():
        old = known.get(track) or Stay(camera, laughing=Laughing(count=laughed.get(track, 0)))
        new = old.seen(looks)
        if new is old:
            continue
        before, after = old.told(), new.told()
        changed[track] = new, after
        sums.setdefault(camera, []).append(difference(after.minutes, before.minutes))
        if after.laughs != before.laughs:
            sums[camera].append(_write_laughs(connection, track, camera, before.laughs, after.laughs))
    _replace(connection, stays, [_stay_row(track, *both) for track, both in changed.items()])
    _replace(connection, states, [_state_row(track, stay, at) for track, (stay, _) in changed.items()])
    add_up(connection, audience, _sum_rows(sums))


def _stays(connection: Connection, tracks: Iterable[str]) -> dict[str, Stay]:
    asked = select(states.c.track, states.c.camera, states.c.state).where(states.c.track.in_(list(tracks)))
    return {track: Stay.of_text(camera, text) for track, camera, text in connection.execute(asked)}


def _laughed(connection: Connection, tracks: Iterable[str]) -> dict[str, int]:
    """Return how many laughs there are of tracks of which nothing else is known any more."""
    asked = select(laughs.c.track, func.max(laughs.c.place)).where(laughs.c.track.in_(list(tracks))).group_by(laughs.c.track)
    return {track: place + 1 for track, place in connection.execute(asked)}


def _write_laughs(
    connection: Connection, track: str, camera: str, before: Mapping[int, Laugh], after: Mapping[int, Laugh]
) -> Minutes:
    """Write the laughs of a track that changed, and return what that adds to sums; one that is disputed adds nothing."""
    asked = select(laughs.c.place).where(laughs.c.track == track, laughs.c.disputed == 1)
    disputed = set(connection.execute(asked).scalars())
    added: dict[int, dict[str, float]] = {}
    for place in before.keys() | after.keys():
        old, new = before.get(place), after.get(place)
        if old == new:
            continue
        where = and_(laughs.c.track == track, laughs.c.place == place)
        if new is None:
            connection.execute(delete(laughs).where(where))
        elif not connection.execute(update(laughs).where(where).values(_times(new))).rowcount:
            about = {"track": track, "place": place, "camera": camera, "disputed": 0}
            connection.execute(insert(laughs).values(about | _times(new)))
        for laugh, sign in ((old, -1), (new, 1)):
            if laugh is not None and place not in disputed:
                sums = added.setdefault(_minute_of(laugh.start), {"laughs": 0, "laughing": 0.0})
                sums["laughs"] += sign
                sums["laughing"] += sign * (laugh.end - laugh.start)
    return added


def count_laugh(connection: Connection, laugh: Mapping[str, Any], sign: int) -> None:
    """Add a laugh to the sums, or take it away: once somebody disputed it, or no longer does."""
    sums = {"laughs": sign, "laughing": sign * (laugh["end"] - laugh["start"])}
    add_up(connection, audience, _sum_rows({laugh["camera"]: [{laugh["minute"]: sums}]}))


def _times(laugh: Laugh) -> dict[str, Any]:
    times = {"start": laugh.start, "end": laugh.end, "peak": laugh.peak, "peak_at": laugh.peak_at}
    return {"minute": _minute_of(laugh.start), **times}


def _minute_of(at: float) -> int:
    return int(at // MINUTE) * MINUTE


def _replace(connection: Connection, table: Table, found: Sequence[Mapping[str, Any]]) -> None:
    """Put rows of tracks in the place of those that are there."""
    if found:
        connection.execute(delete(table).where(table.c.track.in_([row["track"] for row in found])))
        connection.execute(insert(table), list(found))


def _stay_row(track: str, stay: Stay, told: Told) -> dict[str, Any]:
    whole, last = told.whole, stay.looks[-1]
    return {
        "track": track,
        "camera": stay.camera,
        "since": whole["since"],
        "until": whole["until"],
        "looks": int(whole["looks"]),
        **{name: whole.get(name, 0.0) for name in ("seconds", "posed", "facing", "told", "smiling")},
        "age": age_of(whole),
        "gender": gender_of(whole),
        "emotion": emotion_of(whole),
        "faces_now": None if last.is_facing is None else int(last.is_facing),
        "smiles_now": None if last.is_smiling is None else int(last.is_smiling),
    }


def _state_row(track: str, stay: Stay, at: float) -> dict[str, Any]:
    return {"track": track, "camera": stay.camera, "at": at, "state": stay.summed_up().as_text()}


def _sum_rows(sums: Mapping[str, Iterable[Minutes]]) -> list[dict[str, Any]]:
    """Return what is to be added to the sums of every length."""
    found: dict[tuple[int, int, str], dict[str, Any]] = {}
    for camera, stays_of_camera in sums.items():
        for minutes in stays_of_camera:
            for minute, more in minutes.items():
                for step in STEPS:
                    at = minute // step * step
                    row = found.setdefault((step, at, camera), {"step": step, "at": at, "camera": camera, **_EMPTY})
                    for name, value in more.items():
                        row[name] += value
    return list(found.values())


def _take_away_sums(connection: Connection, camera: str, since: float, until: float) -> None:
    """Take the sums of whole minutes away, also from those of longer times."""
    own = and_(audience.c.camera == camera, audience.c.at > since - STEPS[0], audience.c.at < until)
    gone = connection.execute(select(audience).where(own, audience.c.step == STEPS[0])).mappings().all()
    minutes = {row["at"]: {name: -row[name] for name in _EMPTY} for row in gone}
    add_up(connection, audience, _sum_rows({camera: [minutes]}))
    names = [audience.c[name] for name in COUNTS]
    connection.execute(delete(audience).where(own, audience.c.step == STEPS[0]))
    around = and_(audience.c.camera == camera, audience.c.at > since - STEPS[-1], audience.c.at < until)
    connection.execute(delete(audience).where(around, sum(names[1:], names[0]) == 0))


def _delete(connection: Connection, table: Table, tracks: Sequence[str]) -> int:
    """Delete the rows of tracks, and return how many those were."""
    parts = [tracks[first : first + _AT_ONCE] for first in range(0, len(tracks), _AT_ONCE)]
    return sum(connection.execute(delete(table).where(table.c.track.in_(part))).rowcount for part in parts)


def _count(connection: Connection, table: Table, tracks: Sequence[str]) -> int:
    parts = [tracks[first : first + _AT_ONCE] for first in range(0, len(tracks), _AT_ONCE)]
    asked = select(func.count()).select_from(table)
    return sum(int(connection.execute(asked.where(table.c.track.in_(part))).scalar_one()) for part in parts)
