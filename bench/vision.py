"""CPU of reading faces: JPEG bytes to JSON-able faces, beside bare OpenCV on the same picture in the same run.

    python -m bench.vision

The reference decodes the JPEG and halves it, which nobody gets around. Milliseconds depend on the machine; the ratio less so.
"""

import base64
import http.client
import json
import time
from collections.abc import Callable
from importlib.resources import files
from statistics import median

import cv2
import numpy as np

from rekognition_local.server import Server
from rekognition_local.shapes import face_detail
from vision.entities import Rgb
from vision.faces import FaceEngine
from vision.pictures import decode

ROUNDS = 60
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
    report_http(pictures["720p, 1 face"])


def report(engine: FaceEngine, name: str, data: bytes, attributes: list[str]) -> None:
    """Time the reference, the decoding and the whole in turns, so that a busy neighbour slows all three."""

    def whole() -> list[dict[str, object]]:
        return [face_detail(face) for face in engine.analyse(decode(data), attributes)]

    whole()
    times = [[cpu_ms(step) for step in (whole, lambda: decode(data), lambda: reference(data))] for _ in range(ROUNDS)]
    total, decoding, bare = (median(column) for column in zip(*times, strict=True))
    json.dumps(whole())
    print(f"{name:26}{len(whole()):>6}{total:>11.1f}{decoding:>10.1f}{bare:>11.1f}{total / bare:>7.1f}")


def report_http(data: bytes) -> None:
    """Time calls that are parsed, checked and answered with nothing: what HTTP and the protocol add."""
    body = json.dumps({"Image": {"Bytes": base64.b64encode(data).decode()}, "Attributes": ["ALL"]}).encode()
    with Server(operations={"DetectFaces": lambda _params: {"FaceDetails": []}}) as server:
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
        wall = [wall_ms(lambda: call(connection, body)) for _ in range(4 * ROUNDS)][ROUNDS:]
        connection.close()
    print(
        f"HTTP and protocol add, {len(body) / 1000:.0f} KB a call, kept-alive: {median(wall):.2f} ms p50, "
        f"{sorted(wall)[int(0.95 * len(wall))]:.2f} ms p95 (client and server on the same cores)"
    )


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


def cpu_ms(step: Callable[[], object]) -> float:
    started = time.thread_time()
    step()
    return (time.thread_time() - started) * 1000


def wall_ms(step: Callable[[], object]) -> float:
    started = time.perf_counter()
    step()
    return (time.perf_counter() - started) * 1000


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
