"""A photo takes the way of every frame, is answered within seconds, and leaves nothing behind."""

from __future__ import annotations

import base64
import threading
import zlib

import cv2
import httpx
import numpy as np
import pytest

from pipeline.broker import Broker
from pipeline.jobs import QUEUE_KEY
from tests.dashboard.support import FACE, Api, Listener, Producer, Worker, picture, until

JPEG, PNG = picture(".jpg"), picture(".png")
TWO = {"source": JPEG, "target": PNG}
AS_JSON = {"Content-Type": "application/json"}
OBJECT, HALF = b'{"s3": "s3://bucket/%s", "version": "%s"}', b"\\ud800"  # half a surrogate pair is no text
HEIC = b"\0\0\0\x24ftypheic" + bytes(500)


def png_that_says(width: int, height: int) -> bytes:
    """Return a small PNG whose header claims to unpack to that many pixels."""
    data = bytearray(PNG)
    data[16:24] = width.to_bytes(4) + height.to_bytes(4)
    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4)
    return bytes(data)


def progressive_that_says(width: int, height: int) -> bytes:
    """Return a small progressive JPEG whose header claims to have that many pixels."""
    data = bytearray(cv2.imencode(".jpg", np.zeros((90, 90, 3), np.uint8), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes())
    at = data.index(b"\xff\xc2") + 5
    data[at : at + 4] = height.to_bytes(2) + width.to_bytes(2)
    return bytes(data)


def refused(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    return str(answer.json()["error"]["message"])


def test_three_ways_to_send_a_picture(api: Api, broker: Broker) -> None:
    """Multipart, bytes and JSON all come to the same full analysis, JPEG and PNG."""
    data_url = "data:image/png;base64," + base64.b64encode(PNG).decode()
    with Worker(broker):
        for answer in (
            api.http.post("/api/photos", files={"image": ("a.jpg", JPEG)}, data={"attributes": "smile"}),
            api.http.post("/api/photos", files={"whatever": ("a.png", PNG)}),
            api.http.post("/api/photos", content=JPEG, headers={"Content-Type": "image/jpeg"}, params={"attributes": "all"}),
            api.http.post("/api/photos", content=PNG),
            api.http.post("/api/photos", json={"image": data_url, "attributes": ["SMILE"]}),
        ):
            assert answer.status_code == 200, answer.text
            result = answer.json()
            assert result["FaceDetails"] == [FACE]
            assert result["camera"].startswith("photo-")
            assert (result["width"], result["height"]) == (320, 240)


def test_the_picture_goes_on_as_it_came(api: Api, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the worker takes are the bytes that were sent, with the attributes asked for."""
    with Worker(broker) as worker:
        taken = []
        finish = worker._finish
        monkeypatch.setattr(worker, "_finish", lambda frame, name: (taken.append(frame), finish(frame, name)))
        api.http.post("/api/photos", content=PNG, params={"attributes": "smile,age_range"})
    assert taken[0].frame.jpeg == PNG
    assert taken[0].frame.attributes == ("SMILE", "AGE_RANGE")
    assert taken[0].policy == "every"


def test_a_photo_goes_in_front_and_leaves_nothing(api: Api, broker: Broker) -> None:
    """Its job is served before those that wait; afterwards no mailbox of it is left, and lists do not show it."""
    worker = Worker(broker)
    Producer(broker, "busy").offer()
    worker.appear()
    answers: list[httpx.Response] = []
    with Listener(api) as listener:
        asking = threading.Thread(target=lambda: answers.append(api.http.post("/api/photos", content=JPEG)))
        asking.start()
        until(lambda: broker.scripts.llen(QUEUE_KEY) == 2)
        while worker.serve_next():
            pass
        asking.join()
        until(lambda: listener.of("result"))
    worker.vanish()
    assert answers[0].status_code == 200
    assert worker.served == [answers[0].json()["camera"], "busy"]
    assert broker.scripts.smembers("rekstream:mailboxes") == {b"busy"}
    assert [result["camera"] for result in listener.of("result")] == ["busy"]
    assert [result["camera"] for result in api.get("/api/results")["results"]] == ["busy"]
    assert len(api.get("/api/results", camera=answers[0].json()["camera"])["results"]) == 1
    assert list(api.get("/api/stats")["cameras"]) == ["busy"]


def test_without_workers_it_says_so_at_once(api: Api) -> None:
    """Nobody to analyse it is a 503 with a sentence, not a wait."""
    assert "start `rekstream work`" in refused(api.http.post("/api/photos", content=JPEG), 503)


def test_pictures_that_rekognition_would_refuse(api: Api, broker: Broker) -> None:
    """Each is a 422 with one sentence; nothing of it reaches a worker."""
    cases = {
        b"": "the picture is empty",
        b"GIF89a" + b"x" * 500: "neither JPEG nor PNG",
        b"just some text": "neither JPEG nor PNG",
        JPEG[: len(JPEG) // 2]: "the JPEG is cut off",
        PNG[: len(PNG) // 2]: "the PNG is cut off",
        picture(".jpg", 79, 200): "79 x 200 pixels",
        picture(".png", 200, 79): "200 x 79 pixels",
        HEIC: "HEIC is neither JPEG nor PNG; save it as JPEG",
        b"RIFF\x10\0\0\0WEBPVP8 ": "WebP is neither JPEG nor PNG; convert the picture first",
        progressive_that_says(8_000, 8_000): "8000 x 8000 pixels: send one of 50 megapixels at most",
        png_that_says(60_000, 60_000): "60000 x 60000 pixels: send one of 50 megapixels at most",
        picture(".png", 9_000, 80): "cannot shrink to sides of 80 to 8000",
    }
    with Worker(broker) as worker:
        for data, expected in cases.items():
            assert expected in refused(api.http.post("/api/photos", content=data), 422)
        assert worker.served == []
    assert broker.scripts.keys("rekstream:counts:*") == []


def test_bodies_that_hold_no_picture(api: Api) -> None:
    """What cannot be read as one of the ways is a 422 that says how to send it."""
    post = api.http.post
    for answer, expected in (
        (post("/api/photos", json={"picture": "x"}), "there is no picture `image`"),
        (post("/api/photos", json={"image": 7}), "there is no picture `image`"),
        (post("/api/photos", json={"image": "data:image/png;base64,äöü"}), "is not base64"),
        (post("/api/photos", json=["x"]), "the JSON is no object"),
        (post("/api/photos", content=b"{", headers={"Content-Type": "application/json"}), "is no JSON"),
        (post("/api/photos", data={"a": "b"}, files={"c": (None, "d")}), "there is no picture `image`"),
        (post("/api/photos", content=b"x", headers={"Content-Type": "multipart/form-data"}), "the form cannot be read"),
        (post("/api/photos", content=JPEG, params={"attributes": "hat"}), "there is no attribute 'hat'"),
        (post("/api/photos", json={"image": "x", "attributes": 7}), "is not base64"),
        (post("/api/photos", json={"image": "AAAA", "attributes": 7}), "attributes '7' are not names"),
        (post("/api/photos", json={"s3": "s3://bucket"}), "'s3://bucket' names no S3 object: write s3://bucket/key"),
        (post("/api/photos", json={"s3": "http://bucket/key"}), "names no S3 object"),
        (post("/api/photos", json={"s3": ["s3://bucket/key"]}), "names no S3 object"),
        (post("/api/photos", json={"s3": "s3://b!cket/key"}), "names no S3 object"),
        (post("/api/photos", json={"s3": "s3://bucket/key", "version": 3}), "version '3' is no version"),
        (post("/api/photos", json={"s3": "s3://bucket/" + "é" * 600}), "names no S3 object"),
        (post("/api/photos", content=OBJECT % (HALF, b"1"), headers=AS_JSON), "'s3://bucket/\\ud800' names no S3 object"),
        (post("/api/photos", content=OBJECT % (b"key", HALF), headers=AS_JSON), "is no version of an S3 object"),
        (post("/api/photos/labels", content=JPEG, params={"max_labels": "few"}), "write a whole number from 1 to 1000"),
        (post("/api/photos/labels", content=JPEG, params={"max_labels": "2.5"}), "max_labels '2.5': write a whole number"),
        (post("/api/photos/labels", json={"image": "AAAA", "min_confidence": 101}), "write a number from 0 to 100"),
        (post("/api/photos/labels", json={"image": "AAAA", "min_confidence": True}), "write a number from 0 to 100"),
        (post("/api/photos/compare", content=JPEG), "two pictures are compared, and one came"),
        (post("/api/photos/compare", files={"source": JPEG}), "there is no picture `target`"),
        (post("/api/photos/compare", json={"target": "x", "source": "s3://photos/"}), "names no S3 object"),
        (post("/api/photos/compare", files=TWO, data={"similarity_threshold": "nan"}), "write a number from 0 to 100"),
    ):
        assert expected in refused(answer, 422)


def test_what_rekognition_refuses_and_what_fails(api: Api, broker: Broker) -> None:
    """A picture refused there is a 422 too; a failed call is a 502 with its code."""
    with Worker(broker) as worker:
        worker.error = {"Code": "InvalidImageFormatException", "Message": "bad image"}
        assert "bad image" in refused(api.http.post("/api/photos", content=JPEG), 422)
        worker.error = {"Code": "AccessDeniedException", "Message": "no"}
        answer = api.http.post("/api/photos", content=JPEG)
        assert "AccessDeniedException" in refused(answer, 502)
        assert answer.json()["error"]["code"] == "AccessDeniedException"


def test_no_answer_in_time(api: Api, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an answer it gives up with a sentence that says why, and drops the picture."""
    worker = Worker(broker)
    worker.appear()
    broker.scripts.hset("rekstream:rate:local|us-east-1:DetectFaces", mapping={"quota": 5, "held_until": 9e9, "held_why": "x"})
    monkeypatch.setattr("dashboard.photos.ANSWER_SECONDS", 0.3)
    message = refused(api.http.post("/api/photos", content=JPEG), 504)
    assert "no answer within 0.3 s" in message
    assert broker.scripts.exists("rekstream:mailboxes") == 0
    worker.vanish()


@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        (
            "/api/photos/compare",
            ("InvalidParameterException", "Request has invalid parameters"),
            "one of the two pictures shows no",
        ),
        ("/api/photos/labels", ("AccessDeniedException", "not so"), "need the right to rekognition:DetectLabels"),
        ("/api/photos", ("InvalidS3ObjectException", "Unable to get object metadata from S3"), "cannot read it: Unable to get"),
    ],
)
def test_where_aws_says_too_little(api: Api, broker: Broker, path: str, error: tuple[str, str], words: str) -> None:
    """Its words stay, and what they mean is added."""
    with Worker(broker) as worker:
        worker.error = {"Code": error[0], "Message": error[1]}
        body = {"s3": "s3://photos/a.jpg"} if "S3" in error[0] else None
        answer = api.http.post(path, json=body) if body else api.http.post(path, files=TWO)
    message = answer.json()["error"]["message"]
    assert error[1] in message
    assert words in message


def test_large_pictures_never_touch_the_disk(api: Api, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice 14 MB of a form stay in memory, and are made smaller than Rekognition's bound."""
    monkeypatch.setattr("tempfile.TemporaryFile", None)
    large = JPEG + bytes(14_000_000)
    with Worker(broker):
        answer = api.http.post("/api/photos/compare", files={"source": large, "target": large})
        assert answer.status_code == 200, answer.text
        assert "is too large" in refused(api.http.post("/api/photos", content=large + large), 413)
    sent = answer.json()["sent"]
    assert sent["source"] == sent["target"]
    assert sent["source"]["bytes"] < 100_000
    assert sent["source"]["reduced"]


def test_the_timings_add_up(api: Api, broker: Broker) -> None:
    """From the first byte of the request to the answer: the parts are the whole."""
    with Worker(broker):
        answer = api.http.post("/api/photos", content=JPEG).json()
    assert list(answer["timings"]) == ["received", "queue", "limit", "upload", "service", "publish", "answer", "total"]
    assert answer["sent"] == {"bytes": len(JPEG), "width": 320, "height": 240, "reduced": False}
