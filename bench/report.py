"""What a report and the money of a month take, of 40 cameras at 5 pictures a second, out of sums that are made up.

python -m bench.report
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import Connection, Table, insert

from history import money
from history.audience_tables import COUNTS, SECONDS, audience
from history.calls import spending
from history.database import Database
from history.latency import AGE, SLOT, STAGES, Sketches, latency
from history.rooms import TABLES
from history.schema import AGES, EMOTIONS, minutes, streams
from pipeline.prices import built_in
from pipeline.settings import Settings
from rekstream.report.command import read
from rekstream.report.figures import Period
from rekstream.report.page import page

CAMERAS, FPS, DAYS = 40, 5, 30
NOW = 1_795_000_000 // 86_400 * 86_400.0
DAY, HOUR, MINUTE = 86_400, 3600, 60
ROUNDS = 5


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder), "", TABLES)
        with database.writing() as connection:
            fill(connection)
        settings = Settings(data=Path(folder))
        print("| 40 cameras, 5 pictures/s each | seconds (median of 5) | goal |")
        print("|---|---|---|")
        for name, days, goal in (("a report of a day (17 M results)", 1, "5"), ("a report of a week", 7, "")):
            print(f"| {name} | {median(list(reports(database, settings, days))):.2f} | {goal} |", flush=True)
        for name, days in (("money of a day", 1), ("money of a month, with its steps and forecasts", DAYS)):
            print(f"| {name} | {median(list(accounts(database, days))):.3f} | 0.2 |", flush=True)
        database.close()


def reports(database: Database, settings: Settings, days: int) -> Iterator[float]:
    for _ in range(ROUNDS):
        began = time.perf_counter()
        page(read(database, Period.around(NOW - days * DAY, NOW, NOW), settings))
        yield time.perf_counter() - began


def accounts(database: Database, days: int) -> Iterator[float]:
    for _ in range(ROUNDS):
        began = time.perf_counter()
        with database.reading() as connection:
            money.answer(connection, built_in(), "us-east-1", money.Question(NOW - days * DAY, NOW, NOW))
        yield time.perf_counter() - began


def fill(connection: Connection) -> None:
    """Write what a history of DAYS days holds, but for results, and days that reports of a week do not reach."""
    packed, cameras = sketches().packed(), [f"cam{number}" for number in range(CAMERAS)]
    connection.execute(insert(streams), [{"name": "one", "last_id": "1-0", "position": 1, "at": NOW, "ended": 0}])
    for camera in cameras:
        week = range(int(NOW) - 7 * DAY, int(NOW))
        put(connection, minutes, ({"camera": camera, "minute": at, **MINUTE_SUMS} for at in week[::MINUTE]))
        put(connection, latency, ({"camera": camera, "slot": at, "sketches": packed} for at in week[::SLOT]))
        for step in (60, 600, 3600, 86_400):
            put(connection, audience, ({"step": step, "at": at, "camera": camera, **AUDIENCE_SUMS} for at in week[::step]))
        month = range(int(NOW) - DAYS * DAY, int(NOW), HOUR)
        put(connection, spending, (calls(camera, name, at) for name in ("DetectFaces", "SearchFacesByImage") for at in month))


def put(connection: Connection, table: Table, rows: Iterator[dict[str, Any]]) -> None:
    connection.execute(insert(table), list(rows))


def calls(camera: str, operation: str, at: int) -> dict[str, Any]:
    many = HOUR * FPS
    names = {"hour": at, "camera": camera, "operation": operation, "provider": "aws us-east-1"}
    return {**names, "calls": many, "failed": 2, "charged": many - 1, "since": at, "until": at + HOUR}


def sketches() -> Sketches:
    """Return what ten minutes of a camera leave behind."""
    found, chance = Sketches(), random.Random(1)
    for _ in range(SLOT * FPS):
        for name in (AGE, *STAGES):
            found[name].add(chance.lognormvariate(-1.2 if name in (AGE, "service") else -4, 0.5))
    return found


MINUTE_SUMS = {
    **dict.fromkeys((*EMOTIONS, *AGES), 5),
    "results": 300,
    "calls": 310,
    "errors": 1,
    "faces": 500,
    "smiling": 90,
    "female": 250,
    "male": 250,
    "dollars": 0.31,
    "age_sum": 100.0,
    "age_max": 1.5,
}
AUDIENCE_SUMS = {**dict.fromkeys(COUNTS, 3), **dict.fromkeys(SECONDS, 20.0)}


if __name__ == "__main__":
    main()
