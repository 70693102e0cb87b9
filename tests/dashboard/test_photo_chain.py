"""Photos through everything that is real: the API, Redis, a worker, the local Rekognition server, an S3."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import boto3
import cv2
import httpx
import numpy as np
import pytest
from moto.server import ThreadedMotoServer

from dashboard.settings import DashboardSettings
from pipeline.broker import Broker
from pipeline.presence import living
from pipeline.provider import Provider
from rekognition_local.server import Server, ServerSettings
from tests.conftest import Valkey
from tests.dashboard.support import Api, dashboard, until
from tests.vision.scenes import ASTRONAUT, HOPPER, portrait_bytes
from workers import pool


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    """An S3 with the astronaut in it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    s3 = boto3.client("s3", "us-east-1", endpoint_url=url, aws_access_key_id="made", aws_secret_access_key="up")
    s3.create_bucket(Bucket="photos")
    s3.put_bucket_versioning(Bucket="photos", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="photos", Key="who is/this.png", Body=portrait_bytes(ASTRONAUT))
    yield url
    s3.close()
    server.stop()


@pytest.fixture(scope="module")
def chain(s3_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The whole way, with a Redis of its own."""
    with ExitStack() as stack:
        valkey = Valkey()
        stack.callback(valkey.close)
        valkey.start()
        provider = Provider("local", "us-east-1", stack.enter_context(Server(ServerSettings(s3_endpoint_url=s3_url))).url)
        broker = Broker(valkey.url)
        stack.callback(broker.close)
        stop = threading.Event()
        worker = threading.Thread(target=pool.run, args=(broker, pool.WorkerSettings(provider, threads=4), stop))
        worker.start()
        stack.callback(worker.join)
        stack.callback(stop.set)
        until(lambda: living(broker.scripts, "worker"))
        settings = DashboardSettings(data=tmp_path_factory.mktemp("data"), provider=provider, port=0)
        yield stack.enter_context(dashboard(valkey.url, settings))


def answered(answer: httpx.Response) -> dict[str, object]:
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def large_jpeg(width: int, height: int) -> bytes:
    """Return a JPEG of noise around the astronaut, who fills half of its height."""
    pixels = np.random.default_rng(5).integers(0, 110, (height, width, 3), np.uint8)
    face = cv2.imdecode(np.frombuffer(portrait_bytes(ASTRONAUT), np.uint8), cv2.IMREAD_COLOR)
    side = height // 2
    pixels[:side, :side] = cv2.resize(face, (side, side))
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 97])[1].tobytes()


def turned(jpeg: bytes, orientation: int) -> bytes:
    """Return a JPEG with the EXIF orientation that cameras write."""
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    exif = b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", 1) + entry + bytes(4)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


def only_face(result: dict[str, object]) -> dict[str, object]:
    (face,) = result["FaceDetails"]  # type: ignore[misc]
    return dict(face)


def test_faces_with_the_attributes_asked_for(chain: Api) -> None:
    result = answered(chain.http.post("/api/photos", content=portrait_bytes(HOPPER), params={"attributes": "smile"}))
    face = only_face(result)
    assert face["Smile"]["Value"] is False  # type: ignore[index]
    assert "AgeRange" not in face
    timings = result["timings"]
    assert sum(timings.values()) == pytest.approx(2 * timings["total"], rel=0.02)  # type: ignore[attr-defined, index]


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_jpeg_of_twelve_megabytes_is_made_smaller_and_said_to_be(chain: Api, orientation: int) -> None:
    """It is sent within Rekognition's bound and upright, and the face is where it is in the picture as people see it."""
    data = turned(large_jpeg(4000, 3000), orientation)
    assert len(data) > 10_000_000
    result = answered(chain.http.post("/api/photos", files={"image": data}))
    sent, face = result["sent"], only_face(result)
    upright = (4000, 3000) if orientation == 1 else (3000, 4000)
    assert sent["reduced"] is True  # type: ignore[index]
    assert sent["bytes"] <= 5_242_880  # type: ignore[index]
    assert (sent["width"], sent["height"]) == (result["width"], result["height"]) == upright  # type: ignore[index]
    box = face["BoundingBox"]
    middle = box["Left"] + box["Width"] / 2, box["Top"] + box["Height"] / 2  # type: ignore[index]
    # The portrait's face is at (0.43, 0.22) of a square in the upper left, which the turn by 6 moves to the upper right.
    assert middle == pytest.approx((0.17, 0.12) if orientation == 1 else (0.89, 0.17), abs=0.05)
    assert result["timings"]["reduce"] > 0  # type: ignore[index]


def test_a_turned_jpeg_that_is_small_enough_goes_as_it_is(chain: Api) -> None:
    """Rekognition turns it itself: the size told is the upright one."""
    result = answered(chain.http.post("/api/photos", content=turned(portrait_bytes(HOPPER), 6)))
    assert result["sent"]["reduced"] is False  # type: ignore[index]
    assert (result["width"], result["height"]) == (600, 512)


def test_labels_down_to_a_confidence(chain: Api) -> None:
    result = answered(chain.http.post("/api/photos/labels", files={"image": portrait_bytes(ASTRONAUT)}))
    names = [label["Name"] for label in result["Labels"]]  # type: ignore[attr-defined]
    assert result["operation"] == "DetectLabels"
    assert {"Person", "Face"} <= set(names)
    one = answered(
        chain.http.post("/api/photos/labels", content=portrait_bytes(ASTRONAUT), params={"max_labels": 1, "min_confidence": 60})
    )
    assert [label["Name"] for label in one["Labels"]] == names[:1]  # type: ignore[attr-defined]
    assert "MaxLabels=1," in str(one["python"])


def test_two_pictures_compared(chain: Api) -> None:
    """Matches and those that do not; the threshold moves faces from one list to the other."""
    two = {"source": portrait_bytes(HOPPER), "target": portrait_bytes(HOPPER)}
    same = answered(chain.http.post("/api/photos/compare", files=two))
    assert same["FaceMatches"][0]["Similarity"] > 99  # type: ignore[index]
    other = answered(
        chain.http.post(
            "/api/photos/compare", files={**two, "target": portrait_bytes(ASTRONAUT)}, data={"similarity_threshold": 90}
        )
    )
    assert (len(other["FaceMatches"]), len(other["UnmatchedFaces"])) == (0, 1)  # type: ignore[arg-type]
    assert other["sent"]["target"]["width"] == 512  # type: ignore[index]


def test_a_comparison_without_a_face_says_which_picture_has_none(chain: Api) -> None:
    wall = cv2.imencode(".png", np.full((200, 200, 3), 200, np.uint8))[1].tobytes()
    answer = chain.http.post("/api/photos/compare", files={"source": wall, "target": portrait_bytes(HOPPER)})
    assert answer.status_code == 422
    assert "no face was found in SourceImage" in answer.json()["error"]["message"]


def test_pictures_on_s3(chain: Api) -> None:
    """They are named to Rekognition, which reads them; what cannot be read is a sentence with its name."""
    place = {"s3": "s3://photos/who is/this.png"}
    result = answered(chain.http.post("/api/photos", json={**place, "attributes": "all"}))
    assert only_face(result)["Gender"]["Value"] == "Female"  # type: ignore[index]
    assert result["sent"] == {"s3": "s3://photos/who is/this.png"}
    compared = answered(
        chain.http.post("/api/photos/compare", json={"source": place["s3"], "target": place["s3"], "similarity_threshold": 99})
    )
    assert len(compared["FaceMatches"]) == 1  # type: ignore[arg-type]
    answer = chain.http.post("/api/photos/labels", json={"s3": "s3://photos/nobody.jpg"})
    assert answer.status_code == 422
    assert "s3://photos/nobody.jpg" in answer.json()["error"]["message"]


def test_each_operation_has_its_own_limit_and_counts(chain: Api) -> None:
    """In the figures, and in what the worker tells Prometheus."""
    picture = portrait_bytes(HOPPER)
    chain.http.post("/api/photos", content=picture)
    chain.http.post("/api/photos/compare", files={"source": picture, "target": picture})

    def calls_per_second() -> float:
        chain.http.post("/api/photos/labels", content=picture)
        return float(chain.get("/api/stats")["rates"]["calls"])

    assert until(lambda: calls_per_second() > 0)
    limits = {limit["operation"] for limit in chain.get("/api/stats")["limits"]}
    assert limits == {"DetectFaces", "DetectLabels", "CompareFaces"}
    (worker,) = [target for target in chain.get("/prometheus/targets") if target["labels"]["role"] == "worker"]
    metrics = httpx.get(f"http://{worker['targets'][0]}/metrics").text
    assert 'rekstream_api_calls_total{operation="DetectLabels",outcome="ok",region="us-east-1"}' in metrics
    assert 'rekstream_rate_limit_per_second{operation="CompareFaces"} 1000.0' in metrics


def test_the_python_lines_do_the_same(chain: Api, tmp_path: Path) -> None:
    """Each program runs as it is, and prints what the API answered."""
    picture = portrait_bytes(HOPPER)
    for name in ("photo.jpg", "source.jpg", "target.jpg"):
        (tmp_path / name).write_bytes(picture)
    answers = [
        answered(chain.http.post("/api/photos", content=picture, params={"attributes": "smile,age-range"})),
        answered(chain.http.post("/api/photos/labels", content=picture, params={"min_confidence": 70.5, "max_labels": 3})),
        answered(chain.http.post("/api/photos/compare", files={"source": picture, "target": picture})),
        answered(chain.http.post("/api/photos", json={"s3": "s3://photos/who is/this.png"})),
    ]
    ran = subprocess.run(
        [sys.executable, "-c", "\n".join(str(answer["python"]) for answer in answers)],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    printed = io.StringIO(ran.stdout)
    for answer, member in zip(answers, ("FaceDetails", "Labels", "FaceMatches", "FaceDetails"), strict=True):
        assert printed.readline().strip() == repr(answer[member])
