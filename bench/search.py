"""Searching collections: 100,000 faces in memory, beside the bare matrix product in the same run, and through HTTP.

python -m bench.search
"""

import tempfile
import time
from pathlib import Path
from statistics import median

import boto3
import numpy as np
import psutil
from botocore.config import Config

from bench.timing import cpu_ms, wall_ms
from rekognition_local.gallery import Gallery, Shelf
from rekognition_local.server import Server, ServerSettings
from rekognition_local.store import NewFace, Store
from vision.entities import Box

ROUNDS = 30
FACES = 100_000
COLLECTION = "people"
SCALE = 0.11  # so that vectors of two people lie about as far apart as dlib's do


def main() -> None:
    vectors = (np.random.default_rng(1).normal(size=(FACES, 128)) * SCALE).astype(np.float32)
    print("| searching 100,000 faces | measured | line |")
    print("|---|---|---|")
    in_memory(vectors)
    with tempfile.TemporaryDirectory() as folder:
        on_disk(vectors, Path(folder))


def in_memory(vectors: np.ndarray) -> None:
    """One core: the search, in turns with the product that nobody gets around."""
    shelf = Shelf.empty(0).append(np.arange(FACES), vectors)
    wanted = vectors[FACES // 2]
    steps = (lambda: shelf.search(wanted, 80, 100), lambda: vectors @ wanted)
    times = [[cpu_ms(step) for step in steps] for _ in range(ROUNDS)]
    search, product = (median(column) for column in zip(*times, strict=True))
    print(f"| in memory, CPU of one core | {search:.1f} ms, {search / product:.1f} x the bare product | 20 ms |", flush=True)


def on_disk(vectors: np.ndarray, folder: Path) -> None:
    """The same collection from its file: filling it, reading it, and SearchFaces through boto3."""
    face_id, written = fill(vectors, folder)
    store = Store(folder)
    gallery, collection = Gallery(store), store.collection(COLLECTION)
    before = psutil.Process().memory_info().rss
    read = wall_ms(lambda: gallery.faces(collection, vectors[0], 99, 1))
    grown = (psutil.Process().memory_info().rss - before) / 1e6
    store.close()
    print(f"| written 100 a call, and read at the first search | {written:.1f} s, {read / 1000:.2f} s, {grown:.0f} MB more | |")
    with Server(ServerSettings(data=folder)) as server:
        client = boto3.client(
            "rekognition",
            "us-east-1",
            endpoint_url=server.url,
            aws_access_key_id="made",
            aws_secret_access_key="up",  # the local server asks for none
            config=Config(retries={"total_max_attempts": 1}),
        )
        times = [wall_ms(lambda: client.search_faces(CollectionId=COLLECTION, FaceId=face_id)) for _ in range(ROUNDS + 1)]
        client.close()
    print(f"| SearchFaces through boto3, one client | {median(times[1:]):.1f} ms p50, {sorted(times[1:])[-2]:.1f} ms p95 | |")


def fill(vectors: np.ndarray, folder: Path) -> tuple[str, float]:
    """Write all vectors, and return a FaceId and the seconds it took."""
    store = Store(folder)
    store.create_collection(COLLECTION)
    started = time.perf_counter()
    for start in range(0, FACES, 100):
        boxes = (Box(index / 1000, 0, 0.1, 0.1) for index in range(100))
        new = [NewFace(box, 99.0, vector) for box, vector in zip(boxes, vectors[start : start + 100], strict=True)]
        face_id = store.add_faces(COLLECTION, f"image-{start}", None, new)[0].id
    seconds = time.perf_counter() - started
    store.close()
    return face_id, seconds


if __name__ == "__main__":
    main()
