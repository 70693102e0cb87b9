"""What the tests of people share: the real process, on a thread of the test."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from people.house import PeopleSettings
from people.process import PeopleProcess
from pipeline.broker import Broker
from pipeline.provider import Provider

LOCAL = Provider("local", "us-east-1")


@contextmanager
def people_process(broker: Broker, data: Path, provider: Provider = LOCAL) -> Iterator[PeopleProcess]:
    """Run the people process until the end of the with-block."""
    stop = threading.Event()
    process = PeopleProcess(broker, PeopleSettings(data, provider, version="1"), stop)
    process.start()
    try:
        yield process
    finally:
        stop.set()
        process.shut_down()
