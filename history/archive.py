"""The archive's pictures as the history knows them: which belongs to a result, which have to go.

Nothing is kept of them here but what is to be erased: a picture's name follows from its result. Pictures go by time and camera:
all that were taken while somebody was followed, also those in which nobody was found. What was on its way when
it was to go (`workers/archiver.py` tries for a minute) is erased once it is there: each erasure is repeated for a while.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Double, Integer, Table, Text, and_, delete, select, true, update

from history.database import insert_new
from history.house import House, Recorder
from history.schema import METADATA, results, streams, tracks
from pipeline.answering import Answer
from pipeline.archive import PICTURE, RESULT, Archive, ArchiveError, Item
from pipeline.archives import open_archive
from pipeline.cameras import CameraRegistry
from pipeline.chores import Chore
from pipeline.errors import StorageError, UnknownFrame
from pipeline.presence import living
from pipeline.requests import Request
from pipeline.shared import Privacy
from pipeline.tracks import began_about, camera_of_track

PICTURES, UNREACHABLE = "archived pictures", "archives elsewhere"
AT_A_TIME = 3  # pictures that are read; of eight questions that are answered at a time
WAIT_SECONDS = 0.5
AWAY_SECONDS = 15.0  # for which an archive that failed is not asked for pictures again
AGAIN_SECONDS = 15.0
LATEST_SECONDS = 180.0  # after which nothing is on its way any more
RULES_SECONDS = 60.0
EXPIRY_SECONDS = 600.0
SENT_SECONDS = 300.0  # after which a picture that was put for Rekognition to read is one that a kill left there
MARGIN_SECONDS = 2.0  # before and after somebody was followed
SILENT_SECONDS = 600.0  # for which nobody saw a track that is over
_AT_ONCE = 200

erasures = Table(
    "erasures",
    METADATA,
    Column("camera", Text, primary_key=True),
    Column("since", Double, primary_key=True),
    Column("until", Double, primary_key=True),
    Column("track", Text, primary_key=True),
    Column("again_until", Double, nullable=False),
    Column("is_done", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""What is to be erased, and erased again until a time: pictures of a camera from `since` and before `until`.

With a `track` it is the pictures of a track of which the history knows nothing, as what is archived tells.
"""

Span = tuple[str, float, float]
"""A camera, and two times: from, and before."""


