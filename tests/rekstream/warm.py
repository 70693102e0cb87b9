"""Runs commands in processes of their own without the second that Python needs to import them: forked from one that did.

The forked process is as fresh as a new one: its arguments, environment, folder and output are its own.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["rekstream.cli", "rekstream.session", "rekstream.photo"])


def run(arguments: Sequence[str], environment: Mapping[str, str], folder: Path | None, seconds: float) -> tuple[int, str, str]:
    """Run `rekstream` with these arguments; return its exit code, what it printed, and what it said on standard error."""
    with tempfile.TemporaryDirectory() as outputs:
        told = (tuple(arguments), dict(environment), str(folder or Path.cwd()), outputs)
        process = _SERVER.Process(target=_command, args=told)
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(["rekstream", *arguments], seconds)
        printed, said = (Path(outputs, name).read_text() for name in ("stdout", "stderr"))
        return process.exitcode, printed, said


def _command(arguments: Sequence[str], environment: Mapping[str, str], folder: str, outputs: str) -> None:
    for number, name in ((0, os.devnull), (1, f"{outputs}/stdout"), (2, f"{outputs}/stderr")):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    time.tzset()
    sys.argv = ["rekstream", *arguments]

    from rekstream.cli import main  # noqa: PLC0415  # it was imported before the fork

    main()
