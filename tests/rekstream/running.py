"""`rekstream up` as people start it: a process, what it says, its API, and what is left of it afterwards."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx
import psutil

from pipeline.settings import environment
from tests.rekstream import warm


class Up:
    """One running `rekstream up`; ends with the with-block, and says then whether processes stayed behind."""

    def __init__(self, folder: Path, sources: Sequence[str], *options: str, env: Mapping[str, str] | None = None) -> None:
        self._lines: list[str] = []
        self._spoken = threading.Condition()
        command = [sys.executable, "-m", "rekstream", "up", *sources, "--port", "0", "--data", str(folder / "data"), *options]
        clean = {name: value for name, value in environment().items() if not name.startswith(("REKSTREAM_", "AWS_"))}
        self.process = subprocess.Popen(
            command, cwd=folder, env={**clean, **(env or {})}, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._family: list[psutil.Process] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def said(self) -> str:
        with self._spoken:
            return "".join(self._lines)

    @property
    def api(self) -> str:
        return self.wait_for(r"API +(http://\S+)").group(1)

    def wait_for(self, pattern: str, seconds: float = 60.0) -> re.Match[str]:
        deadline = time.monotonic() + seconds
        with self._spoken:
            while True:
                found = re.search(pattern, "".join(self._lines))
                if found:
                    return found
                left = deadline - time.monotonic()
                assert left > 0, f"{pattern!r} was not said within {seconds} s, but: {''.join(self._lines)[-2000:]}"
                self._spoken.wait(left)

    def get(self, path: str) -> dict[str, Any]:
        return dict(httpx.get(f"{self.api}{path}", timeout=10).json())

    def camera(self, camera: str) -> dict[str, Any]:
        return next(entry for entry in self.get("/api/cameras")["cameras"] if entry["id"] == camera)

    def state(self, camera: str) -> str:
        return str(self.camera(camera)["status"]["state"])

    def results(self, camera: str) -> list[dict[str, Any]]:
        return list(self.get(f"/api/results?camera={camera}&limit=50")["results"])

    def until(self, condition: Callable[[], object], seconds: float = 45.0) -> float:
        """Wait until the API says so; returns the seconds it took."""
        began = time.monotonic()
        while True:
            try:
                if condition():
                    return time.monotonic() - began
            except (httpx.HTTPError, KeyError, ValueError):
                pass  # the API may be starting again
            assert time.monotonic() - began < seconds, f"not so within {seconds} s; {self.said[-2000:]}"
            time.sleep(0.05)

    def fresh_result(self, camera: str, seconds: float = 45.0) -> dict[str, Any]:
        """Wait for a result of a frame that is captured from now on."""
        since = time.time()
        found: list[dict[str, Any]] = []

        def look() -> bool:
            found[:] = [result for result in self.results(camera) if result["captured_at"] > since and not result["error"]]
            return bool(found)

        self.until(look, seconds)
        return found[-1]

    def part(self, name: str) -> psutil.Process:
        """Return the process of a part: work, produce, dashboard, local-rekognition or valkey."""
        for child in psutil.Process(self.process.pid).children():
            words = child.cmdline()
            if name in words or name in Path(words[0]).name:
                return child
        raise KeyError(f"no part {name}")

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """End it as Ctrl-C does, and make sure that nothing stays."""
        if self.process.poll() is None:
            family = psutil.Process(self.process.pid).children(recursive=True)
            self.process.send_signal(number)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise
            _, alive = psutil.wait_procs(family, timeout=5)
            assert alive == [], f"left behind: {[process.cmdline() for process in alive]}"
        self._reader.join(5)
        return int(self.process.returncode)

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            with self._spoken:
                self._lines.append(line)
                self._spoken.notify_all()
        self.process.stderr.close()


def run(
    *arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, seconds: float = 60
) -> tuple[int, str, str]:
    """Run one command and return its exit code, what it printed, and what it said on standard error."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("REKSTREAM_", "AWS_"))}
    hermetic = {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    }
    return warm.run(arguments, {**clean, **hermetic, **(env or {})}, cwd, seconds)
