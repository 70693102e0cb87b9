"""An HTTP server on a thread of its own; signals stay with whoever runs the process."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import threading

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from pipeline.errors import PortInUse, SettingsError

log = logging.getLogger(__name__)

GRACE_SECONDS = 2
BACKLOG = 512
LARGEST_MESSAGE = 2 * 1024 * 1024  # bytes of one WebSocket message; a browser's picture is the largest there is
PING_SECONDS = 10.0  # a peer that does not answer for as long is gone
UNSENT_BYTES = 16 * 1024  # that the system holds back for a slow web socket


class HttpServer:
    """Serves an app on a bound socket until it is stopped; `is_alive` tells whether it still does."""

    def __init__(self, app: ASGIApp, bound: socket.socket) -> None:
        self._bound = bound
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws=_PromptSocket,
            ws_per_message_deflate=False,
            ws_max_size=LARGEST_MESSAGE,
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PING_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        self._server = _TellingServer(config)
        self._thread = threading.Thread(target=self._serve, name="http", daemon=True)

    def start(self) -> None:
        """Begin to serve; returns when requests are answered."""
        self._thread.start()
        self._server.is_up.wait()

    def is_alive(self) -> bool:
        """Say whether requests are answered."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Finish the requests that are running, for GRACE_SECONDS at most."""
        self._server.should_exit = True
        self._thread.join(timeout=GRACE_SECONDS + 3)

    def _serve(self) -> None:
        try:
            self._server.run(sockets=[self._bound])
        except Exception:  # the thread's boundary: whoever asks `is_alive` sees it
            log.exception("the HTTP server ended")
        finally:
            self._server.is_up.set()


class _TellingServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


class _PromptSocket(WebSocketsSansIOProtocol):
    """A web socket that makes its sender wait instead of queueing: what waits here would be old when it arrives."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=0)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):  # Linux, macOS
            connection = self.transport.get_extra_info("socket")
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens at HOST:PORT, any free port for 0; raises PortInUse or SettingsError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(
                f"port {port} of {host} is in use by another program: end that one, or choose another with --port "
                "(0 takes a free one)"
            ) from error
        raise SettingsError(f"nothing can listen at {host} port {port} ({error.strerror}): choose another") from error
    return bound
