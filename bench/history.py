"""The history: how fast its writer is, and how long the pages' questions take over ten million results.

python -m bench.history [--results 10000000] [--cameras 8 40] [--folder FOLDER]    (0.7 GB a million results)
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from prometheus_client import CollectorRegistry

from bench import rig
from bench.month import DAY, DAYS, EVENINGS, FACE, FACES_A_TRACK, PEOPLE, Month, fill
from history.database import Database
from history.house import HistorySettings, House, Recorder
from history.rooms import ROOMS, TABLES
from history.writer import Writer
from pipeline import keys
from pipeline.broker import Broker
from pipeline.clock import RedisClock
from pipeline.metrics import HistoryMetrics
from pipeline.requests import Request

WRITTEN, AT_ONCE = 20_000, 8  # results, cameras
CAMERAS, TIMES = (8,), 5
Proof = Callable[[Mapping[str, Any]], object]
"""Says whether an answer holds what was asked for."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--results", type=int, default=10_000_000)
    parser.add_argument("--cameras", type=int, nargs="+", default=CAMERAS)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with rig.valkey() as url, tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        broker = Broker(url)
        write(broker, Path(folder))
        for cameras in asked.cameras:
            with tempfile.TemporaryDirectory(dir=folder) as large:
                ask(broker, Path(large), Month(asked.results, cameras, int(time.time()) // 60 * 60))
        broker.close()


def write(broker: Broker, folder: Path) -> None:
    """The whole writer, with all rooms, on a backlog: how much of a core does a result cost?"""
    publish(broker)
    house, rooms = furnished(broker, folder)
    stop = threading.Event()
    stop.set()  # it ends when all is written
    writer = Writer(broker, house.database, rooms, HistoryMetrics(CollectorRegistry()), lambda: True, stop)
    cpu, began = time.process_time(), time.monotonic()
    writer._follow()
    took, busy = time.monotonic() - began, time.process_time() - cpu
    assert writer.place.position == WRITTEN
    house.database.close()
    print("| the writer, all rooms, a face a result | measured | line |")
    print("|---|---|---|")
    print(f"| results a second of one core | {WRITTEN / busy:,.0f} | 500 |")
    print(f"| results a second, as the clock has it | {WRITTEN / took:,.0f} | |")


def publish(broker: Broker) -> None:
    now = time.time()
    pipe = broker.jobs.pipeline(transaction=False)
    for number in range(WRITTEN):
        face = {**FACE, "Track": f"cam{number % AT_ONCE}-{number // (AT_ONCE * FACES_A_TRACK)}"}
        result = {
            "seq": number, "captured_at": now - 100 + number / 200, "width": 1280, "height": 720, "provider": "local",
            "stages": {"encode": 0.01, "queue": 0.01, "limit": 0.0, "upload": 0.01, "service": 0.1},
            "FaceDetails": [face],
        }  # fmt: skip
        at = f"{now - 99.8 + number / 200:.6f}"
        pipe.xadd(keys.RESULTS, {"camera": f"cam{number % AT_ONCE}", "published_at": at, "result": json.dumps(result)})
        if number % 1000 == 0:
            pipe.execute()
    pipe.execute()


def furnished(broker: Broker, folder: Path) -> tuple[House, list[Recorder]]:
    """Return a house with all rooms in it, none of which does anything yet."""
    folder.mkdir(exist_ok=True)
    database = Database(folder, "", TABLES)
    house = House(broker, database, RedisClock(broker.scripts), HistorySettings(folder), CollectorRegistry())
    rooms: list[Recorder] = [room(house) for room in ROOMS]
    for room in rooms:
        room.meet({type(other): other for other in rooms})
    return house, rooms


def ask(broker: Broker, folder: Path, month: Month) -> None:
    """Put the pages' questions to a month of results."""
    house, rooms = furnished(broker, folder)
    house.database.prepare()
    house.database.close()
    began = time.monotonic()
    fill(folder / "history.sqlite", month)
    filled = time.monotonic() - began
    answers = {what: answer for room in rooms for what, answer in room.answers().items()}
    size = (folder / "history.sqlite").stat().st_size / 1e9
    print(f"\n| {month.count:,} results of {month.cameras} cameras in {DAYS} days, {PEOPLE} people, ", end="")
    print(f"{month.tracks:,} visits ({size:.1f} GB, filled in {filled:.0f} s) | median ms | slowest, ms | line |")
    print("|---|---|---|---|")
    for name, what, members, proof in questions(month):
        times = [1000 * asked(answers[what], what, one, proof) for one in members]
        print(f"| {name} | {median(times):.0f} | {max(times):.0f} | 200 |", flush=True)
    house.database.close()


def asked(answer: Any, what: str, members: Mapping[str, Any], proof: Proof) -> float:
    began = time.perf_counter()
    told = answer(Request("1", what, members))
    took = time.perf_counter() - began
    assert proof(told), f"{what} {members} found nothing: this measures nothing"
    return took


def questions(month: Month) -> Iterator[tuple[str, str, Sequence[Mapping[str, Any]], Proof]]:
    """Yield what the pages ask, each TIMES times with other days and cameras; whoever adds a question adds it here."""
    until = month.until
    days = [{"since": until - (n + 1) * DAY, "until": until - n * DAY} for n in range(TIMES)]
    of_one = [{**day, "camera": f"cam{n}"} for n, day in enumerate(days)]
    week, whole = ({"since": until - many * DAY, "until": until} for many in (7, DAYS))
    theirs = [{**whole, "person": f"p_{20 * n}", "limit": 50} for n in range(TIMES)]
    dates = [time.strftime("%Y-%m-%d", time.localtime(until - (n + 1) * DAY)) for n in range(TIMES)]
    yield "status", "history.status", [{}] * TIMES, _has("results")
    yield "search: newest", "history.search", [{"limit": 50}] * TIMES, _has("results")
    yield "search: a day of a camera", "history.search", of_one, _has("results")
    yield "search: an emotion in a month", "history.search", [{**whole, "emotion": "sad"}] * TIMES, _has("results")
    yield "search: a person in a month", "history.search", theirs, _has("results")
    yield "timeline: a day of a camera", "history.timeline", of_one, _has("cameras", "visits", "people")
    yield "timeline: a day", "history.timeline", days, _has("cameras", "visits", "people")
    yield "timeline: a week", "history.timeline", [week] * TIMES, _has("cameras", "visits", "people")
    yield "timeline: a month", "history.timeline", [whole] * TIMES, _has("cameras", "visits", "people")
    yield "timeline: an emotion in a month", "history.timeline", [{**whole, "emotion": "sad"}] * TIMES, _has("cameras")
    yield "timeline: a person's month", "history.timeline", theirs, _has("visits", "people")
    yield "audience: a day of a camera", "history.audience", of_one, _has("series", "laughs")
    yield "audience: a day", "history.audience", days, _has("series", "laughs")
    yield "audience: a month", "history.audience", [whole] * TIMES, _has("series", "laughs")
    for name, of in (("all cameras", "s_"), ("one camera", "s_one_")):
        shows = [{"id": f"{of}{n}"} for n in range(EVENINGS)]
        yield f"receipt of a show of an evening, {name}", "history.show", shows, _has("laughs", "minutes", "peak", "error")
    yield "attendance: a day", "history.attendance", [{"day": day} for day in dates], _shows_people
    yield "attendance: a person's month", "history.attendance", [{**one, "days": 31} for one in theirs], _shows_people
    yield "money: a month", "history.money", [whole] * TIMES, _has("by_camera", "series")


def _has(*members: str) -> Proof:
    return lambda told: all(told[member] for member in members)


def _shows_people(told: Mapping[str, Any]) -> object:
    """Say whether people were there, and which results show them is known of most: not of who was there at midnight."""
    there = [entry for entry in told["attendance"] if entry["seen"]]
    return there and sum(bool(entry["first_result"] and entry["last_result"]) for entry in there) > len(there) / 2


if __name__ == "__main__":
    main()
