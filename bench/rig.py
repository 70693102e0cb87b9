"""What a measurement stands on: a Valkey, a strict Rekognition, cameras, producers, workers; all real processes."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
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
from tests.cameras.process import CameraProcess, rtsp_camera

ROOT = Path(__file__).parents[1]
PORTRAITS = ROOT / "rekstream" / "demo"
INVENTED = {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_EC2_METADATA_DISABLED": "true"}


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
    command = [sys.executable, "-m", "bench.strict", "0", str(rate), str(median), str(sigma)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def part(*arguments: str, **told: object) -> Iterator[psutil.Process]:
    """Run `rekstream ARGUMENTS` with these settings until the block ends."""
    ours = {f"REKSTREAM_{name.upper()}": str(value) for name, value in told.items() if value is not None}
    command = [sys.executable, "-m", "rekstream", *arguments]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **INVENTED, **ours}, stdout=subprocess.DEVNULL)
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
def cameras(size: Size, seconds: float = 10.0) -> Iterator[CameraProcess]:
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "show.mp4"
        make_video(video, size, seconds, PORTRAITS)
        with rtsp_camera({"show": video}) as camera:
            yield camera


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
    deadline = time.monotonic() + seconds
    while len(Results(broker.scripts).latest(count)) < count:
        if time.monotonic() > deadline:
            raise SystemExit(f"no {count} results within {seconds} s")
        time.sleep(0.2)


def figures(url: str, path: str = "/n") -> dict[str, float]:
    return dict(httpx.get(f"{url}{path}").json())


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])
