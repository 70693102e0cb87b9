"""The dashboard process: the HTTP API over its parts."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

import redis
from fastapi import FastAPI

from dashboard import answers
from dashboard.guard import Guard
from dashboard.pages import PageFiles
from dashboard.parts import Parts
from dashboard.routes import routes
from dashboard.server import HttpServer, bind
from dashboard.settings import DashboardSettings
from pipeline.broker import Broker
from pipeline.errors import BrokerError, RekstreamError

WATCH_SECONDS = 0.5


def create_app(parts: Parts) -> FastAPI:
    """Return the API over `parts`, which the caller starts and stops."""
    app = FastAPI(
        title="rekstream",
        version=parts.settings.version or "0",
        summary="Near real-time face analysis of live cameras",
        docs_url=None,
        redoc_url=None,
        responses=answers.PROBLEMS,
    )
    app.include_router(routes(parts))
    if parts.settings.examples:
        app.mount("/static/examples", PageFiles(parts.settings.examples))
    app.mount("/static", PageFiles())
    answers.install(app, parts.broker.address)
    app.add_middleware(Guard, settings=parts.settings, sessions=parts.sessions)
    return app


def run(
    broker: Broker, settings: DashboardSettings, stop: threading.Event, on_ready: Callable[[str], None] = lambda url: None
) -> None:
    """Serve the API until `stop` is set; `on_ready` hears the URL once requests are answered.

    Redis may come and go meanwhile. Raises, before `on_ready`, SettingsError (no token and no password beyond loopback, a
    state file that cannot be used, an address that is not ours), PortInUse, or BrokerError.
    """
    settings.check()
    bound = bind(settings.host, settings.port)
    with contextlib.closing(bound):
        parts = _checked_parts(broker, settings)
        server = HttpServer(create_app(parts), bound)
        parts.start()
        server.start()
        try:
            parts.announce(_metrics_address(broker, settings, bound))
            on_ready(_url(settings, bound))
            _wait(stop, server)
        finally:
            parts.feed.dismiss()
            server.stop()
            parts.stop()


def _checked_parts(broker: Broker, settings: DashboardSettings) -> Parts:
    broker.check()
    try:
        return Parts(broker, settings)
    except redis.RedisError as error:
        raise BrokerError(f"Redis at {broker.address} went away during the start ({error}): start again") from error


def _wait(stop: threading.Event, server: HttpServer) -> None:
    while not stop.wait(WATCH_SECONDS):
        if not server.is_alive():
            raise RekstreamError("the dashboard's HTTP server ended by itself: see the log, and start it again")


def _url(settings: DashboardSettings, bound: socket.socket) -> str:
    """Return the URL at which a browser on this machine finds the API."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104  # compared, not bound
    return f"http://{_in_url(host)}:{bound.getsockname()[1]}"


def _metrics_address(broker: Broker, settings: DashboardSettings, bound: socket.socket) -> str:
    """Return where Prometheus reaches /metrics: the address that was bound, or of several the one towards Redis."""
    is_any = settings.host in ("0.0.0.0", "::")  # noqa: S104  # compared, not bound
    host = broker.own_address() if is_any else settings.host
    return f"{_in_url(host)}:{bound.getsockname()[1]}"


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
