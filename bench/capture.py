"""What a camera costs: CPU beside a bare PyAV loop in the same run, memory of each further one, how many fit into a core.

    python -m bench.capture [--seconds 15] [--cameras 4] [--fps 5]

The cameras are those of tests/cameras: one RTSP server that shows a synthetic 720p25 clip of 2.5 Mbit/s over loopback. Real
cameras' pictures are busier: plan on double.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import psutil

from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.entities import Camera, CameraState
from pipeline.heap import keep_heap_small
from producer.encoder import Encoder
from producer.fleet import Fleet, FleetSettings
from producer.sources.stream import open_file, open_stream
from rekstream.embedded import EmbeddedValkey
from tests.cameras.clips import Clips
from tests.cameras.process import rtsp_camera

PORTRAITS = Path(__file__).parents[1] / "rekstream" / "demo"
WARM_UP_SECONDS = 4.0
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured: CPU in seconds a second, memory in MiB."""

    bare: float
    reading: float
    capture: float
    encode_seconds: float
    first_camera: float
    further_camera: float


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.capture")
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--fps", type=float, default=5.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clips = Clips(Path(folder), PORTRAITS)
        with rtsp_camera({"720": clips.video("720")}) as camera:
            figures = measure(camera.url("720"), clips.video("720"), arguments)
    print(table(figures, arguments))


def measure(url: str, video: Path, arguments: argparse.Namespace) -> Figures:
    """Measure captures and bare loops at the same time, on the same camera, so that both meet the same machine."""
    with ValkeyForBench() as redis_url:
        one = run_fleet(redis_url, url, 1, arguments)
        many = run_fleet(redis_url, url, arguments.cameras, arguments)
    return Figures(
        bare=many.bare,
        reading=many.reading,
        capture=many.capture,
        encode_seconds=encoding_of(video),
        first_camera=one.memory,
        further_camera=(many.memory - one.memory) / (arguments.cameras - 1),
    )


def table(figures: Figures, arguments: argparse.Namespace) -> str:
    """Return the figures as markdown."""
    encoding = figures.encode_seconds * arguments.fps
    rows = [
        ("bare PyAV loop (demux, decode), CPU of a core", f"{figures.bare:.1%}", ""),
        ("our source alone, read the same way", f"{figures.reading:.1%}", f"{figures.reading / figures.bare:.2f} x bare"),
        (f"a capture process, {arguments.fps:g} frames a second sampled", f"{figures.capture:.1%}", ""),
        ("  of it converting and encoding", f"{encoding:.1%}", f"{figures.encode_seconds * 1000:.1f} ms a frame"),
        (
            "  the rest: reading, offering, reporting",
            f"{figures.capture - encoding:.1%}",
            f"{(figures.capture - encoding) / figures.bare:.2f} x bare (goal 1.2)",
        ),
        ("720p25 cameras that fit into one core", f"{1 / figures.capture:.0f}", ""),
        ("memory of the first camera with the fork server, PSS", f"{figures.first_camera:.0f} MiB", ""),
        ("memory of each further camera, PSS", f"{figures.further_camera:.1f} MiB", "goal 30"),
    ]
    lines = ["| 720p25 over RTSP | measured | |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {value} | {note} |" for name, value, note in rows)])


# --- readers that are compared ---


def reader(read: Callable[[str], None], url: str) -> psutil.Process:
    """Start a process that does nothing but `read` the camera."""
    process = multiprocessing.get_context("spawn").Process(target=read, args=(url,), daemon=True)
    process.start()
    return psutil.Process(process.pid)


def read_bare(url: str) -> None:
    """Read as one does who wants nothing but frames."""
    with av.open(url, options={"rtsp_transport": "tcp"}) as container:
        stream = container.streams.video[0]
        stream.thread_type = "SLICE"
        stream.codec_context.thread_count = 1
        for _ in container.decode(stream):
            pass


def read_source(url: str) -> None:
    """Read as our captures do, without sampling anything."""
    source = open_stream(url)
    while source.advance():
        pass


def cpu_between(processes: Sequence[psutil.Process], seconds: float) -> list[float]:
    """Return the CPU seconds a second that each of these processes uses from now on."""
    before, began = [cpu_seconds(process) for process in processes], time.monotonic()
    time.sleep(seconds)
    span = time.monotonic() - began
    return [(cpu_seconds(process) - used) / span for process, used in zip(processes, before, strict=True)]


def cpu_seconds(process: psutil.Process) -> float:
    """Return what a process has used so far."""
    times = process.cpu_times()
    return times.user + times.system


def encoding_of(video: Path) -> float:
    """Return the CPU seconds of converting and encoding one frame, in a process that is set up as a capture is."""
    with multiprocessing.get_context("spawn").Pool(1, keep_heap_small) as pool:
        return pool.apply(encode_frames, (video,))


def encode_frames(video: Path, frames: int = 100) -> float:
    """Return the CPU seconds of one of so many."""
    cv2.setNumThreads(1)
    source, encoder = open_file(video), Encoder()
    used = 0.0
    for _ in range(frames):
        source.advance()
        before = time.process_time()
        encoder.encode(source.picture().bgr())
        used += time.process_time() - before
    source.close()
    return used / frames


# --- a fleet ---


class ValkeyForBench:
    """The embedded Valkey, for as long as it is needed."""

    def __enter__(self) -> str:
        self._place = EmbeddedValkey()
        command = self._place.part({}).command
        self._process = psutil.Popen(list(command), stdout=-3)
        self._place.wait_until_ready()
        return self._place.url

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._place.remove()


@dataclass(frozen=True, slots=True)
class Run:
    """One fleet beside the two bare readers: CPU seconds a second of one of each, memory of the whole fleet in MiB."""

    bare: float
    reading: float
    capture: float
    memory: float


def run_fleet(redis_url: str, url: str, cameras: int, arguments: argparse.Namespace) -> Run:
    """Run so many captures, and the readers they are compared with, and measure all at once."""
    broker = Broker(redis_url)
    broker.scripts.flushall()
    registry = CameraRegistry(broker.scripts)
    names = [f"camera{number}" for number in range(cameras)]
    registry.put([Camera(name, url, fps=arguments.fps) for name in names])
    fleet = Fleet(registry, FleetSettings(redis_url, log_level=30))
    readers = [reader(read_bare, url), reader(read_source, url)]
    try:
        while {status.state for status in registry.statuses(names).values()} != {CameraState.LIVE}:
            fleet.tend()
            fleet.rest(0.2)
        time.sleep(WARM_UP_SECONDS)
        captures = [psutil.Process(pid) for pid in fleet.processes.values()]
        bare, reading, *used = cpu_between([*readers, *captures], arguments.seconds)
        memory = sum(pss(process) for process in [psutil.Process(captures[0].ppid()), *captures])
        return Run(bare, reading, sum(used) / cameras, memory)
    finally:
        for process in readers:
            process.kill()
        fleet.close()
        broker.close()


def pss(process: psutil.Process) -> float:
    """Return a process's share of the memory it uses, in MiB."""
    return float(process.memory_full_info().pss) / MEBIBYTE


if __name__ == "__main__":
    main()
