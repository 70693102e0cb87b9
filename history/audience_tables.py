"""The tables of the audience: stays, laughs, what they add up to, shows. No table of these holds anybody's identity."""

from __future__ import annotations

from sqlalchemy import Column, Double, Index, Integer, Table, Text, UniqueConstraint

from history.schema import EMOTIONS, METADATA, Number

AGE_BOUNDS = (0, 13, 20, 35, 50, 65)
"""Where each group of ages begins."""

DWELL_BOUNDS = (0, 5, 15, 30, 60, 120, 300, 900)
"""Where each group of stays begins, in seconds."""

OLD = tuple(f"from_{bound}" for bound in AGE_BOUNDS)
DWELLS = tuple(f"dwell_{bound}" for bound in DWELL_BOUNDS)
COUNTS = ("looks", "arrivals", "seen", "laughs", "female", "male", *OLD, *DWELLS)
SECONDS = ("seconds", "posed", "facing", "told", "smiling", "felt", *EMOTIONS, "dwell", "laughing")

STEPS = (60, 600, 3600, 86_400)
"""Lengths in seconds for which sums are kept, each beginning at a multiple of it."""

stays = Table(
    "stays",
    METADATA,
    Column("track", Text, primary_key=True),
    Column("camera", Text, nullable=False),
    Column("since", Double, nullable=False),
    Column("until", Double, nullable=False),
    Column("looks", Integer, nullable=False),
    *(Column(name, Double, nullable=False) for name in ("seconds", "posed", "facing", "told", "smiling")),
    Column("age", Double),
    Column("gender", Text),
    Column("emotion", Text),
    Column("faces_now", Integer),
    Column("smiles_now", Integer),
    Index("stays_of_camera", "camera", "since"),
    Index("stays_by_end", "until", "since", "camera"),
    sqlite_with_rowid=False,
)
"""One row for each track: how long a face was there. `seconds` lie between its looks: `posed` are those of which it is known
whether it faced the camera, `told` those of which it is known whether it smiled. `emotion` is that of most of the time,
`faces_now` and `smiles_now` are of its last look.
"""

states = Table(
    "audience_states",
    METADATA,
    Column("track", Text, primary_key=True),
    Column("camera", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("state", Text, nullable=False),
    Index("audience_states_by_time", "at"),
    sqlite_with_rowid=False,
)
"""What has to be known of a track to go on with it (`stays.Stay` as JSON), for as long as results of it may come.

`at` is when the last that was heard of it came out."""

laughs = Table(
    "laughs",
    METADATA,
    Column("number", Number, primary_key=True),
    Column("track", Text, nullable=False),
    Column("place", Integer, nullable=False),
    Column("camera", Text, nullable=False),
    Column("minute", Number, nullable=False),
    Column("start", Double, nullable=False),
    Column("end", Double, nullable=False),
    Column("peak", Double, nullable=False),
    Column("peak_at", Double, nullable=False),
    Column("disputed", Integer, nullable=False),
    UniqueConstraint("track", "place", name="laughs_once"),
    Index("laughs_of_camera", "camera", "start", "minute", "end", "disputed"),
    Index("laughs_by_time", "start", "minute", "end", "disputed"),
    sqlite_autoincrement=True,
)
"""Laughs as events; `place` counts those of a track, `minute` is the first second of the minute in which it began.

A disputed one is kept, and not counted. No number is ever given twice: pages name laughs by them.
"""

audience = Table(
    "audience",
    METADATA,
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("at", Number, primary_key=True, autoincrement=False),
    Column("camera", Text, primary_key=True),
    *(Column(name, Integer, nullable=False) for name in COUNTS),
    *(Column(name, Double, nullable=False) for name in SECONDS),
    Index("audience_by_time", "at"),
    sqlite_with_rowid=False,
)
"""What the faces of a camera add up to within `step` seconds from `at` on.

`seconds` are those of all faces together, of which the other seconds are parts; `seen` are faces times minutes in which they
were seen; `arrivals` are new faces, and ages, genders and dwells (of their whole stay) are theirs. `laughs` began then
and are not disputed, `laughing` are their seconds.
"""

shows = Table(
    "shows",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("cameras", Text, nullable=False),
    Column("price", Double),
    Column("currency", Text, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("stopped_at", Double),
    Column("gone_at", Double),
    Index("shows_by_end", "stopped_at"),
    sqlite_with_rowid=False,
)
"""Shows: `cameras` as JSON, all if none; all data of their time and cameras are deleted at `gone_at`."""
