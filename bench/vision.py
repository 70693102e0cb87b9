"""CPU of reading faces: JPEG bytes to JSON-able faces, beside bare OpenCV on the same picture in the same run.

    python -m bench.vision

The reference decodes the JPEG and halves it, which nobody gets around. Milliseconds depend on the machine, and on who else
uses it: where its cores are hyperthreads, a busy neighbour makes each of them half as slow again. The ratio depends less.
"""

import base64
import contextlib
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from statistics import median
from typing import Any

import cv2
import numpy as np
import psutil

from bench.timing import cpu_ms, wall_ms
from rekognition_local.server import Server
from rekognition_local.shapes import face_detail
from vision.entities import Rgb
from vision.faces import FaceEngine
from vision.pictures import decode

SERVE = """
import sys
from rekognition_local.server import Server
with Server() as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""
ROUNDS = 60
SPELLS, SPELL_SECONDS = 5, 1.5
PORTRAITS = ("grace_hopper.jpg", "astronaut.png")
PLACES = {1: [(640, 360)], 5: [(180, 200), (460, 500), (640, 200), (860, 500), (1080, 200)]}
FACE_HEIGHT = {1: 220, 5: 120}
CROPS = {
    "grace_hopper.jpg": (90, 40, 360, 360, 215),
    "astronaut.png": (130, 5, 190, 200, 114),
}  # x, y, w, h, face's height


def main() -> None:
    engine = FaceEngine()
    pictures = {
        "720p, 1 face": jpeg(scene(1280, 720, 1)),
        "720p, 5 faces": jpeg(scene(1280, 720, 5)),
        "1080p, 1 face": jpeg(scene(1920, 1080, 1)),
    }
    print(f"JPEG bytes to faces, ms of CPU, p50 of {ROUNDS} rounds")
    print(f"{'':26}{'faces':>6}{'all of it':>11}{'decoding':>10}{'reference':>11}{'ratio':>7}")
    for name, data in pictures.items():
        for attributes in (["DEFAULT"], ["ALL"]):
            report(engine, f"{name}, {attributes[0]}", data, attributes)
    print()
    report_vectors(engine, decode(pictures["720p, 5 faces"]))
    report_cores(engine, pictures["720p, 1 face"])
    report_http(pictures["720p, 1 face"])
    report_memory(list(pictures.values()))
    print()
    report_others(engine, {name: decode(data) for name, data in pictures.items()})


def report(engine: FaceEngine, name: str, data: bytes, attributes: list[str]) -> None:
    """Time the reference, the decoding and the whole in turns, so that a busy neighbour slows all three."""

    def whole() -> list[dict[str, object]]:
        return [face_detail(face) for face in engine.analyse(decode(data), attributes)]

    whole()
    times = [[cpu_ms(step) for step in (whole, lambda: decode(data), lambda: reference(data))] for _ in range(ROUNDS)]
    total, decoding, bare = (median(column) for column in zip(*times, strict=True))
    json.dumps(whole())
    print(f"{name:26}{len(whole()):>6}{total:>11.1f}{decoding:>10.1f}{bare:>11.1f}{total / bare:>7.1f}")


def report_vectors(engine: FaceEngine, rgb: Rgb) -> None:
    """Time what a vector adds to finding a face and its points; searching among vectors is measured elsewhere."""
    faces = len(engine.analyse(rgb, vectors=True))
    steps = [lambda: engine.analyse(rgb, vectors=True), lambda: engine.analyse(rgb)]
    pairs = [[cpu_ms(step) for step in steps] for _ in range(ROUNDS)]
    with_vectors, without = (median(column) for column in zip(*pairs, strict=True))
    print(f"A vector of 128 numbers adds {(with_vectors - without) / faces:.1f} ms of CPU a face")


def report_cores(engine: FaceEngine, data: bytes) -> None:
    """Count pictures a second on one thread and on two, of one engine, in turns; it is other load that this suffers from."""
    rates: dict[int, list[float]] = {1: [], 2: []}
    for threads in (1, 2) * SPELLS:
        rates[threads].append(per_second(lambda: engine.analyse(decode(data), ["ALL"]), threads))
    one, two = (median(rates[threads]) for threads in (1, 2))
    times = f"{two / one:.2f} times as many ({os.cpu_count()} cores here)"
    print(f"One engine reads {one:.0f} pictures a second on one core, {two:.0f} on two, {times}")


def per_second(step: Callable[[], object], threads: int) -> float:
    """Return how often so many threads together can take a step in a second."""
    until = time.perf_counter() + SPELL_SECONDS

    def work() -> int:
        done = 0
        while time.perf_counter() < until:
            step()
            done += 1
        return done

    with ThreadPoolExecutor(threads) as pool:
        return sum(future.result() for future in [pool.submit(work) for _ in range(threads)]) / SPELL_SECONDS


def report_memory(pictures: list[bytes]) -> None:
    """Send mixed pictures to a server of its own, over four connections at once, and ask the kernel what it holds then."""
    with running_server() as (server, address):
        idle = server.memory_info().rss
        with ThreadPoolExecutor(4) as pool:
            for answer in [pool.submit(call_all, address, pictures) for _ in range(4)]:
                answer.result()
        held = server.memory_info().rss
    print(f"The server holds {idle / 2**20:.0f} MB when it has started, {held / 2**20:.0f} MB after mixed pictures up to 1080p")


@contextlib.contextmanager
def running_server() -> Iterator[tuple[psutil.Process, str]]:
    process = subprocess.Popen([sys.executable, "-c", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield psutil.Process(process.pid), process.stdout.readline().strip().removeprefix("http://")
    finally:
        process.communicate()  # ends its input, and with it the server


def call_all(address: str, pictures: list[bytes]) -> None:
    connection = http.client.HTTPConnection(address)
    for data in pictures * 8:
        call(connection, request(data))
    connection.close()


def report_others(engine: FaceEngine, pictures: dict[str, Rgb]) -> None:
    """Time what others do with the same pictures, where they are installed: boxes, points and vectors, from RGB arrays.

    face_recognition as pip builds it, with its usual detector; dlib is faster where a BLAS was there when it was built.
    """
    print("deepface is not compared: it needs TensorFlow, and downloads its models when it first runs")
    try:
        import face_recognition  # type: ignore[import-not-found]  # noqa: PLC0415 - a competitor, not a dependency
    except ImportError:
        print("face_recognition (dlib) is not installed here and not compared; pip install face_recognition, and run again")
        return
    print(f"{'boxes, points and vectors':26}{'rekstream':>22}{'face_recognition':>22}   (ms of CPU, and faces found)")
    for name, rgb in pictures.items():
        ours = timed(lambda rgb=rgb: engine.analyse(rgb, vectors=True))
        theirs = timed(lambda rgb=rgb: face_recognition.face_encodings(rgb))
        print(f"{name:26}{ours[0]:>14.1f}{ours[1]:>8}{theirs[0]:>14.1f}{theirs[1]:>8}")


def timed(step: Callable[[], list[Any]]) -> tuple[float, int]:
    """Return the p50 of ten runs, and how many faces they find."""
    found = len(step())
    return median(cpu_ms(step) for _ in range(10)), found


def report_http(data: bytes) -> None:
    """Time calls that are parsed, checked and answered with nothing: what HTTP and the protocol add."""
    body = request(data)
    with Server(operations={"DetectFaces": lambda _params: {"FaceDetails": []}}) as server:
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
        wall = [wall_ms(lambda: call(connection, body)) for _ in range(4 * ROUNDS)][ROUNDS:]
        connection.close()
    print(
        f"HTTP and protocol add, {len(body) / 1000:.0f} KB a call, kept-alive: {median(wall):.2f} ms p50, "
        f"{sorted(wall)[int(0.95 * len(wall))]:.2f} ms p95 (client and server on the same cores)"
    )


def request(data: bytes) -> bytes:
    return json.dumps({"Image": {"Bytes": base64.b64encode(data).decode()}, "Attributes": ["ALL"]}).encode()


def call(connection: http.client.HTTPConnection, body: bytes) -> None:
    connection.request("POST", "/", body, {"X-Amz-Target": "RekognitionService.DetectFaces"})
    response = connection.getresponse()
    answer = response.read()
    if response.status != 200:
        raise SystemExit(f"the server answered {response.status}: {answer.decode()}")


def reference(data: bytes) -> Rgb:
    rgb = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB), np.uint8)
    return resize(rgb, rgb.shape[1] // 2, rgb.shape[0] // 2)


def resize(rgb: Rgb, width: int, height: int) -> Rgb:
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def scene(width: int, height: int, faces: int) -> Rgb:
    """Portraits on a textured background: as busy for the JPEG decoder as a room, not as a clear sky."""
    noise = np.random.default_rng(5)
    coarse = noise.integers(40, 200, (height // 8, width // 8, 3)).astype(np.uint8)
    picture = np.asarray(cv2.resize(coarse, (width, height)), np.uint8)
    scale = height / 720
    for index, (x, y) in enumerate(PLACES[faces]):
        name = PORTRAITS[index % 2]
        left, top, crop_width, crop_height, face = CROPS[name]
        head = decode(files("rekstream").joinpath("demo", name).read_bytes())[top : top + crop_height, left : left + crop_width]
        factor = FACE_HEIGHT[faces] * scale / face
        head = resize(head, round(head.shape[1] * factor), round(head.shape[0] * factor))
        y0, x0 = max(0, int(y * scale - head.shape[0] / 2)), max(0, int(x * scale - head.shape[1] / 2))
        head = head[: height - y0, : width - x0]
        picture[y0 : y0 + head.shape[0], x0 : x0 + head.shape[1]] = head
    return picture


def jpeg(rgb: Rgb) -> bytes:
    _, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])
    return data.tobytes()


if __name__ == "__main__":
    main()
