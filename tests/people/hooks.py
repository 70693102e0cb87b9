"""A webhook's receiver: a real HTTP server that answers as it is told, and results as workers publish them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from pipeline import keys
from pipeline.broker import Broker


@dataclass(frozen=True)
class Post:
    """One request as it came, and when."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    at: float


class Hook:
    """Listens inside its with-block; `answer` says with which status, after how many seconds."""

    def __init__(self, answer: Callable[[int], tuple[int, float]] = lambda count: (200, 0.0), port: int = 0) -> None:
        self.posts: list[Post] = []
        self._arrived = threading.Condition()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body leave together: apart, the second waits 40 ms for an acknowledgement of the first

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status, seconds = answer(hook.note(Post(self.path, dict(self.headers), body, time.time())))
                time.sleep(seconds)
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                pass  # a sender that was killed

        self._server = Server(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hook"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def note(self, post: Post) -> int:
        with self._arrived:
            self.posts.append(post)
            self._arrived.notify_all()
            return len(self.posts)

    def wait_for(self, count: int, seconds: float = 15.0) -> list[Post]:
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.posts) >= count, seconds), f"{len(self.posts)} of {count} came"
            return list(self.posts)


def publish(broker: Broker, camera: str, captured_at: float, operation: str = "DetectFaces", **answer: Any) -> str:
    """Put a result into the stream as a worker does; return its id."""
    result = {"seq": 1, "captured_at": captured_at, "width": 640, "height": 360, "provider": "local", "operation": operation}
    fields = {"camera": camera, "published_at": repr(captured_at + 0.1), "result": json.dumps({**result, **answer})}
    added: Any = broker.scripts.xadd(keys.RESULTS, fields)  # type: ignore[arg-type]
    return str(added.decode())


def face(emotion: str = "HAPPY", confidence: float = 99.0, track: str | None = None) -> dict[str, Any]:
    """Return a face with one strong emotion, and a weak one before it."""
    emotions = [{"Type": "CALM", "Confidence": 1.0}, {"Type": emotion, "Confidence": confidence}]
    return {"Emotions": emotions, **({"Track": track} if track else {})}
