"""Cameras are added, changed and removed through the API; a password goes in and never comes out."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import pytest

from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.entities import CameraState, CameraStatus, Policy
from tests.dashboard.support import Api, Producer, Worker, camera, put_cameras, until

SECRET = "s3cr3t-pass"
URL = f"rtsp://admin:{SECRET}@10.0.0.7:554/main"


def add(api: Api, **body: object) -> dict[str, object]:
    answer = api.http.post("/api/cameras", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def refusal(api: Api, status: int, method: str = "POST", path: str = "/api/cameras", **body: object) -> str:
    answer = api.http.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error"}
    assert SECRET not in answer.text
    return str(answer.json()["error"]["message"])


def test_a_camera_needs_only_a_url(api: Api, broker: Broker) -> None:
    """The rest comes from the defaults; the id is made of host and path; two equal URLs are two cameras."""
    first = add(api, url=URL)
    second = add(api, url=URL)
    assert first["id"] == "10-0-0-7-554-main"
    assert second["id"] == "10-0-0-7-554-main-2"
    assert first | {"status": None} == {
        "id": "10-0-0-7-554-main",
        "url": "rtsp://admin:***@10.0.0.7:554/main",
        "preview_url": None,
        "fps": 5.0,
        "attributes": ["ALL"],
        "policy": "latest",
        "paused": False,
        "gate": "off",
        "labels": 0.0,
        "purpose": "test",
        "zones": [],
        "masks": [],
        "smallest_face": 0,
        "schedule": "",
        "status": None,
        "scene": None,
    }
    assert CameraRegistry(broker.scripts).get("10-0-0-7-554-main").url == URL


def test_a_paused_camera_of_which_no_producer_reports_is_off(api: Api) -> None:
    """It needs none: nobody is asked whether `rekstream produce` runs."""
    paused = add(api, id="door", url=URL, paused=True)
    assert (paused["status"]["state"], paused["status"]["message"]) == ("off", "")  # type: ignore[index]


def test_the_status_is_what_the_producer_said(api: Api, broker: Broker) -> None:
    """Without a producer it says so; what one reported is shown, its passwords hidden."""
    before = add(api, id="door", url=URL)
    assert "rekstream produce" in before["status"]["message"]  # type: ignore[index]
    status = CameraStatus("door", CameraState.LIVE, f"opened {URL}", 10.0, 11.0, 1280, 720, "h264", 24.9, 2, 1, "p")
    CameraRegistry(broker.scripts).report(status, 30)
    (shown,) = api.get("/api/cameras")["cameras"]
    assert shown["status"] == {
        "state": "live",
        "message": "opened rtsp://admin:***@10.0.0.7:554/main",
        "since": 10.0,
        "width": 1280,
        "height": 720,
        "codec": "h264",
        "capture_fps": 24.9,
        "reconnects": 2,
        "stalls": 1,
        "gate": None,
    }


def test_the_shown_url_can_be_sent_back(api: Api, broker: Broker) -> None:
    """A PATCH with the redacted URL keeps the password, also with another path of the same host."""
    registry = CameraRegistry(broker.scripts)
    shown = add(api, id="door", url=URL, preview_url="http://10.0.0.7/low?token=abc")
    answer = api.http.patch("/api/cameras/door", json={"url": shown["url"], "preview_url": shown["preview_url"], "fps": 2})
    assert answer.status_code == 200
    assert registry.get("door").url == URL
    assert registry.get("door").preview_url == "http://10.0.0.7/low?token=abc"
    assert registry.get("door").fps == 2
    api.http.patch("/api/cameras/door", json={"url": "rtsp://admin:***@10.0.0.7:554/sub"})
    assert registry.get("door").url == f"rtsp://admin:{SECRET}@10.0.0.7:554/sub"


def test_a_password_is_never_carried_to_another_host(api: Api, broker: Broker) -> None:
    """A redacted URL of another host, user, port or scheme is refused, and nothing changes."""
    add(api, id="door", url=URL)
    for url in (
        "rtsp://admin:***@evil.example:554/main",
        "rtsp://root:***@10.0.0.7:554/main",
        "rtsp://admin:***@10.0.0.7:8554/main",
        "http://admin:***@10.0.0.7:554/main",
    ):
        assert "write the whole URL again" in refusal(api, 422, "PATCH", "/api/cameras/door", url=url)
    assert CameraRegistry(broker.scripts).get("door").url == URL
    assert "***" in refusal(api, 422, url="rtsp://admin:***@10.0.0.7/x")


def test_a_change_keeps_what_it_does_not_name(api: Api, tmp_path: Path) -> None:
    """PATCH changes the named members only; another kind of source brings its own policy."""
    (tmp_path / "clip.mp4").write_bytes(b"")
    add(api, id="door", url=URL, fps=3, attributes=["smile"], paused=True)
    changed = api.http.patch("/api/cameras/door", json={"attributes": "emotions,smile"}).json()
    assert (changed["fps"], changed["paused"], changed["attributes"]) == (3.0, True, ["EMOTIONS", "SMILE"])
    assert changed["policy"] == Policy.LATEST
    moved = api.http.patch("/api/cameras/door", json={"url": str(tmp_path / "clip.mp4"), "paused": False}).json()
    assert (moved["policy"], moved["paused"]) == ("every", False)
    assert "cannot become 'gate'" in refusal(api, 422, "PATCH", "/api/cameras/door", id="gate")


def test_a_removed_camera_is_gone_with_all_that_waited(api: Api, broker: Broker) -> None:
    """DELETE takes the camera, its mailbox and its picture away, and counts what was dropped."""
    add(api, id="door", url=URL)
    producer = Producer(broker, "door")
    with Worker(broker) as worker:
        producer.offer()
        until(lambda: worker.served)
    producer.offer()
    assert api.http.get("/api/cameras/door/frame.jpg").status_code == 200
    assert api.http.delete("/api/cameras/door").status_code == 204
    assert api.get("/api/cameras") == {"cameras": []}
    assert api.http.get("/api/cameras/door/frame.jpg").status_code == 404
    assert broker.scripts.smembers("rekstream:mailboxes") == set()
    assert broker.scripts.hget("rekstream:counts:door", "dropped:removed") == b"1"
    assert "there is no camera 'door'" in refusal(api, 404, "DELETE", "/api/cameras/door")
    assert "there is no camera 'door'" in refusal(api, 404, "PATCH", "/api/cameras/door", fps=1)


def test_what_a_slow_producer_still_offers_is_dropped_too(api: Api, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame offered after the removal does not bring the mailbox back for long."""
    monkeypatch.setattr("dashboard.cameras.SETTLE_SECONDS", 0.3)
    add(api, id="door", url=URL)
    api.http.delete("/api/cameras/door")
    Producer(broker, "door").offer()
    until(lambda: not broker.scripts.exists("rekstream:mailboxes"))


