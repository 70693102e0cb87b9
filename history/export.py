"""The history as tables and lines for other programs: a page at a time, in the order of time, with the names that hold now.

Nobody is named at cameras whose purpose names nobody.

CSV and Parquet have a row for each face, and one for a result without any; JSON lines are results as the API shows them.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

from sqlalchemy import Connection, Row, and_, or_, select

from history.database import Database
from history.nameless import who_may_be_named
from history.packing import unpacked
from history.schema import faces, results, tracks
from pipeline.names import PERSON, TRACK

Form = Literal["csv", "jsonl", "parquet"]
Names = Callable[[Connection, Iterable[str]], Mapping[str, Mapping[str, str]]]
"""Returns {"Id", "Name"} of the people that tracks are, by track."""

PAGE = 500
_OF_A_RESULT = ("result", "time", "captured_at", "camera", "operation", "provider", "age_seconds", "error", "dollars", "faces")
_OF_A_FACE = (
    "place", "track", "person_id", "person", "age_low", "age_high", "gender", "emotion", "emotion_confidence", "smile", "yaw",
    "pitch", "roll", "width_px", "height_px", "confidence",
)  # fmt: skip
_AS_IT_IS = ("captured_at", "camera", "operation", "provider", "error", "dollars", "faces")
COLUMNS = (*_OF_A_RESULT, *_OF_A_FACE)
_WHOLE = ("faces", "place", "age_low", "age_high")
_TEXTS = ("result", "time", "camera", "operation", "provider", "error", "track", "person_id", "person", "gender", "emotion")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be written: pictures taken from `since` to before `until`, of these cameras, or of all."""

    since: float
    until: float
    cameras: tuple[str, ...] = ()


class Cursor(NamedTuple):
    """The last result of a page."""

    captured_at: float
    number: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some results with their faces and names; `next` is where to go on, None after the last."""

    found: Sequence[Row[Any]]
    faces: Mapping[int, Sequence[Row[Any]]] = field(default_factory=dict)
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    next: Cursor | None = None


def ids_of(connection: Connection, asked: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the ids of the people that tracks are, by track, where their names are not known."""
    wanted = list(dict.fromkeys(asked))
    known = select(tracks.c.track, tracks.c.person).where(tracks.c.track.in_(wanted), tracks.c.person.isnot(None))
    return {track: {"Id": person, "Name": ""} for track, person in connection.execute(known)}


def pages(database: Database, wish: Wish, names: Names = ids_of) -> Iterator[Page]:
    """Yield all that is wished for; nothing is held open while a page is written, however slow whoever reads it is."""
    after: Cursor | None = None
    while True:
        with database.reading() as connection:
            page = page_of(connection, wish, after, names)
        yield page
        if (after := page.next) is None:
            return


def page_of(connection: Connection, wish: Wish, after: Cursor | None, names: Names = ids_of) -> Page:
    """Return the next page; each costs the same, however far it is."""
    time, number = results.c.captured_at, results.c.number
    asked = select(results).where(time >= (after.captured_at if after else wish.since), time < wish.until)
    if after is not None:
        asked = asked.where(or_(time > after.captured_at, and_(time == after.captured_at, number > after.number)))
    if wish.cameras:
        asked = asked.where(results.c.camera.in_(wish.cameras))
    found = connection.execute(asked.order_by(time, number).limit(PAGE)).all()
    seen: dict[int, list[Row[Any]]] = {row.number: [] for row in found}
    for face in connection.execute(select(faces).where(faces.c.result.in_(seen)).order_by(faces.c.result, faces.c.place)):
        seen[face.result].append(face)
    may_name = who_may_be_named(connection)
    known = names(
        connection, (face.track for theirs in seen.values() for face in theirs if face.track and may_name(face.camera))
    )
    return Page(found, seen, known, Cursor(found[-1].captured_at, found[-1].number) if len(found) == PAGE else None)


def rows_of(page: Page) -> Iterator[dict[str, Any]]:
    """Yield a row for each face, and one for each result without any, with the names of COLUMNS."""
    for found in page.found:
        about = {
            "result": found.id,
            "time": datetime.fromtimestamp(found.captured_at, UTC).isoformat(timespec="milliseconds"),
            **{
                name: getattr(found, name)
                for name in ("captured_at", "camera", "operation", "provider", "error", "dollars", "faces")
            },
            "age_seconds": round(found.published_at - found.captured_at, 6),
        }
        for face in page.faces.get(found.number) or (None,):
            yield {**about, **_of_face(face, page.names)}


def lines_of(page: Page) -> Iterator[dict[str, Any]]:
    """Yield results as the API shows them, with the people that their tracks are."""
    for found in page.found:
        if found.response is None:
            kept = ("id", "camera", "operation", "provider", "captured_at", "published_at", "error")
            yield {name: getattr(found, name) for name in kept}
        else:
            yield _named(unpacked(found.response), page.names)


class CsvWriter:
    """Writes pages as CSV: texts that a spreadsheet would take for a formula begin with an apostrophe."""

    def __init__(self, file: IO[str], *, header: bool = True) -> None:
        self._writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if header:
            self._writer.writeheader()

    def write(self, page: Page) -> None:
        """Write a page."""
        self._writer.writerows({name: _harmless(value) for name, value in row.items()} for row in rows_of(page))

    def close(self) -> None:
        """Be done."""


class JsonLinesWriter:
    """Writes pages as lines, each the JSON of a result."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, page: Page) -> None:
        """Write a page."""
        self._file.writelines(json.dumps(line, separators=(",", ":")) + "\n" for line in lines_of(page))

    def close(self) -> None:
        """Be done."""


class ParquetWriter:
    """Writes pages as a Parquet file, for pandas, DuckDB and others."""

    def __init__(self, file: Path) -> None:
        import pyarrow as pa  # noqa: PLC0415  # slow to import, and only this form needs it
        from pyarrow import parquet  # noqa: PLC0415  # as above

        self._arrow = pa
        self._schema = pa.schema([(name, self._type_of(name)) for name in COLUMNS])
        self._writer = parquet.ParquetWriter(str(file), self._schema, compression="zstd")

    def write(self, page: Page) -> None:
        """Write a page as a group of rows."""
        self._writer.write_table(self._arrow.Table.from_pylist(list(rows_of(page)), schema=self._schema))

    def close(self) -> None:
        """Write the end of the file."""
        self._writer.close()

    def _type_of(self, name: str) -> Any:
        if name in _TEXTS:
            return self._arrow.string()
        return self._arrow.int32() if name in _WHOLE else self._arrow.float64()


def as_text(page: Page, form: Form, *, header: bool) -> str:
    """Return a page as CSV or JSON lines."""
    text = io.StringIO()
    writer = CsvWriter(text, header=header) if form == "csv" else JsonLinesWriter(text)
    writer.write(page)
    return text.getvalue()


def _of_face(face: Row[Any] | None, names: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    if face is None:
        return dict.fromkeys(_OF_A_FACE)
    person = names.get(face.track or "", {})
    own = {name: getattr(face, name) for name in _OF_A_FACE if name not in ("person_id", "person")}
    return {**own, "person_id": person.get("Id"), "person": person.get("Name") or None}


def _named(about: dict[str, Any], names: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    seen = about.get("FaceDetails")
    if not isinstance(seen, list):
        return about
    return {
        **about,
        "FaceDetails": [{**face, PERSON: names[who]} if (who := face.get(TRACK)) in names else face for face in seen],
    }


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
