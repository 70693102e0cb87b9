"""`rekstream export`, `backup` and `restore`: the history's database as files, with or without a running system."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from history.database import FILE_NAME, Database
from history.export import CsvWriter, Form, JsonLinesWriter, ParquetWriter, Wish, pages
from history.names import names_of
from history.portable import back_up, put_back
from history.rooms import TABLES
from pipeline.errors import SettingsError
from pipeline.moments import moment
from pipeline.settings import Settings
from pipeline.texts import check_texts
from rekstream.audit import noted

STANDARD_OUTPUT = Path("-")


@contextmanager
def opened(settings: Settings, *, create: bool = False) -> Iterator[Database]:
    """Open the history that the settings name; it has to be there unless it may be created."""
    url = settings.database.get_secret_value() if settings.database else ""
    database = Database(settings.data, url, TABLES if create else None)
    try:
        yield database
    finally:
        database.close()


def export(settings: Settings, since: str, until: str, cameras: tuple[str, ...], form: Form, output: Path) -> str:
    """Write what was into a file, or to standard output; return one sentence about it. Raises RekstreamError."""
    check_texts(cameras, "--camera")
    now = time.time()
    wish = Wish(moment(since, now), moment(until, now), cameras)
    if wish.since >= wish.until:
        raise SettingsError(f"--since {since} does not lie before --until {until}: there is nothing between them")
    if form == "parquet" and output == STANDARD_OUTPUT:
        raise SettingsError("parquet cannot be written to a terminal or a pipe: name a file with -o")
    with opened(settings) as database, _place_for(output, form) as place:
        writer = _writer(form, place)
        count, unnoted = 0, None
        for page in pages(database, wish, names_of):
            if page.names and unnoted is None:
                unnoted = noted(settings, "export", f"history as {form}, {_span_of(wish)}")
            writer.write(page)
            count += len(page.found)
        writer.close()
    return "\n".join(filter(None, (f"{count:,} results written to {output}", unnoted)))


def backup(settings: Settings, file: Path) -> str:
    """Write the whole history into a file; return one sentence about it. Raises RekstreamError."""
    with opened(settings) as database:
        count = back_up(database, file, TABLES)
    return f"{count:,} results of {database.name} written to {file} ({file.stat().st_size / 1e6:,.1f} MB)"


def restore(settings: Settings, file: Path, *, replace: bool) -> str:
    """Put a backup into the database; return one sentence about it. Raises RekstreamError."""
    with opened(settings, create=True) as database:
        count = put_back(database, file, (settings.data / FILE_NAME).with_suffix(".lock"), TABLES, replace=replace)
    return f"{count:,} results put back into {database.name}"


def _span_of(wish: Wish) -> str:
    first, last = (datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M") for at in (wish.since, wish.until))
    return f"{first} to {last} UTC{', ' if wish.cameras else ''}{', '.join(wish.cameras)}"


def _writer(form: Form, place: Path | IO[str]) -> CsvWriter | JsonLinesWriter | ParquetWriter:
    if isinstance(place, Path):
        return ParquetWriter(place)
    return CsvWriter(place) if form == "csv" else JsonLinesWriter(place)


@contextmanager
def _place_for(output: Path, form: Form) -> Iterator[Path | IO[str]]:
    """Give a place to write to, which becomes `output`, for its owner alone, when all is written."""
    if output == STANDARD_OUTPUT:
        yield sys.stdout
        return
    part = output.with_name(f"{output.name}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline="") as file:
            yield part if form == "parquet" else file
        part.replace(output)
    except OSError as error:
        raise SettingsError(f"{output} cannot be written ({error.strerror}): name another file with -o") from error
    finally:
        part.unlink(missing_ok=True)
