"""What the writer's own tables keep of a person, and for how long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select, update

from history.house import Recorder
from history.packing import packed, unpacked
from history.rows import MINUTE, sum_rows
from history.schema import EMOTIONS, faces, gaps, minutes, results, sums, tracks, within
from pipeline.names import TRACK

AT_ONCE = 200  # tracks, or results
OF_FACES = ("faces", "smiling", "female", "male", *EMOTIONS)  # columns of minutes


class Records(Recorder):
    """Results, faces, tracks, minutes, their sums, and gaps."""

    ages: ClassVar[tuple[ColumnElement[Any], ...]] = (tracks.c.until, minutes.c.minute, sums.c.at, gaps.c.till)
    """Results go with their faces: `Retention` sees to these itself."""

    def forget(self, connection: Connection, person: str, tracks_: Sequence[str]) -> Mapping[str, int]:
        """Take the faces of these tracks out of the tables and out of every response, and the person off the tracks."""
        known = _all_tracks(connection, person, tracks_)
        done = {"faces": 0, "responses": 0, "searches": 0, "tracks": 0}
        for some in _chunks(known):
            done["responses"] += sum(_strip(connection, row, set(some)) for row in _responses(connection, some))
            done["faces"] += connection.execute(delete(faces).where(faces.c.track.in_(some))).rowcount
            gone = update(results).where(results.c.track.in_(some), results.c.response.isnot(None)).values(response=None)
            done["searches"] += connection.execute(gone).rowcount
        nobody = update(tracks).where(tracks.c.person == person).values(person=None)
        done["tracks"] = connection.execute(nobody).rowcount
        return done

    def remaining(self, connection: Connection, person: str, tracks_: Sequence[str]) -> Mapping[str, int]:
        """Count what `forget` takes away."""
        found = {"faces": 0, "responses": 0, "searches": 0, "tracks": 0}
        for some in _chunks(_all_tracks(connection, person, tracks_)):
            found["faces"] += _count(connection, faces, faces.c.track.in_(some))
            found["responses"] += sum(_shows(row, set(some)) for row in _responses(connection, some))
            found["searches"] += _count(connection, results, results.c.track.in_(some), results.c.response.isnot(None))
        found["tracks"] = _count(connection, tracks, tracks.c.person == person)
        return found

    def erase(self, connection: Connection, camera: str, since: float, until: float) -> Mapping[str, int]:
        """Remove results, faces and tracks; minutes keep what was called and paid, and lose what faces looked like."""
        during = (results.c.camera == camera, results.c.captured_at >= since, results.c.captured_at < until)
        numbers = select(results.c.number).where(*during)
        _erase_figures(connection, camera, since, until)
        return {
            "faces": connection.execute(delete(faces).where(faces.c.result.in_(numbers))).rowcount,
            "responses": connection.execute(delete(results).where(*during)).rowcount,
            "tracks": _erase_tracks(connection, camera, since, until),
        }


def _erase_figures(connection: Connection, camera: str, since: float, until: float) -> None:
    """Let the minutes between two times say nothing of faces, and take what they said out of their sums."""
    theirs = (minutes.c.camera == camera, *within(minutes.c.minute, since // MINUTE * MINUTE, until))
    told = connection.execute(select(minutes).where(*theirs)).mappings()
    for gone in sum_rows(map(dict, told)):
        its = (sums.c[key] == gone[key] for key in ("camera", "step", "at"))
        connection.execute(update(sums).where(*its).values({name: sums.c[name] - gone[name] for name in OF_FACES}))
    connection.execute(update(minutes).where(*theirs).values(dict.fromkeys(OF_FACES, 0)))


def _erase_tracks(connection: Connection, camera: str, since: float, until: float) -> int:
    """Delete tracks that lie between two times; who was there before or after keeps that part, by which it can be forgotten."""
    of_camera = tracks.c.camera == camera
    inside = and_(of_camera, tracks.c.since >= since, tracks.c.until < until)
    gone = connection.execute(delete(tracks).where(inside)).rowcount
    left = select(func.count()).where(faces.c.track == tracks.c.track).scalar_subquery()
    around = and_(of_camera, tracks.c.since < until, tracks.c.until >= since)
    connection.execute(update(tracks).where(around).values(faces=left))
    came_before = and_(around, tracks.c.since < since, tracks.c.until < until)
    connection.execute(update(tracks).where(came_before).values(until=since))
    stayed_on = and_(around, tracks.c.since >= since, tracks.c.until >= until)
    connection.execute(update(tracks).where(stayed_on).values(since=until))
    return gone


def _all_tracks(connection: Connection, person: str, told: Sequence[str]) -> list[str]:
    known = connection.execute(select(tracks.c.track).where(tracks.c.person == person)).scalars()
    return list(dict.fromkeys([*told, *known]))


def _responses(connection: Connection, some: Sequence[str]) -> Iterator[Any]:
    """Yield the results of the cameras and times at which these tracks were seen, whose responses may tell of them."""
    known = select(tracks.c.camera, tracks.c.since, tracks.c.until).where(tracks.c.track.in_(some))
    seen = select(faces.c.camera, func.min(faces.c.at), func.max(faces.c.at)).where(faces.c.track.in_(some))
    spans = [*connection.execute(known), *connection.execute(seen.group_by(faces.c.track, faces.c.camera))]
    for span in _chunks(spans):
        during = or_(*(and_(results.c.camera == camera, results.c.captured_at.between(*time)) for camera, *time in span))
        asked = select(results.c.number, results.c.response).where(during, results.c.response.isnot(None), results.c.faces >= 0)
        yield from connection.execute(asked).all()


def _strip(connection: Connection, row: Any, gone: set[str]) -> bool:
    """Take the faces of tracks out of a response; say whether there were any."""
    about = unpacked(row.response)
    left = [face for face in _faces(about) if face.get(TRACK) not in gone]
    if len(left) == len(_faces(about)):
        return False
    changed = packed({**about, "FaceDetails": left})
    connection.execute(update(results).where(results.c.number == row.number).values(response=changed))
    return True


def _shows(row: Any, gone: set[str]) -> bool:
    return any(face.get(TRACK) in gone for face in _faces(unpacked(row.response)))


def _faces(about: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    found = about.get("FaceDetails")
    return [face for face in found if isinstance(face, dict)] if isinstance(found, list) else []


def _count(connection: Connection, table: Any, *conditions: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one())


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for begin in range(0, len(values), AT_ONCE):
        yield values[begin : begin + AT_ONCE]
