"""HTTP: a thread per connection, which waits while one of a thread per core reads the picture.

The standard library's server was the fastest of three measured with 160 KB requests (added ms of one connection, and
ms of CPU a call: 1.5, 1.2; uvicorn with h11 1.7, 1.5; with httptools 1.7, 1.5), once its writes are buffered and Nagle's
delay is off: without these, 40 ms a call.
"""

import contextlib
import logging
import signal
import socket
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from pipeline.errors import PortInUse
from rekognition_local.access import Access, Request, access_for
from rekognition_local.images import ImageLoader
from rekognition_local.operations import Dispatcher, Operations
from rekognition_local.protocol import CONTENT_TYPE, Operation, ServiceError
from rekognition_local.rehearsal import Rehearsal, Stage
from rekognition_local.service import HEALTH, Reply, Service, as_json
from vision.detector import DetectorSettings
from vision.faces import FaceEngine

log = logging.getLogger(__name__)

MAX_BODY = 32 * 1024 * 1024
"""Two images of the largest size in base64, and room to spare."""

MAX_CONNECTIONS = 512
"""Open at once: each is a thread. One more is refused with 503, which SDKs try again."""

_FULL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_IDLE_SECONDS = 120
_POLL_SECONDS = 0.05
_WAITING_CONNECTIONS = 256
_PIECE = 65_536


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where to listen, and how to answer; port 0 takes a free one, `cores` None all there are.

    `data` is the folder in which collections last; without one they end with the server. With an access key and its
    secret key only requests signed with them are answered; without, only `host`s of this machine can be listened on.
    """

    host: str = "127.0.0.1"
    port: int = 0
    cores: int | None = None
    data: Path | None = None
    s3_endpoint_url: str | None = None
    access_key: str | None = None
    secret_key: str | None = field(default=None, repr=False)
    detector: DetectorSettings = field(default_factory=DetectorSettings)
    rehearsal: Rehearsal = field(default_factory=Rehearsal)


def serve(settings: ServerSettings, ready: Callable[[str], None] | None = None) -> None:
    """Answer until SIGTERM or SIGINT, then end within a second; `ready` is told the endpoint URL. Main thread only."""
    stop = threading.Event()

    def on_signal(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, on_signal)
    with Server(settings) as server:
        if ready is not None:
            ready(server.url)
        stop.wait()


class Server:
    """A running server, for as long as the `with` block lasts; `url` is its endpoint_url.

    `operations` replaces what is answered, by AWS's names: a test or a measurement brings its own.
    """

    def __init__(self, settings: ServerSettings | None = None, operations: Mapping[str, Operation] | None = None) -> None:
        self._settings = settings or ServerSettings()
        self._access = access_for(self._settings.host, self._settings.access_key, self._settings.secret_key)
        self._own = Operations(FaceEngine(self._settings.detector), self._settings.data) if operations is None else None
        table = self._own.table() if self._own else operations or {}
        dispatcher = Dispatcher(table, ImageLoader(self._settings.s3_endpoint_url), self._settings.cores)
        self._service = Service(dispatcher, Stage(self._settings.rehearsal))
        self._http: _HttpServer | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> "Server":
        self._http = _listen(self._settings, self._service, self._access)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(_POLL_SECONDS,), name="rekognition-local")
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop accepting, end the calls that only wait, let those at work finish, and close every connection."""
        http, thread = self._running(), self._thread
        self._service.close()
        http.shutdown()
        if thread is not None:
            thread.join()
        http.server_close()
        self._http = None
        if self._own:
            self._own.close()

    @property
    def url(self) -> str:
        """What boto3 takes as endpoint_url."""
        host, port = self._running().server_address[:2]
        shown = f"[{host!s}]" if ":" in str(host) else host
        return f"http://{shown!s}:{port}"

    @property
    def stats(self) -> dict[str, Any]:
        """What GET /stats answers."""
        return self._service.stats.to_json()

    def rehearse(self, rehearsal: Rehearsal) -> None:
        """Do what PUT /rehearsal does."""
        self._service.stage.change(rehearsal)

    def _running(self) -> "_HttpServer":
        if self._http is None:
            raise RuntimeError("the server runs inside its with block only")
        return self._http


