"""What this machine has of its own: the demo's portraits, and a local Rekognition server to be started."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx

from pipeline.errors import PortInUse, RekstreamError
from rekstream.children import Part, ours

DEMO_FOLDER = Path(__file__).parent / "demo"
READY_SECONDS = 30.0
POLL_SECONDS = 0.05


def rekognition_part(told: Mapping[str, str]) -> tuple[Part, str]:
    """Return the process of a local Rekognition server on a free port of loopback, and its URL."""
    port = free_port("127.0.0.1", 0)
    environment = {**told, "REKSTREAM_HOST": "127.0.0.1", "REKSTREAM_PORT": str(port)}
    return Part("local-rekognition", ours("local-rekognition"), environment), f"http://127.0.0.1:{port}"


def wait_until_healthy(server: str, meanwhile: Callable[[], None]) -> None:
    """Wait until a server of ours answers, calling `meanwhile` again and again; raises RekstreamError."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        meanwhile()
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{server}/healthz", timeout=1, trust_env=False).is_success:
                return
        time.sleep(POLL_SECONDS)
    raise RekstreamError(f"nothing answered at {server} within {READY_SECONDS:g} s")


def free_port(host: str, port: int) -> int:
    """Return `port` if nobody listens there, or a free one for 0; raises PortInUse."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortInUse(
                f"port {port} of {host} cannot be used ({error.strerror}): choose another with --port, or 0 for a free one"
            ) from error
        return int(probe.getsockname()[1])
