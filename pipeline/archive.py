"""The archive: analysed frames and their results beside them, in a folder or in a bucket of S3; only where it was asked for.

    PLACE/CAMERA/YYYY/MM/DD/HH/<captured_at>-<id>.jpg       the picture as it may be kept: with bands over faces in privacy
    PLACE/CAMERA/YYYY/MM/DD/HH/<captured_at>-<id>.json      the result as the API shows it, without names

Times are UTC, `captured_at` is seconds since 1970: names sort by time. A name follows from a result alone, so nobody keeps an
index. The picture is written first: where there is a result there is a picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from pipeline.camera_spec import ID, is_camera
from pipeline.errors import SettingsError, StorageError
from pipeline.s3 import SCHEME, S3Settings, check_consent, check_rekognition_reads
from pipeline.settings import Settings

PICTURE, RESULT = ".jpg", ".json"
ENDINGS = (PICTURE, RESULT)
HOUR = 3600.0

DENIED, ABSENT, FULL, AWAY, REFUSED = "denied", "absent", "full", "away", "refused"
"""Why something could not be written: no right to; no such bucket or no folder; a full disk; no answer; this one thing."""

_STEM = re.compile(r"(?P<at>\d{1,12}\.\d{6})-(?P<id>\d{1,19}-\d{1,19})")
_ID_OF_RESULT = re.compile(r"\d{1,19}-\d{1,19}")
_BUCKET = re.compile(r"[0-9a-zA-Z][0-9A-Za-z._-]{1,253}[0-9a-zA-Z]")
_LATEST = 99_999_999_999.0
_LONGEST_PREFIX = 512


class ArchiveError(StorageError):
    """The archive cannot be used as it is; `cause` is one of DENIED, ABSENT, FULL, AWAY, REFUSED."""

    def __init__(self, message: str, cause: str) -> None:
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Item:
    """One archived frame: the camera, when its picture was taken (seconds since 1970), and the id of its result.

    Raises ValueError for what can be no name.
    """

    camera: str
    captured_at: float
    id: str

    def __post_init__(self) -> None:
        if not (ID.fullmatch(self.camera) and is_camera(self.camera) and _ID_OF_RESULT.fullmatch(self.id)):
            raise ValueError(f"result {self.id!r} of {self.camera!r} cannot be archived: it is of no camera")
        if not 0 <= self.captured_at < _LATEST:
            raise ValueError(f"result {self.id!r} of {self.camera!r} cannot be archived: it says no time")
        object.__setattr__(self, "captured_at", round(self.captured_at, 6))  # as its name has it

    @property
    def name(self) -> str:
        """Where it stands below the archive's place, without an ending."""
        return f"{hour_of(self.camera, self.captured_at)}/{self.captured_at:.6f}-{self.id}"

    @classmethod
    def of_name(cls, name: str) -> Item | None:
        """Return what is called so, with an ending or without; None for what is not ours."""
        parts = name.split("/")
        stem = parts[-1].removesuffix(PICTURE).removesuffix(RESULT)
        found = _STEM.fullmatch(stem)
        if found is None or not ID.fullmatch(parts[0]):
            return None
        item = cls(parts[0], float(found["at"]), found["id"])
        return item if item.name == "/".join([*parts[:-1], stem]) else None


def by_hour(items: Iterable[Item]) -> dict[str, list[Item]]:
    """Return items by the folder of their hour, oldest first."""
    found: dict[str, list[Item]] = {}
    for item in sorted(items, key=lambda item: (item.camera, item.captured_at, item.id)):
        found.setdefault(hour_of(item.camera, item.captured_at), []).append(item)
    return found


def hour_of(camera: str, at: float) -> str:
    """Return the folder of a camera's frames of the hour in which `at` lies."""
    return f"{camera}/{datetime.fromtimestamp(at, UTC):%Y/%m/%d/%H}"


class Archive(Protocol):
    """Where frames are archived; every method may raise ArchiveError, and is safe for several threads."""

    @property
    def place(self) -> str:
        """Where it is, for people to read."""
        ...

    @property
    def identity(self) -> str:
        """What tells it from others of the same name on other machines; '' while nothing was ever written there."""
        ...

    def write(self, item: Item, jpeg: bytes, result: bytes, sent: str = "") -> None:
        """Archive a frame and its result; may be repeated. `sent` names the picture where it lies in the same S3 already."""
        ...

    def read(self, item: Item, ending: str) -> bytes | None:
        """Return an item's PICTURE or RESULT, None if there is none."""
        ...

    def cameras(self) -> list[str]:
        """Return the cameras of which anything is archived."""
        ...

    def items(self, camera: str, since: float = 0.0, until: float = _LATEST) -> Iterator[Item]:
        """Yield what is archived of a camera, by when its picture was taken (from `since`, before `until`), oldest first."""
        ...

    def found(self, items: Iterable[Item]) -> set[Item]:
        """Return those of these items of which anything is there."""
        ...

    def delete(self, items: Iterable[Item]) -> int:
        """Delete items, and return how many there were; may be repeated."""
        ...

    def erase(self, camera: str, since: float = 0.0, until: float = _LATEST) -> int:
        """Delete everything of a camera between two times, and return how many items that were."""
        ...

    def sweep(self, before: float) -> int:
        """Delete what was put there for Rekognition to read before a time, and left behind by a kill; return how many."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """Where the archive is: `folder`, or `bucket` with a `prefix` ('' or ending in /) of `s3`.

    `kms_key` encrypts there; `is_sent` says that pictures are put there first, for DetectFaces to read them.
    """

    folder: Path | None = None
    bucket: str = ""
    prefix: str = ""
    s3: S3Settings | None = None
    kms_key: str = ""
    is_sent: bool = False

    @classmethod
    def of(cls, settings: Settings, place: str | None = None) -> ArchiveSettings | None:
        """Return what the settings say, or of `place` instead; None where nothing is archived. Raises SettingsError."""
        is_sent = settings.send == "s3" and place is None
        place = settings.archive if place is None else place
        if is_sent and not (place or "").startswith(SCHEME):
            raise SettingsError("send s3 needs an archive in S3, from which pictures are read: say archive s3://bucket/prefix")
        if not place:
            return None
        if not place.startswith(SCHEME):
            return cls(folder=Path(place).expanduser().absolute())
        bucket, prefix = parse_bucket(place)
        check_consent(place, settings)
        if is_sent:
            check_rekognition_reads(settings)
        return cls(None, bucket, prefix, S3Settings.of(settings), settings.archive_kms_key, is_sent)


def parse_bucket(place: str) -> tuple[str, str]:
    """Return the bucket and the prefix ('' or ending in /) of ``s3://bucket/prefix``; raises SettingsError."""
    bucket, _, prefix = place.removeprefix(SCHEME).partition("/")
    prefix = prefix.strip("/")
    if not _BUCKET.fullmatch(bucket) or len(prefix) > _LONGEST_PREFIX or not prefix.isprintable():
        raise SettingsError(f"archive {place!r} names no place in S3: write s3://bucket/prefix, or a folder")
    return bucket, f"{prefix}/" if prefix else ""
