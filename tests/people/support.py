"""What the tests of people share: the real process on a thread of the test, and all that it meets."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from people.house import PeopleSettings
from people.process import PeopleProcess
from pipeline.broker import Broker
from pipeline.presence import living
from pipeline.provider import Provider
from tests.conftest import wait_until
from vision.pictures import inspect
from workers import pool

LOCAL = Provider("local", "us-east-1")


@contextmanager
def people_process(broker: Broker, data: Path, provider: Provider = LOCAL, **settings: Any) -> Iterator[PeopleProcess]:
    """Run the people process until the end of the with-block."""
    stop = threading.Event()
    process = PeopleProcess(broker, PeopleSettings(data, provider, version="1", **settings), stop)
    process.start()
    try:
        yield process
    finally:
        stop.set()
        process.shut_down()


@contextmanager
def working(broker: Broker, provider: Provider, threads: int = 4) -> Iterator[None]:
    """Run a real worker until the end of the with-block."""
    stop = threading.Event()
    worker = threading.Thread(target=pool.run, args=(broker, pool.WorkerSettings(provider, threads=threads), stop))
    worker.start()
    wait_until(lambda: any(process.details.get("alive") for process in living(broker.scripts, "worker")))
    try:
        yield
    finally:
        stop.set()
        worker.join()


def sent(picture: bytes) -> dict[str, Any]:
    """Return a picture as the dashboard sends it to the people process."""
    about = inspect(picture)
    return {"image": base64.b64encode(picture).decode(), "width": about.width, "height": about.height}
