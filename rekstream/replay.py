"""`rekstream replay`: archived frames on the page of a running system, as they came, without a call of Rekognition."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import typer

from pipeline.archive import PICTURE, RESULT, Archive, ArchiveSettings, Item
from pipeline.archives import open_archive
from pipeline.errors import SettingsError
from pipeline.settings import Settings
from rekstream.client import Client, RefusedByServer

LONGEST_GAP = 2.0  # seconds: where nothing was archived for longer, it goes on after these
LATE_SECONDS = 0.5  # a frame that is later than this is skipped, so that the others keep their pace
_SOME_REFUSED = 1  # the exit code


@dataclass(frozen=True, slots=True)
class Span:
    """What is shown again: frames from `since` and before `until` (seconds since 1970), of these cameras or all."""

    since: float
    until: float
    cameras: Sequence[str] = ()
    speed: float = 1.0


@dataclass(slots=True)
class Tally:
    """How many frames were shown, skipped, and refused, and as which cameras."""

    shown: int = 0
    skipped: int = 0
    refused: int = 0
    cameras: dict[str, str] = field(default_factory=dict)

    def in_words(self) -> str:
        """Return one sentence."""
        where = ", ".join(f"{camera} as {shown}" for camera, shown in sorted(self.cameras.items())) or "none"
        frames = "1 frame was" if self.shown == 1 else f"{self.shown} frames were"
        return f"{frames} shown again ({where}), {self.skipped} skipped to keep the pace, {self.refused} refused"


def show_again(place: str, settings: Settings, client: Client, span: Span, stop: threading.Event) -> int:
    """Show what is archived at `place` until its end or `stop`, and print what was shown; return 0, or 1 if some was refused.

    Raises SettingsError for a place or cameras that are none, ArchiveError, and ServerError when no system answers.
    """
    archive = _opened(place, settings)
    tally = Tally()
    try:
        items = _merged(archive, _cameras(archive, span.cameras), span)
        for item, due in _paced(items, span.speed):
            if stop.wait(max(0.0, due - time.monotonic())):
                break
            if time.monotonic() - due > LATE_SECONDS:
                tally.skipped += 1
            else:
                _show(client, archive, item, tally)
    finally:
        for camera in tally.cameras:
            client.end_replay(camera)
        archive.close()
    if not (tally.shown or tally.refused):
        raise SettingsError(f"nothing is archived at {archive.place} between these times: name others with --since and --until")
    typer.echo(tally.in_words())
    return _SOME_REFUSED if tally.refused else 0


def _opened(place: str, settings: Settings) -> Archive:
    told = ArchiveSettings.of(settings, place)
    if told is None:
        raise SettingsError("no archive is named: write a folder or s3://bucket/prefix")
    if told.folder is not None and not Path(told.folder).is_dir():
        raise SettingsError(f"{place} is no folder: name the one that was given as --archive")
    return open_archive(told)


def _cameras(archive: Archive, wanted: Sequence[str]) -> list[str]:
    there = archive.cameras()
    for camera in wanted:
        if camera not in there:
            known = ", ".join(there) or "none"
            raise SettingsError(f"nothing of camera {camera!r} is archived at {archive.place}: there are {known}")
    return list(wanted) or there


def _merged(archive: Archive, cameras: Sequence[str], span: Span) -> Iterator[Item]:
    each = [archive.items(camera, span.since, span.until) for camera in cameras]
    return heapq.merge(*each, key=lambda item: item.captured_at)


def _paced(items: Iterator[Item], speed: float) -> Iterator[tuple[Item, float]]:
    """Yield items, and when each is to be shown by time.monotonic(): as far apart as they were, but for long gaps."""
    due = time.monotonic()
    before: float | None = None
    for item in items:
        due += 0.0 if before is None else min(LONGEST_GAP, (item.captured_at - before) / speed)
        before = item.captured_at
        yield item, due


def _show(client: Client, archive: Archive, item: Item, tally: Tally) -> None:
    jpeg, text = archive.read(item, PICTURE), archive.read(item, RESULT)
    if jpeg is None or text is None:
        return  # it expired, or somebody was forgotten, meanwhile
    try:
        tally.cameras[item.camera] = client.show_again(item.camera, text.decode(errors="replace"), jpeg)
        tally.shown += 1
    except RefusedByServer as error:
        tally.refused += 1
        typer.echo(f"{item.name}: {error}", err=True)
