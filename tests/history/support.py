"""What the tests of the history share: the real process on a thread of the test, and results out of nothing."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from sqlalchemy import Table, select

from history.database import Database
from history.house import HistorySettings, House, Recorder
from history.process import HistoryProcess
from history.records import Records
from history.rooms import TABLES
from history.writer import Writer
from pipeline import keys
from pipeline.broker import Broker
from pipeline.clock import RedisClock
from pipeline.metrics import HistoryMetrics
from tests.dashboard.support import FACE


@contextmanager
def history_process(broker: Broker, data: Path, **settings: Any) -> Iterator[HistoryProcess]:
    """Run the history process until the end of the with-block."""
    stop = threading.Event()
    process = HistoryProcess(broker, HistorySettings(data, version="1", **settings), stop)
    process.start()
    try:
        yield process
    finally:
        stop.set()
        process.shut_down()


class Writing:
    """The writer with its database and some rooms, and nothing else of the process."""

    def __init__(
        self, broker: Broker, data: Path, url: str = "", rooms: Sequence[type[Recorder]] = (Records,), **settings: Any
    ) -> None:
        registry = CollectorRegistry()
        self.database = Database(data, url, TABLES)
        told = HistorySettings(data, url, **settings)
        self.house = House(broker, self.database, RedisClock(broker.scripts), told, registry)
        self.rooms = [room(self.house) for room in rooms]
        for room in self.rooms:
            room.meet({type(other): other for other in self.rooms})
        self._stop = threading.Event()
        self.writer = Writer(broker, self.database, self.rooms, HistoryMetrics(registry), lambda: True, self._stop)

    def __enter__(self) -> Writing:
        self.writer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self.writer.join(20)
        self.database.close()


def publish(
    broker: Broker,
    camera: str = "door",
    at: float | None = None,
    faces: Sequence[Mapping[str, Any]] = (FACE,),
    operation: str = "DetectFaces",
    error: Mapping[str, str] | None = None,
    **members: Any,
) -> str:
    """Put a result into the stream, as a worker's script does, and return its id."""
    seconds, micros = broker.scripts.time()  # type: ignore[misc]  # redis-py types every command as sync-or-async
    now = seconds + micros / 1e6
    result = {
        "seq": 1, "captured_at": now - 0.25 if at is None else at, "width": 1280, "height": 720, "provider": "local",
        "operation": operation, "stages": {"service": 0.1}, "error": error,
    }  # fmt: skip
    answer = {"FaceDetails": list(faces)} if operation == "DetectFaces" and not error else {}
    values = {"camera": camera, "published_at": f"{now:.6f}", "result": json.dumps({**result, **answer, **members})}
    return broker.scripts.xadd(keys.RESULTS, values).decode()  # type: ignore[union-attr]  # as above


def publish_many(broker: Broker, count: int, noise: int = 0) -> None:
    """Put results of one face each into the stream, with so many characters that cannot be packed."""
    seconds, _ = broker.scripts.time()  # type: ignore[misc]  # as above
    pipe = broker.jobs.pipeline(transaction=False)
    for number in range(count):
        result = {
            "seq": number, "captured_at": seconds - 0.25, "width": 1280, "height": 720, "provider": "local",
            "FaceDetails": [face(f"door-{number % 7}")], "Noise": random.randbytes(noise // 2).hex(),
        }  # fmt: skip
        pipe.xadd(keys.RESULTS, {"camera": "door", "published_at": f"{seconds:.6f}", "result": json.dumps(result)})
    pipe.execute()


def rows(process: HistoryProcess | Writing, table: Table) -> list[dict[str, Any]]:
    """Return all rows of a table, in the order of their keys."""
    with process.database.reading() as connection:
        return [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]


def face(track: str = "", **members: Any) -> dict[str, Any]:
    """Return a face as it stands in a result."""
    return {**FACE, **({"Track": track} if track else {}), **members}