class ArchivedPictures(Recorder):
    """Answers history.frame, and sees to it that what must not stay in the archive goes; does nothing where there is none."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        settings = house.settings.archive
        self.archive: Archive | None = open_archive(settings) if settings else None
        self._privacy = Privacy(house.broker.scripts, told=house.settings.privacy)
        self._cameras = CameraRegistry(house.broker.scripts)
        self._reading = threading.BoundedSemaphore(AT_A_TIME)
        self._away: ArchiveError | None = None
        self._away_since = 0.0
        self._redis = house.broker.scripts

    def answers(self) -> Mapping[str, Answer]:
        """Answer for the picture of a result."""
        return {"history.frame": self._frame}

    def forget(self, connection: Connection, person: str, tracks: Sequence[str]) -> Mapping[str, int]:  # noqa: ARG002
        """Write down that all pictures that were taken while these tracks were followed are to be erased."""
        if self.archive is not None:
            self._note(connection, [(*span, "") for span in spans_of(connection, tracks)])
            self._note(connection, [(camera_of_track(track), 0.0, 0.0, track) for track in unknown_of(connection, tracks)])
        return {}

    def erase(self, connection: Connection, camera: str, since: float, until: float) -> Mapping[str, int]:
        """Write down that all pictures of a camera between two times are to be erased."""
        if self.archive is not None:
            self._note(connection, [(camera, since, until, "")])
        return {}

    def settle(self) -> Mapping[str, int]:
        """Erase what was written down, for the first time; may raise ArchiveError, StorageError."""
        return self._erase(erasures.c.is_done == 0) if self.archive is not None else {}

    def remaining(self, connection: Connection, person: str, tracks: Sequence[str]) -> Mapping[str, int]:  # noqa: ARG002
        """Count the pictures that were taken while these tracks were followed, and what is still to be erased.

        Archives of workers that write elsewhere are counted as well: nobody can look there. May raise ArchiveError.
        """
        archive = self.archive
        elsewhere = {UNREACHABLE: self._elsewhere()}
        if archive is None:
            return {what: count for what, count in elsewhere.items() if count}
        pictures = sum(1 for span in spans_of(connection, tracks) for _ in archive.items(*span))
        pictures += len(set(tracks).intersection(_unknown_that_wait(connection)))
        return {PICTURES: pictures, **{what: count for what, count in elsewhere.items() if count}}

    def chores(self) -> Sequence[Chore]:
        """Erase what came late, what rules forbid, and what is too old."""
        if self.archive is None:
            return ()
        late = Chore("late pictures", AGAIN_SECONDS, self.erase_again)
        rules = Chore("pictures and rules", RULES_SECONDS, self.erase_forbidden)
        old = Chore("old pictures", EXPIRY_SECONDS, self.erase_old)
        return (late, rules, old) if self.house.settings.keep else (late, rules)

    def stop(self) -> None:
        """Close the archive's connections."""
        if self.archive is not None:
            self.archive.close()

    def erase_again(self) -> None:
        """Erase what was written down and what has arrived since; may raise ArchiveError, StorageError."""
        self._erase(true())
        with self.house.database.writing() as connection:
            over = and_(erasures.c.again_until < self.house.clock.now(), erasures.c.is_done == 1)
            connection.execute(delete(erasures).where(over))

    def erase_forbidden(self) -> None:
        """Erase pictures of cameras whose purpose keeps none, and what a killed worker left; may raise ArchiveError."""
        archive = self._its_archive()
        archive.sweep(self.house.clock.now() - SENT_SECONDS)
        for camera in self._cameras.all():
            if not camera.purpose.keeps_pictures:
                archive.erase(camera.id)

    def erase_old(self) -> None:
        """Erase what is older than it is kept, by both clocks; may raise ArchiveError."""
        archive = self._its_archive()
        before = min(self.house.clock.now(), time.time()) - self.house.settings.keep
        for camera in archive.cameras():
            archive.erase(camera, until=before)

    def _note(self, connection: Connection, found: Iterable[tuple[str, float, float, str]]) -> None:
        again_until = self.house.clock.now() + LATEST_SECONDS
        names = ("camera", "since", "until", "track")
        rows = [{**dict(zip(names, each, strict=True)), "again_until": again_until, "is_done": 0} for each in found]
        for row in rows:  # it may stand there from before
            where = and_(*(erasures.c[name] == row[name] for name in names))
            connection.execute(update(erasures).where(where).values(again_until=again_until, is_done=0))
        insert_new(connection, erasures, rows)

    def _erase(self, which: ColumnElement[bool]) -> Mapping[str, int]:
        """Erase outside of any transaction: an archive may take minutes, or be away."""
        archive, erased = self._its_archive(), 0
        with self.house.database.reading() as connection:
            found = connection.execute(select(erasures).where(which)).all()
        for row in found:
            span = span_in_archive(archive, row.track) if row.track else (row.camera, row.since, row.until)
            erased += archive.erase(*span) if span else 0
            with self.house.database.writing() as connection:
                same = and_(*(column == getattr(row, column.name) for column in erasures.primary_key))
                connection.execute(update(erasures).where(same).values(is_done=1))
        return {PICTURES: erased}

    def _elsewhere(self) -> int:
        """Count the living workers that have archived where this process cannot look."""
        here = self.archive.identity if self.archive else ""
        told = [(process.details.get("archive") or {}).get("identity") for process in living(self._redis, "worker")]
        return sum(bool(there) and there != here for there in told)

    def _frame(self, request: Request) -> Mapping[str, Any]:
        """Return the picture of a result of the history, as base64; raises UnknownFrame where there is none to show."""
        camera, result = str(request.members.get("camera", "")), str(request.members.get("id", ""))
        self._its_archive()
        item = self._item(camera, result)
        picture, about = self._read(item) if item else (None, None)
        if picture is None or about is None:
            raise UnknownFrame(f"no picture of result {result!r} of {camera!r} is archived (any more)")
        is_covered = json.loads(about).get("Covered") is True
        self._privacy.look()
        if self._privacy.is_on and not is_covered:
            raise UnknownFrame(f"the picture of result {result!r} of {camera!r} is from before privacy, and is not shown")
        return {"image": base64.b64encode(picture).decode(), "covered": is_covered}

    def _read(self, item: Item) -> tuple[bytes | None, bytes | None]:
        """Return a picture and its result; an archive that is slow, or away, holds up no other question."""
        archive = self._its_archive()
        if self._away is not None and time.monotonic() - self._away_since < AWAY_SECONDS:
            raise ArchiveError(str(self._away), self._away.cause)
        if not self._reading.acquire(timeout=WAIT_SECONDS):
            raise StorageError(f"{AT_A_TIME} pictures are being read from {archive.place} already: ask again in a moment")
        try:
            picture = archive.read(item, PICTURE)
            return picture, archive.read(item, RESULT) if picture else None
        except ArchiveError as error:
            self._away, self._away_since = error, time.monotonic()
            raise
        finally:
            self._reading.release()

    def _item(self, camera: str, result: str) -> Item | None:
        known = results.c.stream.in_(select(streams.c.number))
        asked = select(results.c.captured_at).where(known, results.c.id == result, results.c.camera == camera)
        with self.house.database.reading() as connection:
            at = connection.execute(asked).scalar()
        try:
            return None if at is None else Item(camera, float(at), result)
        except ValueError:
            return None

    def _its_archive(self) -> Archive:
        if self.archive is None:
            raise UnknownFrame("no pictures are archived: start with --archive, and those that come from then on are")
        return self.archive


