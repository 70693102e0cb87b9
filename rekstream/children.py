"""Processes that are kept running: each is started again when it dies, and none outlives this one."""

from __future__ import annotations

import ctypes
import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from pipeline.errors import SettingsError

log = logging.getLogger(__name__)

USER_ERROR = 2  # the exit code of a part that has said in one sentence what is wrong
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
_STEADY_SECONDS = 10.0
_ERROR = "error: "
_PR_SET_PDEATHSIG = 1


class PartFailed(SettingsError):
    """A part ended at its first start because of something that its user has to change."""


@dataclass(frozen=True, slots=True)
class Part:
    """What to run: `environment` carries the secrets, which arguments would show to everybody on the machine."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    stop_seconds: float = 5.0


class Child:
    """One part's process.

    Start and tend it from one thread that stays: Linux ends children with the thread that started them.
    """

    def __init__(self, part: Part, say: Callable[[str, str], None]) -> None:
        self.part = part
        self.starts = 0
        self._say = say
        self._process: subprocess.Popen[str] | None = None
        self._started_at = 0.0
        self._pause = _SHORTEST_PAUSE
        self._again_at = 0.0
        self._last_words = ""
        self._listener: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start the process and pass on what it says."""
        self.starts += 1
        self._started_at = time.monotonic()
        self._process = subprocess.Popen(  # noqa: S603  # our own parts, with arguments of ours
            list(self.part.command),
            env=dict(self.part.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509  # prctl only; no lock is taken between fork and exec
        )
        self._listener = threading.Thread(target=self._listen, args=(self._process.stderr,), daemon=True)
        self._listener.start()

    def tend(self) -> None:
        """Start the process again if it died, after a pause that grows; raises PartFailed when its first start was refused."""
        if self._process is None or self._process.poll() is None:
            return
        now = time.monotonic()
        if not self._again_at:
            self._note_death(self._process.returncode, now - self._started_at)
            self._again_at = now + self._pause
        if now >= self._again_at:
            self._again_at = 0.0
            self.start()

    def ask_to_stop(self) -> None:
        """Send SIGTERM."""
        if self._process and self._process.poll() is None:
            self._process.terminate()

    def stop(self) -> None:
        """Ask, wait, and at last insist; what it started ends with it."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(self.part.stop_seconds)
            except subprocess.TimeoutExpired:
                log.warning("%s did not stop within %g s and was killed", self.part.name, self.part.stop_seconds)
                process.kill()
                process.wait()

    def _note_death(self, code: int, lived: float) -> None:
        if self._listener:
            self._listener.join(timeout=1)
        if code == USER_ERROR and self.starts == 1 and lived < _STEADY_SECONDS:
            raise PartFailed(self._last_words or f"{self.part.name} cannot be started")
        self._pause = _SHORTEST_PAUSE if lived > _STEADY_SECONDS else min(_LONGEST_PAUSE, self._pause * 2)
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        why, self._last_words = self._last_words, ""
        self._say(self.part.name, f"ended ({how}{': ' + why if why else ''}), starting it again")

    def _listen(self, lines: IO[str] | None) -> None:
        for line in lines or ():
            text = line.rstrip()
            if text.startswith(_ERROR):
                self._last_words = text.removeprefix(_ERROR)
            elif text:
                self._say(self.part.name, text)


def ours(*arguments: str) -> list[str]:
    """Return the command that runs one of our own parts with this Python."""
    return [sys.executable, "-m", "rekstream", *arguments]


def _die_with_parent() -> None:
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
