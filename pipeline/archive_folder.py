"""An archive in a folder: files that nobody but their owner may read, whole or not there, never half."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from pipeline.archive import ABSENT, AWAY, DENIED, ENDINGS, FULL, HOUR, PICTURE, RESULT, ArchiveError, Item
from pipeline.camera_spec import ID

_PART, _MARK = ".part", ".archive"
_CAUSES = {
    errno.EACCES: DENIED,
    errno.EPERM: DENIED,
    errno.EROFS: DENIED,
    errno.ENOTDIR: ABSENT,
    errno.EEXIST: ABSENT,
    errno.ENOENT: ABSENT,
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
}
_ADVICE = {
    DENIED: "let this user write there, or name another folder with --archive",
    ABSENT: "name a folder with --archive",
    FULL: "make room, or keep less with --keep",
    AWAY: "check the disk",
}


class FolderArchive:
    """Archives below `folder`, which is made when it is first written to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def place(self) -> str:
        """The folder."""
        return str(self._folder)

    @property
    def identity(self) -> str:
        """What stands in a file of the folder: the same for whoever shares it."""
        try:
            return (self._folder / _MARK).read_text()
        except (OSError, ValueError):
            return ""

    def write(self, item: Item, jpeg: bytes, result: bytes, sent: str = "") -> None:  # noqa: ARG002  # nothing is sent here
        """Archive a frame and its result."""
        with self._told():
            folder = (self._folder / item.name).parent
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not (self._folder / _MARK).exists():
                _write_whole(self._folder / _MARK, uuid.uuid4().hex.encode())
            for ending, content in ((PICTURE, jpeg), (RESULT, result)):
                _write_whole(self._folder / f"{item.name}{ending}", content)

    def read(self, item: Item, ending: str) -> bytes | None:
        """Return an item's picture or result, None if there is none."""
        with self._told():
            try:
                return (self._folder / f"{item.name}{ending}").read_bytes()
            except FileNotFoundError:
                return None

    def cameras(self) -> list[str]:
        """Return the cameras of which anything is archived."""
        with self._told():
            return [name for name in _names(self._folder) if ID.fullmatch(name)]

    def items(self, camera: str, since: float = 0.0, until: float = float("inf")) -> Iterator[Item]:
        """Yield what is archived of a camera, oldest first."""
        with self._told():
            for hour in self._hours(camera, since, until):
                for name in _names(hour):
                    item = self._item(hour / name) if name.endswith(RESULT) else None
                    if item is not None and since <= item.captured_at < until:
                        yield item

    def found(self, items: Iterable[Item]) -> set[Item]:
        """Return those of these items of which anything is there."""
        with self._told():
            return {item for item in items if any((self._folder / f"{item.name}{ending}").exists() for ending in ENDINGS)}

    def delete(self, items: Iterable[Item]) -> int:
        """Delete items, the pictures first."""
        with self._told():
            return sum(self._delete(self._folder / item.name) for item in items)

    def erase(self, camera: str, since: float = 0.0, until: float = float("inf")) -> int:
        """Delete everything of ours of a camera between two times, and the folders that are empty then."""
        erased = 0
        with self._told():
            for hour in list(self._hours(camera, since, until)):
                for stem in sorted({_stem(name) for name in _names(hour)}):
                    item = self._item(hour / stem)
                    if item is not None and since <= item.captured_at < until:
                        erased += self._delete(hour / stem)
                self._remove_if_empty(hour)
        return erased

    def sweep(self, before: float) -> int:  # noqa: ARG002  # nothing is sent from here
        """Nothing is put here for Rekognition to read."""
        return 0

    def close(self) -> None:
        """Nothing is open."""

    def _hours(self, camera: str, since: float, until: float) -> Iterator[Path]:
        """Yield the folders of the hours in which anything between two times may lie."""
        for year in _numbered(self._folder / camera, 4):
            for month in _numbered(year, 2):
                for day in _numbered(month, 2):
                    for hour in _numbered(day, 2):
                        began = _began(year.name, month.name, day.name, hour.name)
                        if began is not None and since - HOUR < began < until:
                            yield hour

    def _item(self, path: Path) -> Item | None:
        return Item.of_name(path.relative_to(self._folder).as_posix())

    def _delete(self, stem: Path) -> int:
        found = 0
        for ending in ENDINGS:
            for path in (stem.with_name(stem.name + ending), stem.with_name(f".{stem.name}{ending}{_PART}")):
                with suppress(FileNotFoundError):
                    path.unlink()
                    found = 1
        return found

    def _remove_if_empty(self, hour: Path) -> None:
        for folder in [hour, *hour.parents][:5]:
            try:
                folder.rmdir()
            except OSError:
                return

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            cause = _CAUSES.get(error.errno or 0, AWAY)
            raise ArchiveError(
                f"the archive {self._folder} cannot be used ({error.strerror or error}): {_ADVICE[cause]}", cause
            ) from error


def _write_whole(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}{_PART}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink()
        raise


def _stem(name: str) -> str:
    """Return the stem of one of our files, also of one that a kill left half written."""
    name = name.removeprefix(".").removesuffix(_PART)
    return name.removesuffix(PICTURE).removesuffix(RESULT)


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # a path for each of a million names costs seconds
    except FileNotFoundError:
        return []


def _numbered(folder: Path, digits: int) -> list[Path]:
    return [folder / name for name in _names(folder) if len(name) == digits and name.isdecimal() and name.isascii()]


def _began(*parts: str) -> float | None:
    try:
        year, month, day, hour = map(int, parts)
        return datetime(year, month, day, hour, tzinfo=UTC).timestamp()
    except ValueError:
        return None
