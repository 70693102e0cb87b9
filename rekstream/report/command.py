"""`rekstream report`: reads the database itself, also while nothing runs, and writes one file."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from history.database import Database
from history.nameless import who_may_be_named
from pipeline.errors import SettingsError
from pipeline.moments import moment
from pipeline.prices import prices_of
from pipeline.settings import Settings
from pipeline.texts import check_texts
from rekstream.audit import noted
from rekstream.report.figures import Figures, Period, figures_of
from rekstream.report.page import page

LONGEST = 400 * 86_400.0
SHORTEST = 60.0


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command was told: moments as people write them, cameras (all if none), the file to write."""

    since: str
    until: str
    cameras: tuple[str, ...]
    path: Path


def write_report(settings: Settings, wishes: Wishes) -> str:
    """Write a report and return a sentence that tells of it; raises SettingsError or StorageError."""
    check_texts(wishes.cameras, "--camera")
    period = period_of(wishes, time.time())
    url = settings.database.get_secret_value() if settings.database else ""
    database = Database(settings.data, url)
    try:
        found = read(database, period, settings)
    finally:
        database.close()
    detail = f"report, --since {wishes.since} --until {wishes.until}"
    unnoted = noted(settings, "export", detail) if found.attendance else ""
    _write(wishes.path, page(found))
    return "\n".join(filter(None, (f"{wishes.path}: {found.total.results:,} results of {len(found.cameras)} cameras", unnoted)))


def read(database: Database, period: Period, settings: Settings) -> Figures:
    """Return the figures of a period; raises SettingsError for a camera that nothing is known of."""
    with database.reading() as connection:
        may_name = who_may_be_named(connection)
        found = figures_of(connection, period, prices_of(settings.prices), settings.region, settings.time_zone, may_name)
    missing = sorted(set(period.cameras) - set(found.known_cameras))
    if missing:
        known = ", ".join(found.known_cameras) or "none"
        raise SettingsError(f"there is no camera {missing[0]!r} in the history: there are {known}")
    return found


def period_of(wishes: Wishes, now: float) -> Period:
    """Return the time that is meant, in whole hours where it is not now; raises SettingsError."""
    since, until = moment(wishes.since, now), min(now, moment(wishes.until, now))
    if until - since < SHORTEST:
        raise SettingsError(f"--since {wishes.since} is not a minute before --until {wishes.until}: there is nothing to tell")
    if until - since > LONGEST:
        raise SettingsError(
            f"--since {wishes.since} is too long ago for one report: {LONGEST / 86_400:.0f} days are told at most"
        )
    return Period.around(since, until, now, wishes.cameras)


def _write(path: Path, text: str) -> None:
    """Write a file that its owner alone may read, as names of people may stand in it: all of it, or leave what was there."""
    part = path.with_name(f".{path.name}.part")
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise SettingsError(f"{path} cannot be written ({error.strerror}): name another file with -o") from error
