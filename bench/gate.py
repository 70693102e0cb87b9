"""What the gate finds, saves and costs: appearances on known films, calls beside one a second, CPU a picture, memory.

    python -m bench.gate [FOLDER]      (films that are in the folder already are not made again)

The films (bench/films.py) are H.264 of 1080p, FPS pictures a second. They are read once; as many gates as there are pictures
in a second look at one picture of each, so each appearance is tried at every phase of a camera that is sampled once a second.
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import psutil

from bench.films import FPS, all_films
from bench.timing import cpu_ms
from pipeline.entities import Camera, Gate
from producer import gate as gates
from producer.finder import NetFinder
from producer.sources.base import Pixels
from producer.sources.stream import open_file
from tests.clips import CLIPS, HD, Clip, Stand, write_video
from tests.clips import FPS as CLIP_FPS

NET = NetFinder()
LEAST_RECALL, MOST_CALLS = 98.0, 10.0
MOST_MS, MOST_MS_UNMOVED = 8.0, 2.0
WARM_SECONDS = 3.0
MEGABYTE = 1e6


def main() -> None:
    cv2.setNumThreads(1)
    print("| film of 1080p, sampled once a second | appearances, at 3 phases each | found | of the calls without a gate |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        report_recall(Path(sys.argv[1] if len(sys.argv) > 1 else folder))
        print("\n| gate: face, a picture of 720p, 5/s | CPU, mean | p50 | p95 | line |")
        print("|---|---|---|---|---|")
        report_time(Path(folder))
    print("\n| memory of a capture process, PSS | MB |")
    print("|---|---|")
    report_memory()


def report_recall(folder: Path) -> None:
    tried = found = calls = samples = 0
    for film in all_films():
        path = folder / f"{film.clip.name.replace(' ', '_').replace(',', '')}.mp4"
        if not path.exists():
            film.write(path)
        passed, looks = look(path)
        hits = sum(any(begin <= at <= end for at in times) for times in passed for _, begin, end in film.appearances())
        attempts, spent = len(passed) * len(film.appearances()), sum(map(len, passed))
        print(f"| {film.clip.name} | {attempts} | {100 * hits / attempts:.0f} % | {100 * spent / looks:.1f} % |", flush=True)
        tried, found, calls, samples = tried + attempts, found + hits, calls + spent, samples + looks
    recall, share = f"**{100 * found / tried:.1f} %** (line {LEAST_RECALL:g} %)", f"**{100 * calls / samples:.1f} %**"
    print(f"| all | {tried} | {recall} | {share} (line {MOST_CALLS:g} %) |")


def look(path: Path) -> tuple[list[list[float]], int]:
    """Return for each phase when pictures passed, and how many were looked at in all."""
    watching = [new_gate(1.0) for _ in range(FPS)]
    passed: list[list[float]] = [[] for _ in watching]
    source, number = open_file(path), 0
    while source.advance() is not None:
        if watching[number % FPS].look(source.picture(), number / FPS) is None:
            passed[number % FPS].append(number / FPS)
        number += 1
    source.close()
    return passed, number


def report_time(folder: Path) -> None:
    """Time real decoded pictures, five of each second, once the background is known."""
    for name, clip, line in (
        ("an empty room", CLIPS["empty"], MOST_MS_UNMOVED),
        ("one person walks by", replace(CLIPS["far"], seconds=8.0), MOST_MS),
        ("two people cross, faces of 240 px", CLIPS["crossing"], MOST_MS),
        ("two people before the camera, faces of 230 px", CLIPS["two"], MOST_MS),
    ):
        path = write_video(folder / "clip.mp4", with_lead(clip), HD)
        times = list(times_of(path))
        p95 = float(np.percentile(times, 95))
        print(f"| {name} | {np.mean(times):.2f} ms | {median(times):.2f} ms | {p95:.2f} ms | {line:g} ms |", flush=True)


def with_lead(clip: Clip) -> Clip:
    """Return the clip after some seconds of the empty room."""
    people = tuple(replace(person, walk=partial(_later, person.walk)) for person in clip.people)
    return replace(clip, seconds=clip.seconds + WARM_SECONDS, people=people)


def _later(walk: Callable[[float], Stand | None], at: float) -> Stand | None:
    return walk(at - WARM_SECONDS) if at >= WARM_SECONDS else None


def times_of(path: Path, gate: Gate = Gate.FACE) -> Iterator[float]:
    watching, source, number = new_gate(5.0, gate), open_file(path), 0
    while source.advance() is not None:
        at = number / CLIP_FPS
        if number % 5 == 0:
            ms = cpu_ms(partial(watching.look, source.picture(), at))
            if at >= WARM_SECONDS:
                yield ms
        number += 1
    source.close()


def new_gate(fps: float, gate: Gate = Gate.FACE) -> gates.Gate:
    return gates.gate_of(Camera("door", "film", fps=fps, gate=gate), finder=lambda: NET)


def report_memory() -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["producer.fleet"])
    for name, gate in (("gate: off", Gate.OFF), ("gate: motion", Gate.MOTION), ("gate: face, 720p", Gate.FACE)):
        answers = context.SimpleQueue()
        child = context.Process(target=measure_memory, args=(gate, answers))
        child.start()
        print(f"| {name} | {answers.get():.0f} |", flush=True)
        child.join()


def measure_memory(gate: Gate, answers: multiprocessing.SimpleQueue[float]) -> None:
    """Look at a minute of what moves most; told is the process without Redis, camera and encoder."""
    watching = gates.gate_of(Camera("door", "film", fps=5.0, gate=gate))
    random = np.random.default_rng(1)
    for number in range(60):
        image = random.integers(0, 40, (720, 1280, 3), dtype=np.uint8)
        image[100:600, 15 * number : 15 * number + 300] += 120
        watching.look(Pixels(image), number / 5)
    del image
    answers.put(psutil.Process().memory_full_info().pss / MEGABYTE)


if __name__ == "__main__":
    main()