def spans_of(connection: Connection, followed: Sequence[str]) -> list[Span]:
    """Return where and when tracks were followed, with MARGIN_SECONDS around; what overlaps is one."""
    found: list[Span] = []
    for camera, since, until in sorted(_seen(connection, followed)):
        if found and found[-1][0] == camera and since <= found[-1][2]:
            found[-1] = (camera, found[-1][1], max(until, found[-1][2]))
        else:
            found.append((camera, since, until))
    return found


def _seen(connection: Connection, followed: Sequence[str]) -> Iterator[Span]:
    for begin in range(0, len(followed), _AT_ONCE):
        some = tracks.c.track.in_(followed[begin : begin + _AT_ONCE])
        for row in connection.execute(select(tracks.c.camera, tracks.c.since, tracks.c.until).where(some)):
            yield row.camera, row.since - MARGIN_SECONDS, row.until + MARGIN_SECONDS


def _unknown_that_wait(connection: Connection) -> Iterable[str]:
    """Return the tracks whose pictures are still to be looked for in the archive."""
    return connection.execute(select(erasures.c.track).where(erasures.c.is_done == 0, erasures.c.track != "")).scalars()


def unknown_of(connection: Connection, followed: Sequence[str]) -> list[str]:
    """Return the tracks of which the history knows nothing (any more), though they can be of a camera."""
    known: set[str] = set()
    for begin in range(0, len(followed), _AT_ONCE):
        some = tracks.c.track.in_(followed[begin : begin + _AT_ONCE])
        known |= set(connection.execute(select(tracks.c.track).where(some)).scalars())
    return [track for track in dict.fromkeys(followed) if track not in known and began_about(track) is not None]


def span_in_archive(archive: Archive, track: str) -> Span | None:
    """Return where and when archived results tell of a track, None where they do not; may raise ArchiveError."""
    camera, told = camera_of_track(track), f'"{track}"'.encode()
    began = began_about(track) or 0.0
    seen: list[float] = []
    for item in archive.items(camera, began - SILENT_SECONDS):
        if item.captured_at > max([began, *seen[-1:]]) + SILENT_SECONDS:
            break
        if told in (archive.read(item, RESULT) or b""):
            seen.append(item.captured_at)
    return (camera, seen[0] - MARGIN_SECONDS, seen[-1] + MARGIN_SECONDS) if seen else None
