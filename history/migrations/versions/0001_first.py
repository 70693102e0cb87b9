"""The first version of the tables.

Written by `python -m scripts.first_migration` until a release has carried it; what changes after that is a new file.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "alerts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("watch", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("visit", sa.Text(), nullable=False),
        sa.Column("track", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("captured_at", sa.Double(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index("alerts_by_time", "alerts", ["at"], unique=False)
    op.create_index("alerts_of_person", "alerts", ["person"], unique=False)
    op.create_table(
        "audience",
        sa.Column("step", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("arrivals", sa.Integer(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("laughs", sa.Integer(), nullable=False),
        sa.Column("female", sa.Integer(), nullable=False),
        sa.Column("male", sa.Integer(), nullable=False),
        sa.Column("from_0", sa.Integer(), nullable=False),
        sa.Column("from_13", sa.Integer(), nullable=False),
        sa.Column("from_20", sa.Integer(), nullable=False),
        sa.Column("from_35", sa.Integer(), nullable=False),
        sa.Column("from_50", sa.Integer(), nullable=False),
        sa.Column("from_65", sa.Integer(), nullable=False),
        sa.Column("dwell_0", sa.Integer(), nullable=False),
        sa.Column("dwell_5", sa.Integer(), nullable=False),
        sa.Column("dwell_15", sa.Integer(), nullable=False),
        sa.Column("dwell_30", sa.Integer(), nullable=False),
        sa.Column("dwell_60", sa.Integer(), nullable=False),
        sa.Column("dwell_120", sa.Integer(), nullable=False),
        sa.Column("dwell_300", sa.Integer(), nullable=False),
        sa.Column("dwell_900", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("posed", sa.Double(), nullable=False),
        sa.Column("facing", sa.Double(), nullable=False),
        sa.Column("told", sa.Double(), nullable=False),
        sa.Column("smiling", sa.Double(), nullable=False),
        sa.Column("felt", sa.Double(), nullable=False),
        sa.Column("happy", sa.Double(), nullable=False),
        sa.Column("sad", sa.Double(), nullable=False),
        sa.Column("angry", sa.Double(), nullable=False),
        sa.Column("confused", sa.Double(), nullable=False),
        sa.Column("disgusted", sa.Double(), nullable=False),
        sa.Column("surprised", sa.Double(), nullable=False),
        sa.Column("calm", sa.Double(), nullable=False),
        sa.Column("fear", sa.Double(), nullable=False),
        sa.Column("unknown", sa.Double(), nullable=False),
        sa.Column("dwell", sa.Double(), nullable=False),
        sa.Column("laughing", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("step", "at", "camera"),
        sqlite_with_rowid=False,
    )
    op.create_index("audience_by_time", "audience", ["at"], unique=False)
    op.create_table(
        "audience_states",
        sa.Column("track", sa.Text(), nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("track"),
        sqlite_with_rowid=False,
    )
    op.create_index("audience_states_by_time", "audience_states", ["at"], unique=False)
    op.create_table(
        "corrections",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("arrival", sa.Text(), nullable=True),
        sa.Column("leaving", sa.Text(), nullable=True),
        sa.Column("arrival_at", sa.Double(), nullable=True),
        sa.Column("leaving_at", sa.Double(), nullable=True),
        sa.Column("excused", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("corrections_by_time", "corrections", ["until"], unique=False)
    op.create_index("corrections_of_day", "corrections", ["day"], unique=False)
    op.create_index("corrections_of_person", "corrections", ["person", "day"], unique=False)
    op.create_table(
        "erasures",
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.Column("track", sa.Text(), nullable=False),
        sa.Column("again_until", sa.Double(), nullable=False),
        sa.Column("is_done", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("camera", "since", "until", "track"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "faces",
        sa.Column("result", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("track", sa.Text(), nullable=True),
        sa.Column("age_low", sa.Integer(), nullable=True),
        sa.Column("age_high", sa.Integer(), nullable=True),
        sa.Column("gender", sa.Text(), nullable=True),
        sa.Column("emotion", sa.Text(), nullable=True),
        sa.Column("emotion_confidence", sa.Double(), nullable=True),
        sa.Column("smile", sa.Double(), nullable=True),
        sa.Column("yaw", sa.Double(), nullable=True),
        sa.Column("pitch", sa.Double(), nullable=True),
        sa.Column("roll", sa.Double(), nullable=True),
        sa.Column("height_px", sa.Double(), nullable=True),
        sa.Column("width_px", sa.Double(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("result", "place"),
        sqlite_with_rowid=False,
    )
    op.create_index("faces_of_camera", "faces", ["camera", "at"], unique=False)
    op.create_index("faces_of_emotion", "faces", ["emotion", "camera", "at"], unique=False)
    op.create_index("faces_of_track", "faces", ["track", "at"], unique=False)
    op.create_table(
        "forgotten",
        sa.Column("track", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("track"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "gaps",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stream", sa.Integer(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("until", sa.Text(), nullable=True),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("till", sa.Double(), nullable=False),
        sa.Column("lost", sa.Integer(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("gaps_by_time", "gaps", ["till"], unique=False)
    op.create_table(
        "latency",
        sa.Column("slot", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("sketches", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("slot", "camera"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "laughs",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("track", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("minute", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("start", sa.Double(), nullable=False),
        sa.Column("end", sa.Double(), nullable=False),
        sa.Column("peak", sa.Double(), nullable=False),
        sa.Column("peak_at", sa.Double(), nullable=False),
        sa.Column("disputed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("track", "place", name="laughs_once"),
        sqlite_autoincrement=True,
    )
    op.create_index("laughs_by_time", "laughs", ["start", "minute", "end", "disputed"], unique=False)
    op.create_index("laughs_of_camera", "laughs", ["camera", "start", "minute", "end", "disputed"], unique=False)
    op.create_table(
        "minutes",
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("minute", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("results", sa.Integer(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.Column("faces", sa.Integer(), nullable=False),
        sa.Column("smiling", sa.Integer(), nullable=False),
        sa.Column("female", sa.Integer(), nullable=False),
        sa.Column("male", sa.Integer(), nullable=False),
        sa.Column("happy", sa.Integer(), nullable=False),
        sa.Column("sad", sa.Integer(), nullable=False),
        sa.Column("angry", sa.Integer(), nullable=False),
        sa.Column("confused", sa.Integer(), nullable=False),
        sa.Column("disgusted", sa.Integer(), nullable=False),
        sa.Column("surprised", sa.Integer(), nullable=False),
        sa.Column("calm", sa.Integer(), nullable=False),
        sa.Column("fear", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("dollars", sa.Double(), nullable=False),
        sa.Column("age_sum", sa.Double(), nullable=False),
        sa.Column("age_max", sa.Double(), nullable=False),
        sa.Column("age_0", sa.Integer(), nullable=False),
        sa.Column("age_1", sa.Integer(), nullable=False),
        sa.Column("age_2", sa.Integer(), nullable=False),
        sa.Column("age_3", sa.Integer(), nullable=False),
        sa.Column("age_4", sa.Integer(), nullable=False),
        sa.Column("age_5", sa.Integer(), nullable=False),
        sa.Column("age_6", sa.Integer(), nullable=False),
        sa.Column("age_7", sa.Integer(), nullable=False),
        sa.Column("age_8", sa.Integer(), nullable=False),
        sa.Column("age_9", sa.Integer(), nullable=False),
        sa.Column("age_10", sa.Integer(), nullable=False),
        sa.Column("age_11", sa.Integer(), nullable=False),
        sa.Column("age_12", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("camera", "minute"),
        sqlite_with_rowid=False,
    )
    op.create_index("minutes_by_time", "minutes", ["minute"], unique=False)
    op.create_table(
        "mirror",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("whole_at", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("one"),
    )
    op.create_table(
        "nameless", sa.Column("camera", sa.Text(), nullable=False), sa.PrimaryKeyConstraint("camera"), sqlite_with_rowid=False
    )
    op.create_table(
        "people",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("added", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "people_leftovers",
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("camera", "since", "until"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "results",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stream", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("captured_at", sa.Double(), nullable=False),
        sa.Column("published_at", sa.Double(), nullable=False),
        sa.Column("faces", sa.Integer(), nullable=False),
        sa.Column("track", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("dollars", sa.Double(), nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("stream", "id", name="results_once"),
    )
    op.create_index("results_by_time", "results", ["captured_at"], unique=False)
    op.create_index("results_of_camera", "results", ["camera", "captured_at"], unique=False)
    op.create_index(
        "results_of_track",
        "results",
        ["track"],
        unique=False,
        sqlite_where=sa.text("track IS NOT NULL"),
        postgresql_where=sa.text("track IS NOT NULL"),
    )
    op.create_table(
        "shows",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cameras", sa.Text(), nullable=False),
        sa.Column("price", sa.Double(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.Column("stopped_at", sa.Double(), nullable=True),
        sa.Column("gone_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index("shows_by_end", "shows", ["stopped_at"], unique=False)
    op.create_table(
        "spending",
        sa.Column("hour", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("charged", sa.Integer(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "camera", "operation", "provider"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stays",
        sa.Column("track", sa.Text(), nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("posed", sa.Double(), nullable=False),
        sa.Column("facing", sa.Double(), nullable=False),
        sa.Column("told", sa.Double(), nullable=False),
        sa.Column("smiling", sa.Double(), nullable=False),
        sa.Column("age", sa.Double(), nullable=True),
        sa.Column("gender", sa.Text(), nullable=True),
        sa.Column("emotion", sa.Text(), nullable=True),
        sa.Column("faces_now", sa.Integer(), nullable=True),
        sa.Column("smiles_now", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("track"),
        sqlite_with_rowid=False,
    )
    op.create_index("stays_by_end", "stays", ["until", "since", "camera"], unique=False)
    op.create_index("stays_of_camera", "stays", ["camera", "since"], unique=False)
    op.create_table(
        "streams",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("last_id", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("ended", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "sums",
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("step", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("results", sa.Integer(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.Column("faces", sa.Integer(), nullable=False),
        sa.Column("smiling", sa.Integer(), nullable=False),
        sa.Column("female", sa.Integer(), nullable=False),
        sa.Column("male", sa.Integer(), nullable=False),
        sa.Column("happy", sa.Integer(), nullable=False),
        sa.Column("sad", sa.Integer(), nullable=False),
        sa.Column("angry", sa.Integer(), nullable=False),
        sa.Column("confused", sa.Integer(), nullable=False),
        sa.Column("disgusted", sa.Integer(), nullable=False),
        sa.Column("surprised", sa.Integer(), nullable=False),
        sa.Column("calm", sa.Integer(), nullable=False),
        sa.Column("fear", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("dollars", sa.Double(), nullable=False),
        sa.Column("age_sum", sa.Double(), nullable=False),
        sa.Column("age_max", sa.Double(), nullable=False),
        sa.Column("age_0", sa.Integer(), nullable=False),
        sa.Column("age_1", sa.Integer(), nullable=False),
        sa.Column("age_2", sa.Integer(), nullable=False),
        sa.Column("age_3", sa.Integer(), nullable=False),
        sa.Column("age_4", sa.Integer(), nullable=False),
        sa.Column("age_5", sa.Integer(), nullable=False),
        sa.Column("age_6", sa.Integer(), nullable=False),
        sa.Column("age_7", sa.Integer(), nullable=False),
        sa.Column("age_8", sa.Integer(), nullable=False),
        sa.Column("age_9", sa.Integer(), nullable=False),
        sa.Column("age_10", sa.Integer(), nullable=False),
        sa.Column("age_11", sa.Integer(), nullable=False),
        sa.Column("age_12", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("camera", "step", "at"),
        sqlite_with_rowid=False,
    )
    op.create_index("sums_by_time", "sums", ["at"], unique=False)
    op.create_table(
        "tracks",
        sa.Column("track", sa.Text(), nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.Column("faces", sa.Integer(), nullable=False),
        sa.Column("person", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("track"),
        sqlite_with_rowid=False,
    )
    op.create_index("tracks_by_end", "tracks", ["until"], unique=False)
    op.create_index("tracks_of_camera", "tracks", ["camera", "since"], unique=False)
    op.create_index(
        "tracks_of_person",
        "tracks",
        ["person", "until"],
        unique=False,
        sqlite_where=sa.text("person IS NOT NULL"),
        postgresql_where=sa.text("person IS NOT NULL"),
    )
    op.create_table(
        "visits",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("camera", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("unknown", sa.Text(), nullable=True),
        sa.Column("similarity", sa.Double(), nullable=False),
        sa.Column("began", sa.Double(), nullable=False),
        sa.Column("ended", sa.Double(), nullable=False),
        sa.Column("is_open", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("visits_by_time", "visits", ["ended", "began"], unique=False)
    op.create_index("visits_of_camera", "visits", ["camera", "ended", "began"], unique=False)
    op.create_index("visits_of_person", "visits", ["person", "ended", "began", "camera"], unique=False)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_index("visits_of_person", table_name="visits")
    op.drop_index("visits_of_camera", table_name="visits")
    op.drop_index("visits_by_time", table_name="visits")
    op.drop_table("visits")
    op.drop_index(
        "tracks_of_person",
        table_name="tracks",
        sqlite_where=sa.text("person IS NOT NULL"),
        postgresql_where=sa.text("person IS NOT NULL"),
    )
    op.drop_index("tracks_of_camera", table_name="tracks")
    op.drop_index("tracks_by_end", table_name="tracks")
    op.drop_table("tracks")
    op.drop_index("sums_by_time", table_name="sums")
    op.drop_table("sums")
    op.drop_table("streams")
    op.drop_index("stays_of_camera", table_name="stays")
    op.drop_index("stays_by_end", table_name="stays")
    op.drop_table("stays")
    op.drop_table("spending")
    op.drop_index("shows_by_end", table_name="shows")
    op.drop_table("shows")
    op.drop_index(
        "results_of_track",
        table_name="results",
        sqlite_where=sa.text("track IS NOT NULL"),
        postgresql_where=sa.text("track IS NOT NULL"),
    )
    op.drop_index("results_of_camera", table_name="results")
    op.drop_index("results_by_time", table_name="results")
    op.drop_table("results")
    op.drop_table("people_leftovers")
    op.drop_table("people")
    op.drop_table("nameless")
    op.drop_table("mirror")
    op.drop_index("minutes_by_time", table_name="minutes")
    op.drop_table("minutes")
    op.drop_index("laughs_of_camera", table_name="laughs")
    op.drop_index("laughs_by_time", table_name="laughs")
    op.drop_table("laughs")
    op.drop_table("latency")
    op.drop_index("gaps_by_time", table_name="gaps")
    op.drop_table("gaps")
    op.drop_table("forgotten")
    op.drop_index("faces_of_track", table_name="faces")
    op.drop_index("faces_of_emotion", table_name="faces")
    op.drop_index("faces_of_camera", table_name="faces")
    op.drop_table("faces")
    op.drop_table("erasures")
    op.drop_index("corrections_of_person", table_name="corrections")
    op.drop_index("corrections_of_day", table_name="corrections")
    op.drop_index("corrections_by_time", table_name="corrections")
    op.drop_table("corrections")
    op.drop_index("audience_states_by_time", table_name="audience_states")
    op.drop_table("audience_states")
    op.drop_index("audience_by_time", table_name="audience")
    op.drop_table("audience")
    op.drop_index("alerts_of_person", table_name="alerts")
    op.drop_index("alerts_by_time", table_name="alerts")
    op.drop_table("alerts")
