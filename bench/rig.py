"""What a measurement stands on: a Valkey, a strict Rekognition, cameras, producers, workers; all real processes."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from pipeline.broker import Broker
from pipeline.entities import Result
from pipeline.results import Results
from rekstream import environment
from rekstream.embedded import EmbeddedValkey
from tests.cameras.clips import Size, make_video
from tests.cameras.process import rtsp_camera

ROOT = Path(__file__).parents[1]
PORTRAITS = ROOT / "rekstream" / "demo"
CAMERA_FPS = 30.0  # a multiple of 15, so that a camera sampled 15 times a second is sampled evenly
MOST_CAMERA_PROCESSES = 8
QUIET_PERCENT = 10.0
INVENTED = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_EC2_METADATA_DISABLED": "true"}


def run(main: Callable[..., None]) -> None:
    """Run a measurement with the seconds of the command line, if any; SIGTERM ends it in order, as Ctrl-C does."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    main(*map(float, sys.argv[1:2]))


@contextlib.contextmanager
def valkey() -> Iterator[str]:
    place = EmbeddedValkey()
    part = place.part(environment.of_server())
    process = subprocess.Popen(part.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        place.wait_until_ready()
        yield place.url
    finally:
        process.kill()
        process.wait()
        place.remove()


@contextlib.contextmanager
def strict(rate: float, median: float = 0.3, sigma: float = 0.15) -> Iterator[str]:
    """Run a Rekognition that refuses what is above `rate` and takes so many seconds to answer; yield its URL."""
    with printing_its_port("bench.strict", "0", str(rate), str(median), str(sigma)) as port:
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def printing_its_port(module: str, *arguments: str) -> Iterator[int]:
    """Run a module that prints the port on which it listens; yield that port."""
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def part(
    *arguments: str, environment: Mapping[str, str] | None = None, patch: str = "", **told: object
) -> Iterator[psutil.Process]:
    """Run `rekstream ARGUMENTS` with these settings until the block ends; `patch` is Python that is run in it first."""
    ours = {f"REKSTREAM_{name.upper()}": str(value) for name, value in told.items() if value is not None}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("REKSTREAM_", "AWS_"))}
    program = ["-c", f"{patch}\nfrom rekstream.cli import main\nmain()"] if patch else ["-m", "rekstream"]
    process = subprocess.Popen(
        [sys.executable, *program, *arguments],
        cwd=ROOT,
        env=inherited | INVENTED | dict(environment or {}) | ours,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL if told.get("log_level") is None else None,
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        try:
            process.wait(8)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def cameras(size: Size, count: int, seconds: float = 10.0) -> Iterator[list[str]]:
    """Yield the URLs of `count` cameras on at most eight processes, which do not film in step, as cameras never do."""
    with contextlib.ExitStack() as stack:
        video = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "show.mp4"
        make_video(video, size, seconds, PORTRAITS)
        processes = []
        for _ in range(min(count, MOST_CAMERA_PROCESSES)):
            processes.append(stack.enter_context(rtsp_camera({"show": video}, "--fps", str(CAMERA_FPS))))
            time.sleep(random.uniform(0, 1 / CAMERA_FPS))
        yield [processes[number % len(processes)].url("show") for number in range(count)]


@dataclass(frozen=True, slots=True)
class Ages:
    count: int
    per_second: float
    p50: float
    p95: float
    most: float


def ages_of(results: list[Result], seconds: float) -> Ages:
    good = sorted(result.age_seconds for result in results if not result.error)
    if not good:
        return Ages(0, 0, 0, 0, 0)
    return Ages(len(good), len(good) / seconds, quantile(good, 0.5), quantile(good, 0.95), good[-1])


def quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def cpu_seconds(process: psutil.Process) -> float:
    """Return the CPU that a process has used, without its children's."""
    times = process.cpu_times()
    return times.user + times.system


def megabytes(process: psutil.Process) -> float:
    """Return a process's memory, its share of what it shares with others included (PSS)."""
    return process.memory_full_info().pss / 2**20


def family(process: psutil.Process) -> list[psutil.Process]:
    """Return a process and its children, those first."""
    try:
        return [*process.children(recursive=True), process]
    except psutil.NoSuchProcess:
        return []


def results_between(broker: Broker, start: float, end: float) -> list[Result]:
    """Return the results published in this span of Redis's clock."""
    found, after = [], f"{int(start * 1000)}-0"
    while True:
        page, after = Results(broker.scripts).read(after, limit=2000)
        found += [result for result in page if start <= result.published_at < end]
        if not page:
            return found


def redis_now(broker: Broker) -> float:
    seconds, micros = broker.scripts.time()
    return seconds + micros / 1e6


def wait_for_results(broker: Broker, count: int, seconds: float = 60.0) -> None:
    wait_until(lambda: len(Results(broker.scripts).latest(count)) >= count, seconds)


def wait_until(condition: Callable[[], object], seconds: float) -> None:
    """Wait for what has to come true for a measurement to begin; ends the run when it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"what is measured did not get going within {seconds:g} s")
        time.sleep(0.2)


def wait_until_quiet(seconds: float = 60.0) -> None:
    """Wait until others leave nine tenths of this machine alone, and say so when they do not: figures are worth less then."""
    deadline = time.monotonic() + seconds
    while (busy := psutil.cpu_percent(2.0)) > QUIET_PERCENT:
        if time.monotonic() > deadline:
            print(f"measured beside others, who took {busy:.0f} % of the machine", file=sys.stderr)
            return


def figures(url: str, path: str = "/n") -> dict[str, float]:
    return dict(httpx.get(f"{url}{path}").json())


def head(names: list[str]) -> str:
    return f"{row(names)}\n|{'---|' * len(names)}"


def row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