class _HttpServer(ThreadingHTTPServer):
    """Knows its open connections, so that closing leaves no thread waiting for a client that says nothing."""

    daemon_threads = False
    request_queue_size = _WAITING_CONNECTIONS

    def __init__(self, address: tuple[str, int], service: Service, access: Access) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.service = service
        self.access = access
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._connections_lock:
            full = len(self._connections) >= MAX_CONNECTIONS
            if not full:
                self._connections.add(request)
        if full:
            log.warning("refused a connection from %s: %d are open", client_address, MAX_CONNECTIONS)
            with contextlib.suppress(OSError):  # it may be gone already
                request.sendall(_FULL)
            self.shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._connections_lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Stop reading from every connection, wait for the answers under way, and free the port."""
        with self._connections_lock:
            for connection in self._connections:
                _stop_reading(connection)
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the library's signature
        """Say in the log, not on the terminal, that a client went away."""
        log.debug("a connection from %s broke", client_address, exc_info=True)


def _stop_reading(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RD)
    except OSError:  # the client closed it first
        log.debug("a connection was closed already")


class _Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with keep-alive, one write per answer."""

    server: _HttpServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "rekognition-local", ""
    wbufsize = -1
    disable_nagle_algorithm = True
    timeout = _IDLE_SECONDS

    def do_POST(self) -> None:
        request_id = str(uuid.uuid4())
        body = self._body()
        if body is not None:
            self._answer(self.server.service.call(self.headers.get("X-Amz-Target"), body, request_id), request_id)

    def do_GET(self) -> None:
        if self._body() is not None:
            self._answer(self.server.service.get(self.path))

    def do_PUT(self) -> None:
        body = self._body()
        if body is not None:
            self._answer(self.server.service.put(self.path, body))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's signature
        log.debug(format, *args)

    def _body(self) -> bytes | None:
        """Return the body of a request that may be answered, or answer why not and return None."""
        headers = {name.lower(): value for name, value in reversed(self.headers.items())}  # of doubles the first, as get() does
        if self.path == HEALTH:
            return self._whole_body()
        try:
            self.server.access.check_caller(headers)
        except ServiceError as error:
            self._discard_body()
            self._deny(error)
            return None
        body = self._whole_body()
        try:
            if body is not None:
                self.server.access.check(Request(self.command, self.path, headers, body))
        except ServiceError as error:
            self._deny(error)
            return None
        return body

    def _deny(self, error: ServiceError) -> None:
        self.close_connection = True
        request_id = str(uuid.uuid4())
        self._answer(Reply(error.status, error.body(request_id), CONTENT_TYPE), request_id)

    def _discard_body(self) -> None:
        """Read what a stranger sends, piece by piece: only then does the answer reach a client that sends first."""
        length = self.headers.get("Content-Length", "0")
        left = min(int(length), MAX_BODY) if length.isdecimal() else 0
        while left > 0 and (piece := self.rfile.read(min(left, _PIECE))):
            left -= len(piece)

    def _whole_body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers:
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "send the body with a Content-Length, not in chunks")
        elif not length.isdecimal():
            self._refuse(HTTPStatus.BAD_REQUEST, f"Content-Length is {length!r}; it must be a whole number")
        elif int(length) > MAX_BODY:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the request has {length} bytes; the most is {MAX_BODY}")
        else:
            return self._read(int(length))
        return None

    def _read(self, length: int) -> bytes | None:
        body = self.rfile.read(length)
        if len(body) == length:
            return body
        self.close_connection = True  # the client went away, or this server is closing
        return None

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
        self.wfile.write(reply.body)
        self.wfile.flush()


def _listen(settings: ServerSettings, service: Service, access: Access) -> _HttpServer:
    try:
        return _HttpServer((settings.host, settings.port), service, access)
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        raise PortInUse(
            f"the local Rekognition server cannot listen on {where} ({error.strerror}); choose another port"
        ) from error
