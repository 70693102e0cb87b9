"""HTTP/1.1 as SDKs speak it: connections, headers, bodies, and the limits on each.

The standard library's server was the fastest of three measured with 160 KB requests (added ms of one connection, and
ms of CPU a call: 1.5, 1.2; uvicorn with h11 1.7, 1.5; with httptools 1.7, 1.5), once its writes are buffered and Nagle's
delay is off: without these, 40 ms a call.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from rekognition_local.access import Access, Request
from rekognition_local.protocol import CONTENT_TYPE, ServiceError
from rekognition_local.service import HEALTH, Reply, Service, as_json

log = logging.getLogger(__name__)

MAX_BODY = 32 * 1024 * 1024
"""Two images of the largest size in base64, and room to spare."""

MAX_BODIES = 8 * MAX_BODY
"""Held at once, for all connections; further ones wait, as they do for a core."""

MAX_CONNECTIONS = 512
"""Open at once: each is a thread. One more is refused with 503, which SDKs try again."""

_FULL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_ONCE_ONLY = ("Authorization", "Content-Length", "Host", "X-Amz-Date", "X-Amz-Target")
_LENGTH_DIGITS = 12
_STRANGER_SECONDS, _IDLE_SECONDS = 20, 120  # without a word: before the first request that is answered, and after it
_PARTING_SECONDS = 0.5
_WAITING_CONNECTIONS = 256
_PIECE = 65_536


class HttpServer(ThreadingHTTPServer):
    """Knows its open connections, so that closing leaves no thread waiting for a client that says or reads nothing."""

    daemon_threads = False
    request_queue_size = _WAITING_CONNECTIONS

    def __init__(self, address: tuple[str, int], service: Service, access: Access) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.service = service
        self.access = access
        self.bodies = Room(MAX_BODIES)
        self._connections: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a connection a thread, or turn it away."""
        with self._changed:
            full = len(self._connections) >= MAX_CONNECTIONS
            if not full:
                self._connections.add(request)
        if full:
            log.warning("refused a connection from %s: %d are open", client_address, MAX_CONNECTIONS)
            _turn_away(request)
        else:
            super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that ends."""
        with self._changed:
            self._connections.discard(request)
            self._changed.notify_all()
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Stop reading from every connection, let answers go out for half a second, and free the port."""
        self._shut(socket.SHUT_RD)
        with self._changed:
            self._changed.wait_for(lambda: not self._connections, _PARTING_SECONDS)
        self._shut(socket.SHUT_RDWR)
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the library's signature
        """Say in the log, not on the terminal, that a client went away."""
        log.debug("a connection from %s broke", client_address, exc_info=True)

    def _shut(self, how: int) -> None:
        with self._changed:
            for connection in self._connections:
                with contextlib.suppress(OSError):  # the client closed it first
                    connection.shutdown(how)


class Room:
    """Space for so many bytes at once."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._changed = threading.Condition()

    @contextmanager
    def of(self, size: int) -> Iterator[None]:
        """Hold `size` bytes of it, after waiting for them to be free."""
        with self._changed:
            self._changed.wait_for(lambda: self._left >= size)
            self._left -= size
        try:
            yield
        finally:
            with self._changed:
                self._left += size
                self._changed.notify_all()


class _Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with keep-alive, one write per answer."""

    server: HttpServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "rekognition-local", ""
    wbufsize = -1
    disable_nagle_algorithm = True
    timeout = _STRANGER_SECONDS

    def do_POST(self) -> None:
        request_id = str(uuid.uuid4())
        target = self.headers.get("X-Amz-Target")
        self._serve(lambda body: self.server.service.call(target, body, request_id), request_id)

    def do_PUT(self) -> None:
        self._serve(lambda body: self.server.service.put(self.path, body))

    def do_GET(self) -> None:
        if self.path.partition("?")[0] == HEALTH:
            self.close_connection = self.close_connection or "Content-Length" in self.headers  # a body is not read
            self._answer(self.server.service.get(HEALTH))
        else:
            self._serve(lambda _body: self.server.service.get(self.path))

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's signature
        log.debug(format, *args)

    def _serve(self, reply: Callable[[bytes], Reply], request_id: str | None = None) -> None:
        """Answer a request whose sender, length and body are in order, or say what is not."""
        length = self._length()
        if length is None or not self._admit(self.server.access.check_caller, self._headers(), length):
            return
        with self.server.bodies.of(length):
            body = self.rfile.read(length)
            if len(body) < length:
                self.close_connection = True  # the client went away, or this server is closing
            elif self._admit(self.server.access.check, Request(self.command, self.path, self._headers(), body)):
                self.connection.settimeout(_IDLE_SECONDS)
                self._answer(reply(body), request_id)

    def _length(self) -> int | None:
        """Return the length of the body, or answer what is wrong with the headers and return None."""
        length = self.headers.get("Content-Length", "0").strip()
        twice = [name for name in _ONCE_ONLY if len(self.headers.get_all(name, ())) > 1]
        if twice:
            self._refuse(HTTPStatus.BAD_REQUEST, f"the header {twice[0]} came more than once")
        elif "Transfer-Encoding" in self.headers:
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "send the body with a Content-Length, not in chunks")
        elif not (length.isascii() and length.isdecimal() and len(length) <= _LENGTH_DIGITS):
            self._refuse(HTTPStatus.BAD_REQUEST, f"Content-Length is {length[:_LENGTH_DIGITS]!r}; it must be a whole number")
        elif int(length) > MAX_BODY:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the request has {length} bytes; the most is {MAX_BODY}")
        else:
            return int(length)
        return None

    def _admit(self, check: Callable[[Any], None], judged: object, unread: int = 0) -> bool:
        """Return whether a check passes; if it does not, read what is left of the body and answer why."""
        try:
            check(judged)
        except ServiceError as error:
            self._discard(unread)
            self.close_connection = True
            request_id = str(uuid.uuid4())
            self._answer(Reply(error.status, error.body(request_id), CONTENT_TYPE), request_id)
            return False
        return True

    def _discard(self, left: int) -> None:
        """Read a body piece by piece and keep none of it: only then does the answer reach a client that sends first."""
        while left > 0 and (piece := self.rfile.read(min(left, _PIECE))):
            left -= len(piece)

    def _headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        self.close_connection = True
        self._answer(as_json(status, {"__type": "SerializationException", "Message": message}))

    def _answer(self, reply: Reply, request_id: str | None = None) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        if request_id is not None:
            self.send_header("x-amzn-RequestId", request_id)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)
        self.wfile.flush()


def _turn_away(connection: socket.socket) -> None:
    """Say 503 and close; what has come is read first, else the reset that closing sends overtakes the answer."""
    with contextlib.suppress(OSError):  # it may be gone already
        connection.settimeout(_PARTING_SECONDS / 10)
        connection.sendall(_FULL)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(_PIECE):
            pass
    connection.close()