def test_the_newest_frame_with_its_age(api: Api, broker: Broker) -> None:
    """frame.jpg is the newest analysed picture, never cached, its age in a header; a sentence when there is none."""
    put_cameras(broker, camera("door"))
    assert "no picture of camera 'door'" in refusal(api, 404, "GET", "/api/cameras/door/frame.jpg")
    with Worker(broker):
        Producer(broker, "door").offer(b"\xff\xd8 the newest")
        answer = until(lambda: (found := api.http.get("/api/cameras/door/frame.jpg")).is_success and found)
    assert answer.content == b"\xff\xd8 the newest"
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "no-store"
    assert 0 <= float(answer.headers["x-frame-age-seconds"]) < 5
    assert abs(time.time() - float(answer.headers["x-frame-captured-at"])) < 5
    assert answer.headers["x-result-id"] == api.get("/api/results")["results"][0]["id"]
    assert "there is no camera 'gate'" in refusal(api, 404, "GET", "/api/cameras/gate/frame.jpg")


BAD: list[tuple[dict[str, object], str]] = [
    ({}, "url is missing"),
    ({"url": 7.5}, "url is missing"),
    ({"url": "ftp://10.0.0.7/x"}, "starts with ftp://"),
    ({"url": "rtsp://"}, "names no host"),
    ({"url": "rtsp://10.0.0.7:99999/x"}, "cannot be read as a URL"),
    ({"url": f"rtsp://admin:{SECRET}#x@10.0.0.7/main"}, "percent-encoded"),
    ({"url": f"rtsp://admin:12/{SECRET}@10.0.0.7/main"}, "percent-encoded"),
    ({"url": "no-such-file.mp4"}, "'no-such-file.mp4' is no file or folder"),
    ({"url": "demo", "fps": 0}, "fps 0: "),
    ({"url": "demo", "fps": -1}, "fps -1: "),
    ({"url": "demo", "fps": 1000}, "fps 1000: frames a second must lie between 0.01 and 60"),
    ({"url": "demo", "fps": "fast"}, "fps 'fast': "),
    ({"url": "demo", "fps": True}, "fps True is not a number"),
    ({"url": "demo", "fps": [5]}, "fps [5] is not a number"),
    ({"url": "demo", "attributes": "smile,hat"}, "there is no attribute 'hat'"),
    ({"url": "demo", "attributes": [1]}, "attributes [1] are not names"),
    ({"url": "demo", "attributes": []}, "no attribute is named"),
    ({"url": "demo", "policy": "some"}, "policy 'some' is not known: choose latest or every"),
    ({"url": "demo", "paused": "yes"}, "paused 'yes' is neither true nor false"),
    ({"url": "demo", "fsp": 5}, "a camera has no setting 'fsp': did you mean fps?"),
    ({"url": "demo", "id": "Front Door"}, "the id 'Front Door' cannot be used"),
    ({"url": "demo", "id": "x" * 41}, "cannot be used"),
    ({"url": "demo", "id": 7}, "the id 7 cannot be used"),
    ({"url": "demo", "id": "photo-1"}, "kept for photos"),
]


def test_a_bad_camera_is_one_sentence(api: Api) -> None:
    """Whatever is wrong is a 422 that names the value; no camera is added; no password is shown."""
    for body, expected in BAD:
        assert expected in refusal(api, 422, **body)
    assert api.get("/api/cameras") == {"cameras": []}


def test_two_cameras_of_one_id(api: Api) -> None:
    """An id that is taken is a 409."""
    add(api, id="door", url="demo")
    assert "there is a camera 'door' already" in refusal(api, 409, id="door", url="demo")


def test_a_body_that_is_no_object(api: Api) -> None:
    """A body that is no JSON object is a 422 in the one shape."""
    for content in (b"[1]", b"{", b'"x"', b"", b"\xff\xfe"):
        answer = api.http.post("/api/cameras", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422, (content, answer.text)
        assert set(answer.json()["error"]) == {"code", "message"}


def test_no_password_in_any_answer(api: Api, broker: Broker) -> None:
    """No route shows a password, nor does an error."""
    add(api, id="door", url=URL, preview_url=f"http://u:{SECRET}@10.0.0.7/p?pwd={SECRET}")
    put_cameras(broker, dataclasses.replace(camera("gate"), url=URL))
    Producer(broker, "door").offer()
    for path in ("/api/cameras", "/api/stats", "/metrics", "/api/results", "/prometheus/targets", "/openapi.json"):
        assert SECRET not in api.http.get(path).text, path
    assert SECRET not in json.dumps(refusal(api, 409, id="door", url=URL))
