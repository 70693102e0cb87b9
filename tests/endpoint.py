"""A Rekognition endpoint that answers as it is told: well, throttled, slowly, with garbage, or not at all."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FACE = {
    "BoundingBox": {"Width": 0.2, "Height": 0.3, "Left": 0.4, "Top": 0.2},
    "Confidence": 99.9,
    "Smile": {"Value": True, "Confidence": 97.0},
}
CONTENT_TYPE = "application/x-amz-json-1.1"


class Endpoint:
    """Serves on loopback until closed; `behave` chooses the answer of each call, by its number from 1."""

    def __init__(self, behave: Callable[[int], str] = lambda number: "ok", seconds: float = 0.0) -> None:
        self.behave, self.seconds = behave, seconds
        self.calls: list[float] = []
        self.bodies: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer._lock:
                    outer.calls.append(time.time())
                    outer.bodies.append(json.loads(body))
                    number = len(outer.calls)
                time.sleep(outer.seconds)
                getattr(self, f"answer_{outer.behave(number)}")()

            def answer_ok(self) -> None:
                is_search = "SearchFacesByImage" in self.headers.get("X-Amz-Target", "")
                self.reply(200, json.dumps({"FaceMatches": []} if is_search else {"FaceDetails": [FACE]}))

            def answer_throttled(self) -> None:
                self.fault(400, "ProvisionedThroughputExceededException")

            def answer_denied(self) -> None:
                self.fault(400, "AccessDeniedException")

            def answer_picture(self) -> None:
                self.fault(400, "InvalidImageFormatException")

            def answer_server(self) -> None:
                self.fault(500, "InternalServerError")

            def answer_gateway(self) -> None:
                self.reply(503, "<html>no</html>", "text/html")

            def answer_malformed(self) -> None:
                self.reply(200, '{"FaceDetails": [')

            def answer_other(self) -> None:
                self.reply(200, '{"hello": "world"}')

            def answer_list(self) -> None:
                self.reply(200, "[]")

            def answer_odd(self) -> None:
                self.reply(200, '{"FaceDetails": [1]}')

            def answer_silent(self) -> None:
                outer.released.wait(30)

            def answer_reset(self) -> None:
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.close_connection = True

            def fault(self, status: int, code: str) -> None:
                self.reply(status, json.dumps({"__type": code, "message": f"{code} for a test"}))

            def reply(self, status: int, text: str, content_type: str = CONTENT_TYPE) -> None:
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Say nothing: clients that go away are part of the tests."""

        self.released = threading.Event()
        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()
