"""A viewer of /api/live, as a page is one."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from websockets.sync.client import ClientConnection, connect

from pipeline.broker import Broker
from pipeline.entities import Preview
from pipeline.previews import PreviewPublisher
from tests.dashboard.support import PATIENCE, picture, until

SMALL = picture(width=320, height=180)


@dataclass(frozen=True, slots=True)
class Picture:
    """One binary message, and when it came by the monotonic clock."""

    header: dict[str, Any]
    jpeg: bytes
    came_at: float

    @property
    def kind(self) -> str:
        return str(self.header["kind"])

    @property
    def camera(self) -> str:
        return str(self.header["camera"])


class Viewing:
    """An open socket; `next` reads on to the next binary message, `ask` to the next text."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def say(self, **message: Any) -> None:
        self.connection.send(json.dumps(message))

    def watch(self, **cameras: str) -> None:
        self.say(watch=cameras)

    def next(self, seconds: float = PATIENCE) -> Picture:
        while isinstance(message := self.connection.recv(timeout=seconds), str):
            continue
        length = int.from_bytes(message[:4])
        return Picture(json.loads(message[4 : 4 + length]), message[4 + length :], time.monotonic())

    def next_where(self, condition: Callable[[Picture], bool]) -> Picture:
        while not condition(found := self.next()):
            continue
        return found

    def ask(self, **message: Any) -> dict[str, Any]:
        self.say(**message)
        while not isinstance(answer := self.connection.recv(timeout=PATIENCE), str):
            continue
        return dict(json.loads(answer))


class Served(Protocol):
    """What answers at a URL."""

    @property
    def url(self) -> str:
        """Where, as http://…"""
        ...


@contextmanager
def viewing(api: Served, buffer: int | None = None, **watch: str) -> Iterator[Viewing]:
    """Open a socket and watch these cameras; `buffer` bytes of the network are all that it reads ahead."""
    parts = urlsplit(api.url)
    plain = socket.socket()
    if buffer is not None:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    plain.connect((parts.hostname, parts.port))
    is_slow = buffer is not None
    queue, patience = (1, 0.1) if is_slow else (16, PATIENCE)
    url = api.url.replace("http", "ws") + "/api/live"
    with connect(url, sock=plain, max_queue=queue, close_timeout=patience, compression=None) as connection:
        viewer = Viewing(connection)
        if watch:
            viewer.watch(**watch)
        yield viewer


class Showing:
    """Publishes previews of one camera as a producer does."""

    def __init__(self, broker: Broker, camera: str) -> None:
        self.camera = camera
        self._broker = broker
        self.publisher = PreviewPublisher(broker.scripts)

    def publish(self, jpeg: bytes = SMALL) -> int:
        seconds, micros = self._broker.scripts.time()
        return self.publisher.publish(Preview(self.camera, seconds + micros / 1e6, 320, 180, jpeg))

    def is_watched(self) -> bool:
        return self.publisher.watchers(self.camera) > 0

    def wait_until_watched(self, watched: bool = True) -> None:
        until(lambda: self.is_watched() is watched)
