"""Processes forked from a server that has imported everything: started at once, and free of this program's threads.

What a child is told reaches it through a pipe: no argument shows it.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from typing import Any

PRELOADED = ["producer.fleet", "producer.checks"]

_PR_SET_PDEATHSIG = 1  # <sys/prctl.h>
_starting = threading.Lock()


def prepare() -> None:
    """Start the server now, so that it imports while others look for work; one who stands by is ready at once."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(PRELOADED)
    forkserver.ensure_running()


def process(target: Callable[..., None], args: tuple[Any, ...], name: str) -> ForkServerProcess:
    """Return a process that is not started yet and does not outlive this one."""
    return multiprocessing.get_context("forkserver").Process(target=target, args=args, name=name, daemon=True)


def start(child: ForkServerProcess) -> None:
    """Start a process; raises OSError or EOFError when there is no memory, or the server has just died."""
    with _starting, _without_main():
        child.start()


def end_with_the_server() -> None:
    """In a child: let the death of the server, which follows that of the whole program, be a SIGTERM."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@contextmanager
def _without_main() -> Iterator[None]:
    """Keep multiprocessing from importing this program's main module, the whole command line, into each child."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
