"""A test camera as a process: started, frozen, thawed, killed and started again on the same port."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parents[2]
START_SECONDS = 20.0


class CameraProcess:
    """One `python -m tests.cameras.…`; `started` is when its frame 0 was sent, seconds since 1970."""

    def __init__(self, module: str, arguments: Sequence[str], scheme: str = "rtsp") -> None:
        self._module = module
        self._arguments = list(arguments)
        self._scheme = scheme
        self._process: subprocess.Popen[str] | None = None
        self.port = 0
        self.started = 0.0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()

    def start(self) -> None:
        """Start the camera, on the same port as before if there was one, and wait until it listens."""
        command = [sys.executable, "-m", f"tests.cameras.{self._module}", *self._arguments, "--port", str(self.port)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        port, started = _first_line(self._process).split()
        self.port, self.started = int(port), float(started)

    def freeze(self) -> None:
        """Stop the process where it is: connections stay open and nothing comes (SIGSTOP)."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End the process at once (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def url(self, path: str, user: str = "") -> str:
        """Return the URL of one of its paths; `user` is USER:PASSWORD."""
        return f"{self._scheme}://{user + '@' if user else ''}127.0.0.1:{self.port}/{path}"

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            raise RuntimeError("the camera is not running")
        os.kill(self._process.pid, number)


def rtsp_camera(shown: dict[str, Path], *options: str) -> CameraProcess:
    """Return an RTSP camera that shows videos under names; see tests/cameras/rtsp.py for the options."""
    return CameraProcess("rtsp", [*(part for name, path in shown.items() for part in ("--show", f"{name}={path}")), *options])


def web_camera(video: Path, *options: str) -> CameraProcess:
    """Return a camera that shows a video as MJPEG, HLS and as a file; see tests/cameras/web.py."""
    return CameraProcess("web", ["--show", str(video), *options], scheme="http")


def _first_line(process: subprocess.Popen[str]) -> str:
    """Return the line that says where the camera listens; raises RuntimeError when it ends or stays silent."""
    output = process.stdout
    if output is None:
        raise RuntimeError("the camera was started without a pipe")
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        line = output.readline() if selector.select(START_SECONDS) else ""
    if not line:
        process.kill()
        process.communicate()
        raise RuntimeError(f"the camera {process.args!r} did not start")
    return line
