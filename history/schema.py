"""The tables of the history's writer, and the METADATA to which every room of history/ adds its own.

Times are seconds since 1970 on Redis's clock. All of this is the same on SQLite and on PostgreSQL. Whoever adds or changes a
table runs `python -m scripts.first_migration` (until 0001 is released; after that, a new file beside it), which a test checks.
"""

from __future__ import annotations

import math
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData()

Number = BigInteger().with_variant(Integer(), "sqlite")
"""Counts rows: what SQLite wants to be called INTEGER to be quick."""

EMOTIONS = ("happy", "sad", "angry", "confused", "disgusted", "surprised", "calm", "fear", "unknown")
AGE_SECONDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Ages of results are counted up to each of these; the older ones stand in a column of their own."""
AGES = tuple(f"age_{number}" for number in range(len(AGE_SECONDS) + 1))

SUM_STEPS = (900, 21_600)
"""Lengths in seconds for which minutes are added up, each beginning at a multiple of it: long times are told from these."""


def within(column: Column[int], since: float, until: float) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return the conditions that whole seconds lie from `since` on and before `until`.

    They are compared with whole seconds, as PostgreSQL looks into no index of whole numbers for others.
    """
    return column >= math.ceil(since), column < math.ceil(until)


def _of_some(name: str, column: Column[Any], *others: Column[Any]) -> Index:
    """Return an index of the rows in which the first column says something."""
    return Index(name, column, *others, sqlite_where=column.isnot(None), postgresql_where=column.isnot(None))


streams = Table(
    "streams",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("last_id", Text, nullable=False),
    Column("position", Number),
    Column("at", Double, nullable=False),
    Column("ended", Integer, nullable=False),
)
"""The streams of results that were read: each emptied or new Redis begins one, as ids mean something within one only.

`last_id` is the last that was settled, `position` its place among all that stream ever had (NULL where Redis does not tell),
`at` when that was, `ended` 1 where nothing can come after it any more.
"""

results = Table(
    "results",
    METADATA,
    Column("number", Number, primary_key=True),
    Column("stream", Integer, nullable=False),
    Column("id", Text, nullable=False),
    Column("camera", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("captured_at", Double, nullable=False),
    Column("published_at", Double, nullable=False),
    Column("faces", Integer, nullable=False),
    Column("track", Text),
    Column("error", Text),
    Column("dollars", Double, nullable=False),
    Column("response", LargeBinary),
    UniqueConstraint("stream", "id", name="results_once"),
    Index("results_of_camera", "camera", "captured_at"),
    Index("results_by_time", "captured_at"),
)
"""One row a result, in the order in which they came; `number` is what other tables and cursors of pages name it by.

`camera` is the camera's own id, for searches and labels too (their mailbox stands in `response`); `faces` counts those that
count; `track` is that of a search; `error` is its code. `response` is the result as the API shows it (`packing.unpacked`),
without whom a search found; NULL where nothing of it is kept: of no camera, or forgotten.
"""
_of_some("results_of_track", results.c.track)

faces = Table(
    "faces",
    METADATA,
    Column("result", Number, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("camera", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("track", Text),
    Column("age_low", Integer),
    Column("age_high", Integer),
    Column("gender", Text),
    Column("emotion", Text),
    Column("emotion_confidence", Double),
    Column("smile", Double),
    Column("yaw", Double),
    Column("pitch", Double),
    Column("roll", Double),
    Column("height_px", Double),
    Column("width_px", Double),
    Column("confidence", Double),
    Index("faces_of_camera", "camera", "at"),
    Index("faces_of_track", "track", "at"),
    Index("faces_of_emotion", "emotion", "camera", "at"),
    sqlite_with_rowid=False,
)
"""The faces that count: `result` is results.number, `place` its place in FaceDetails, `at` when the picture was taken.

`gender` is Male or Female, `emotion` the surest (HAPPY …), `smile` how sure it smiles in percent; NULL where nothing is said.
"""

tracks = Table(
    "tracks",
    METADATA,
    Column("track", Text, primary_key=True),
    Column("camera", Text, nullable=False),
    Column("since", Double, nullable=False),
    Column("until", Double, nullable=False),
    Column("faces", Integer, nullable=False),
    Column("person", Text),
    Index("tracks_of_camera", "camera", "since"),
    Index("tracks_by_end", "until"),
    sqlite_with_rowid=False,
)
"""Who was followed from frame to frame; `person` is written by the mirror, and taken away when somebody is forgotten."""
_of_some("tracks_of_person", tracks.c.person, tracks.c.until)


def _figures() -> list[Column[Any]]:
    """Return the columns of what results add up to."""
    counts = ("results", "calls", "errors", "faces", "smiling", "female", "male", *EMOTIONS)
    return [
        *(Column(name, Integer, nullable=False) for name in counts),
        *(Column(name, Double, nullable=False) for name in ("dollars", "age_sum", "age_max")),
        *(Column(name, Integer, nullable=False) for name in AGES),
    ]


minutes = Table(
    "minutes",
    METADATA,
    Column("camera", Text, primary_key=True),
    Column("minute", Number, primary_key=True, autoincrement=False),
    *_figures(),
    Index("minutes_by_time", "minute"),
    sqlite_with_rowid=False,
)
"""What the results of each minute add up to; `minute` is its first second, by when the pictures were taken.

`results` are pictures whose faces were looked for, `calls` all operations, `errors` those that failed; `age_…` are of results.
"""

sums = Table(
    "sums",
    METADATA,
    Column("camera", Text, primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("at", Number, primary_key=True, autoincrement=False),
    *_figures(),
    Index("sums_by_time", "at"),
    sqlite_with_rowid=False,
)
"""What the minutes of each `step` seconds from `at` on add up to: one of SUM_STEPS."""

gaps = Table(
    "gaps",
    METADATA,
    Column("number", Number, primary_key=True),
    Column("stream", Integer, nullable=False),
    Column("after", Text, nullable=False),
    Column("until", Text),
    Column("since", Double, nullable=False),
    Column("till", Double, nullable=False),
    Column("lost", Integer),
    Column("why", Text, nullable=False),
    Index("gaps_by_time", "till"),
)
"""Results that never got here: those of a stream `after` an id (and before `until`), published between `since` and `till`.

`lost` says how many, exactly; NULL where nobody knows, as when Redis was emptied.
"""
