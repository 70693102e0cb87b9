"""The archive's pictures as the history knows them: which belongs to a result, which have to go.

Nothing is kept of them here but what is to be erased: a picture's name follows from its result. Pictures go by time and camera:
all that were taken while somebody was followed, also those in which nobody was found. What was on its way when
it was to go (`workers/archiver.py` tries for a minute) is erased once it is there: each erasure is repeated for a while.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Double, Table, Text, delete, select

from history.database import insert_new
from history.house import House, Recorder
from history.schema import METADATA, results, streams, tracks
from pipeline.answering import Answer
from pipeline.archive import PICTURE, RESULT, Archive, Item
from pipeline.archives import open_archive
from pipeline.cameras import CameraRegistry
from pipeline.chores import Chore
from pipeline.errors import UnknownFrame
from pipeline.requests import Request
from pipeline.shared import Privacy

PICTURES = "archived pictures"
AGAIN_SECONDS = 15.0
LATEST_SECONDS = 180.0  # after which nothing is on its way any more
RULES_SECONDS = 60.0
EXPIRY_SECONDS = 600.0
SENT_SECONDS = 300.0  # after which a picture that was put for Rekognition to read is one that a kill left there
MARGIN_SECONDS = 2.0  # before and after somebody was followed
_AT_ONCE = 200

erasures = Table(
    "erasures",
    METADATA,
    Column("camera", Text, primary_key=True),
    Column("since", Double, primary_key=True),
    Column("until", Double, primary_key=True),
    Column("again_until", Double, nullable=False),
    sqlite_with_rowid=False,
)
"""What is erased again until a time: pictures of a camera from `since` and before `until`."""

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

    def answers(self) -> Mapping[str, Answer]:
        """Answer for the picture of a result."""
        return {"history.frame": self._frame}

    def forget(self, connection: Connection, person: str, tracks: Sequence[str]) -> Mapping[str, int]:  # noqa: ARG002
        """Erase all pictures that were taken while these tracks were followed; may raise ArchiveError."""
        return self._erase(connection, spans_of(connection, tracks)) if self.archive else {}

    def remaining(self, connection: Connection, person: str, tracks: Sequence[str]) -> Mapping[str, int]:  # noqa: ARG002
        """Count the pictures that were taken while these tracks were followed; may raise ArchiveError."""
        archive = self.archive
        if archive is None:
            return {}
        return {PICTURES: sum(1 for span in spans_of(connection, tracks) for _ in archive.items(*span))}

    def erase(self, connection: Connection, camera: str, since: float, until: float) -> Mapping[str, int]:
        """Erase all pictures of a camera between two times; may raise ArchiveError."""
        return self._erase(connection, [(camera, since, until)]) if self.archive else {}

    def chores(self) -> Sequence[Chore]:
        """Erase what came late, what rules forbid, and what is too old where the archive does not see to that itself."""
        if self.archive is None:
            return ()
        late = Chore("late pictures", AGAIN_SECONDS, self.erase_again)
        rules = Chore("pictures and rules", RULES_SECONDS, self.erase_forbidden)
        old = Chore("old pictures", EXPIRY_SECONDS, self.erase_old)
        return (late, rules) if self.archive.expires or not self.house.settings.keep else (late, rules, old)

    def stop(self) -> None:
        """Close the archive's connections."""
        if self.archive is not None:
            self.archive.close()

    def erase_again(self) -> None:
        """Erase what arrived since it was erased; may raise ArchiveError, StorageError."""
        archive = self._its_archive()
        with self.house.database.reading() as connection:
            found = connection.execute(select(erasures)).all()
        for row in found:
            archive.erase(row.camera, row.since, row.until)
        if any(row.again_until < self.house.clock.now() for row in found):
            with self.house.database.writing() as connection:
                connection.execute(delete(erasures).where(erasures.c.again_until < self.house.clock.now()))

    def erase_forbidden(self) -> None:
        """Erase pictures of cameras whose purpose keeps none, and what a killed worker left; may raise ArchiveError."""
        archive = self._its_archive()
        archive.sweep(self.house.clock.now() - SENT_SECONDS)
        for camera in self._cameras.all():
            if not camera.purpose.keeps_pictures:
                archive.erase(camera.id)

    def erase_old(self) -> None:
        """Erase what is older than it is kept; may raise ArchiveError."""
        archive = self._its_archive()
        for camera in archive.cameras():
            archive.erase(camera, until=self.house.clock.now() - self.house.settings.keep)

    def _erase(self, connection: Connection, spans: Iterable[Span]) -> Mapping[str, int]:
        archive, found = self._its_archive(), list(spans)
        again_until = self.house.clock.now() + LATEST_SECONDS
        rows = [{"camera": each[0], "since": each[1], "until": each[2], "again_until": again_until} for each in found]
        insert_new(connection, erasures, rows)
        return {PICTURES: sum(archive.erase(*span) for span in found)}

    def _frame(self, request: Request) -> Mapping[str, Any]:
        """Return the picture of a result of the history, as base64; raises UnknownFrame where there is none to show."""
        camera, result = str(request.members.get("camera", "")), str(request.members.get("id", ""))
        archive = self._its_archive()
        item = self._item(camera, result)
        picture = archive.read(item, PICTURE) if item else None
        about = archive.read(item, RESULT) if item and picture else None
        if picture is None or about is None:
            raise UnknownFrame(f"no picture of result {result!r} of {camera!r} is archived (any more)")
        is_covered = json.loads(about).get("Covered") is True
        self._privacy.look()
        if self._privacy.is_on and not is_covered:
            raise UnknownFrame(f"the picture of result {result!r} of {camera!r} is from before privacy, and is not shown")
        return {"image": base64.b64encode(picture).decode(), "covered": is_covered}

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
