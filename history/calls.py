"""How often Rekognition was called: by hour, operation, camera and provider."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, Double, Integer, Table, Text

from history.rows import camera_of
from history.schema import METADATA, Number
from pipeline.entities import Result
from pipeline.spending import charged_calls
from pipeline.texts import writable

HOUR = 3600

spending = Table(
    "spending",
    METADATA,
    Column("hour", Number, primary_key=True, autoincrement=False),
    Column("camera", Text, primary_key=True),
    Column("operation", Text, primary_key=True),
    Column("provider", Text, primary_key=True),
    Column("calls", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("charged", Integer, nullable=False),
    Column("since", Double, nullable=False),
    Column("until", Double, nullable=False),
    sqlite_with_rowid=False,
)
"""Calls that ended between `since` and `until` in the hour that begins at `hour`, by when their results were published.

`charged` are those that AWS charges, or would: all but failures in which no picture was analysed. One result may stand for
several calls, when it was tried again.
"""


def call_rows(results: Iterable[Result]) -> list[dict[str, Any]]:
    """Return a row for each hour, camera, operation and provider that the results are of."""
    found: dict[tuple[int, str, str, str], dict[str, Any]] = {}
    for result in results:
        at = result.published_at if math.isfinite(result.published_at) else 0.0
        key = (int(at // HOUR) * HOUR, camera_of(result), writable(result.operation), writable(result.provider))
        names = dict(zip(("hour", "camera", "operation", "provider"), key, strict=True))
        row = found.setdefault(key, {**names, "calls": 0, "failed": 0, "charged": 0, "since": at, "until": at})
        row["calls"] += 1
        row["failed"] += bool(result.error)
        row["charged"] += charged_calls(result)
        row["since"], row["until"] = min(row["since"], at), max(row["until"], at)
    return list(found.values())
