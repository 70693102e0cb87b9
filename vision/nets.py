"""One neural net: an onnxruntime session on one thread, fed with batches of uint8 RGB crops."""

import os
import threading
from collections.abc import Callable
from contextlib import nullcontext
from importlib.resources import files
from typing import Any, Generic, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from vision.entities import Rgb

T = TypeVar("T")

BATCH = 16
"""Crops a net sees at once: more save nothing, and a hundred faces would take hundreds of megabytes."""

LARGE = 1_000_000
"""Bytes of an input (search of a 1080p picture) from which on one is computed at a time: each works on 30 MB, for 12 ms."""

_ERRORS_ONLY = 3
_one_at_a_time = threading.Lock()


class Net:
    """A model of `vision/models/`, by the name of its file; safe to call from several threads at once.

    Each net computes on the calling thread alone. Requests are what runs in parallel: onnxruntime releases the GIL,
    and threads of its own that spin on a busy machine made a 14 ms picture take 98.
    """

    def __init__(self, name: str) -> None:
        runtime = _RUNTIME()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        options.enable_mem_pattern = False  # a plan for each size of picture holds more than it saves time
        options.add_session_config_entry("session.use_env_allocators", "1")
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        model = files("vision").joinpath("models", f"{name}.onnx").read_bytes()
        self._session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def __call__(self, crops: Rgb) -> list[NDArray[np.float32]]:
        """Return the net's outputs for a batch (n x height x width x 3), each with n as its first length."""
        parts = [self._run(crops[start : start + BATCH]) for start in range(0, len(crops), BATCH)]
        return parts[0] if len(parts) == 1 else [np.concatenate(output) for output in zip(*parts, strict=True)]

    def _run(self, crops: Rgb) -> list[NDArray[np.float32]]:
        with _one_at_a_time if crops.nbytes > LARGE else nullcontext():
            return cast("list[NDArray[np.float32]]", self._session.run(None, {"img": crops}))


class OnFirstUse(Generic[T]):
    """Makes a thing when it is first asked for, and once, whichever threads ask: what few need costs the others nothing."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: T | None = None
        self._lock = threading.Lock()

    def __call__(self) -> T:
        """Return the thing; the first call waits until it is made."""
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made


def _onnxruntime() -> Any:  # it ships no types
    """Return onnxruntime, kept from reporting to its maker.

    From 1.32 on it writes a device's id and what it runs on into the user's cache, and looks for its maker's server to send
    that to. Only the environment stops it, and only before it is imported; its `disable_telemetry_events` does not.
    """
    os.putenv("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime  # type: ignore[import-untyped]  # noqa: PLC0415 - not before the line above

    _share_memory(onnxruntime)
    return onnxruntime


def _share_memory(runtime: Any) -> None:
    """Let all nets of the process work in the same memory.

    An arena for each net would keep the most that it ever took, and malloc would keep that of each thread. The server
    after mixed pictures up to 1080p, on two threads: 280 MB with either, 220 with one arena, 207 without plans and with
    an arena that grows by powers of two.
    """
    place = runtime.OrtMemoryInfo("Cpu", runtime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, runtime.OrtMemType.DEFAULT)
    by_powers = {"arena_extend_strategy": 0, "initial_chunk_size_bytes": 2**20, "max_mem": 0, "max_dead_bytes_per_chunk": -1}
    runtime.create_and_register_allocator(place, runtime.OrtArenaCfg(by_powers))


_RUNTIME = OnFirstUse(_onnxruntime)
