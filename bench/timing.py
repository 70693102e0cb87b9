"""How long a step takes, in milliseconds: of this thread's CPU, or of the clock on the wall."""

import time
from collections.abc import Callable


def cpu_ms(step: Callable[[], object]) -> float:
    """Return the CPU that this thread spent on a step."""
    started = time.thread_time()
    step()
    return (time.thread_time() - started) * 1000


def wall_ms(step: Callable[[], object]) -> float:
    """Return how long a step took."""
    started = time.perf_counter()
    step()
    return (time.perf_counter() - started) * 1000
