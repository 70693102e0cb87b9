"""A camera's purpose and rules hold where frames are analysed: with a real worker and the local Rekognition server."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from itertools import count
from typing import Any

import cv2
import pytest

from pipeline import keys
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.entities import ATTRIBUTES, Camera, Frame, Operation, Policy, Purpose, Result
from pipeline.faces import counted_faces
from pipeline.jobs import JobQueue
from pipeline.ledger import Ledger
from pipeline.mailbox import Mailbox
from pipeline.names import Names, TrackName
from pipeline.presence import living
from pipeline.provider import Provider
from pipeline.results import Results
from pipeline.tracks import Faces, FaceView
from rekognition_local.server import Server, ServerSettings
from tests.conftest import Valkey, wait_until
from tests.vision.scenes import ASTRONAUT, HOPPER, background, place
from workers import pool
from workers.rules import FEELINGS, KnownCameras, Rules, holds

LEFT_HALF = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
NO_EMOTIONS = [Purpose.ACCESS, Purpose.WATCH]


@cache
def two_people() -> bytes:
    """Return a picture with a face of 200 pixels on the left, and one of 90 on the right."""
    scene = background(960, 540)
    place(scene, HOPPER, (240, 270), 200, closeup=True)
    place(scene, ASTRONAUT, (720, 270), 90, closeup=True)
    return cv2.imencode(".jpg", cv2.cvtColor(scene, cv2.COLOR_RGB2BGR))[1].tobytes()


@pytest.fixture(scope="module")
def working() -> Iterator[Broker]:
    """A Redis in which a real worker works; each test has a camera of its own."""
    with ExitStack() as stack:
        valkey = Valkey()
        stack.callback(valkey.close)
        valkey.start()
        broker = Broker(valkey.url)
        stack.callback(broker.close)
        provider = Provider("local", "us-east-1", stack.enter_context(Server(ServerSettings())).url)
        stop = threading.Event()
        worker = threading.Thread(target=pool.run, args=(broker, pool.WorkerSettings(provider, threads=2), stop))
        worker.start()
        stack.callback(worker.join)
        stack.callback(stop.set)
        wait_until(lambda: living(broker.scripts, "worker"))
        yield broker


@pytest.fixture
def door() -> Camera:
    return Camera(f"door{next(_numbers)}", "demo", 5.0)


_numbers = count(1)


def analysed(broker: Broker, camera: Camera, **members: Any) -> Result:
    """Put the camera, let one frame of it be analysed, and return the result."""
    CameraRegistry(broker.scripts).put([camera])
    return analysed_again(broker, camera, **members)


def analysed_again(broker: Broker, camera: Camera, **members: Any) -> Result:
    ledger, last = Ledger(), Results(broker.scripts).last_id()
    frame = Frame(camera.id, 1, time.time(), two_people(), 960, 540, **{"attributes": camera.attributes, **members})
    Mailbox(broker.scripts, JobQueue(broker.jobs)).offer(frame, ledger.statement(ledger.sample()), Policy.LATEST)
    (result,) = Results(broker.scripts).wait(last, 10)
    assert result.error is None, result.error
    return result


def hashes(broker: Broker) -> set[bytes]:
    """Return the keys that could hold a picture."""
    client: Any = broker.scripts
    return {name for name in client.keys("*") if client.type(name) == b"hash"}


@pytest.mark.parametrize("purpose", NO_EMOTIONS)
def test_where_people_are_named_emotions_are_neither_asked_for_nor_told(
    working: Broker, door: Camera, purpose: Purpose
) -> None:
    faces = analysed(working, replace(door, purpose=purpose)).response["FaceDetails"]
    assert len(faces) == 2
    for face in faces:
        assert "Emotions" not in face
        assert {"AgeRange", "Gender", "Smile", "Landmarks", "Pose"} <= face.keys()


@pytest.mark.parametrize("purpose", [Purpose.TEST, Purpose.AUDIENCE])
def test_elsewhere_they_are_told(working: Broker, door: Camera, purpose: Purpose) -> None:
    faces = analysed(working, replace(door, purpose=purpose)).response["FaceDetails"]
    assert all(face["Emotions"] for face in faces)


@pytest.mark.parametrize("purpose", NO_EMOTIONS)
def test_labels_that_tell_how_somebody_feels_are_left_out(working: Broker, door: Camera, purpose: Purpose) -> None:
    labels = analysed(working, replace(door, purpose=purpose), operation=Operation.DETECT_LABELS).response["Labels"]
    assert {"Face", "Person"} <= {label["Name"] for label in labels}
    assert not any(category["Name"] == FEELINGS for label in labels for category in label["Categories"])
    elsewhere = analysed(working, replace(door, id=f"{door.id}-hall"), operation=Operation.DETECT_LABELS).response["Labels"]
    assert "Smile" in {label["Name"] for label in elsewhere}


@pytest.mark.parametrize("operation", [Operation.DETECT_FACES, Operation.DETECT_LABELS])
def test_of_an_audience_no_picture_is_kept_under_any_key(working: Broker, door: Camera, operation: Operation) -> None:
    before = hashes(working)
    analysed(working, replace(door, purpose=Purpose.AUDIENCE), operation=operation)
    assert Results(working.scripts).newest_frame(door.id) is None
    client: Any = working.scripts
    assert not any(two_people() in client.hvals(name) for name in hashes(working) - before)


def test_what_was_kept_before_a_camera_became_one_for_audiences_goes_within_seconds(working: Broker, door: Camera) -> None:
    analysed(working, door)
    assert Results(working.scripts).newest_frame(door.id) is not None
    CameraRegistry(working.scripts).put([replace(door, purpose=Purpose.AUDIENCE)])
    wait_until(lambda: Results(working.scripts).newest_frame(door.id) is None, seconds=3)


def test_a_change_holds_within_a_second_and_a_half(working: Broker, door: Camera) -> None:
    assert analysed(working, door).response["FaceDetails"][0]["Emotions"]
    CameraRegistry(working.scripts).put([replace(door, purpose=Purpose.WATCH)])
    changed = time.monotonic()
    wait_until(lambda: "Emotions" not in analysed_again(working, door).response["FaceDetails"][0])
    assert time.monotonic() - changed < 1.5


def test_a_face_whose_centre_lies_in_no_zone_does_not_count(working: Broker, door: Camera) -> None:
    result = analysed(working, replace(door, zones=(LEFT_HALF,)))
    assert sorted((face["BoundingBox"]["Left"] < 0.5, face.get("Ignored")) for face in result.response["FaceDetails"]) == [
        (False, "zone"),
        (True, None),
    ]
    assert [face["BoundingBox"]["Left"] < 0.5 for face in counted_faces(result.response)] == [True]


def test_a_face_below_the_smallest_height_does_not_count(working: Broker, door: Camera) -> None:
    faces = analysed(working, replace(door, smallest_face=150)).response["FaceDetails"]
    assert sorted((face["BoundingBox"]["Height"] * 540 >= 150, face.get("Ignored")) for face in faces) == [
        (False, "small"),
        (True, None),
    ]


def test_photos_and_unknown_cameras_have_no_rules(broker: Broker) -> None:
    cameras = KnownCameras(broker.scripts)
    cameras.look()
    assert cameras.rules_of("photo-1") == cameras.rules_of("nobody") == Rules()


def test_what_was_derived_from_a_camera_has_its_rules_and_keeps_them_when_it_is_gone(broker: Broker, door: Camera) -> None:
    registry, cameras = CameraRegistry(broker.scripts), KnownCameras(broker.scripts)
    registry.put([replace(door, purpose=Purpose.AUDIENCE)])
    assert cameras.rules_of(f"{door.id}:labels").purpose == Purpose.AUDIENCE
    assert keys.camera_of_mailbox("door") == "door"
    registry.remove(door.id)
    cameras.look()
    assert cameras.rules_of(f"{door.id}:17").purpose == Purpose.AUDIENCE


def test_faces_and_names_of_a_camera_that_becomes_one_for_audiences_go(broker: Broker, door: Camera) -> None:
    """Those of another camera stay, however alike its name is."""
    registry, cameras = CameraRegistry(broker.scripts), KnownCameras(broker.scripts)
    names, faces = Names(broker.scripts), Faces(broker.scripts)
    registry.put([door, replace(door, id=f"{door.id}-1")])
    cameras.look()
    tracks = {f"{door.id}-17", f"{door.id}-1-17"}
    for track in tracks:
        faces.keep(track, FaceView(door.id, 1.0, 1.0, 200.0, {}, b"jpeg", b"vector"))
    names.write({track: TrackName(person={"Id": "p_1", "Name": "Grace"}) for track in tracks})
    names.write({f"{door.id}-18": TrackName(unknown={"Id": "u_1", "Visits": 2})})
    registry.put([replace(door, purpose=Purpose.AUDIENCE)])
    cameras.look()
    assert set(names.of([*tracks, f"{door.id}-18"])) == {f"{door.id}-1-17"}
    assert [faces.of(track) is None for track in (f"{door.id}-17", f"{door.id}-1-17")] == [True, False]


def test_emotions_that_come_unasked_are_taken_out_and_the_answer_itself_stays() -> None:
    face = {"Confidence": 99.0, "Emotions": [{"Type": "CALM", "Confidence": 90.0}], "BoundingBox": {"Left": 0.1}}
    happy = {"Name": "Happy", "Categories": [{"Name": FEELINGS}]}
    answer = {"FaceDetails": [face, "no face"], "Labels": [happy, {"Name": "Dog"}, "no label"]}
    told = Rules(Purpose.ACCESS).told(_frame(), answer)
    assert told == {
        "FaceDetails": [{"Confidence": 99.0, "BoundingBox": {"Left": 0.1}}, "no face"],
        "Labels": [{"Name": "Dog"}, "no label"],
    }
    assert "Emotions" in face
    assert Rules(Purpose.TEST).told(_frame(), answer) == answer


def test_all_is_spelled_out_without_emotions_and_nothing_else_is_changed() -> None:
    rules = Rules(Purpose.WATCH)
    assert set(rules.asked(_frame(attributes=("ALL",))).attributes) == {"DEFAULT", *ATTRIBUTES} - {"EMOTIONS"}
    assert rules.asked(_frame(attributes=("SMILE", "EMOTIONS"))).attributes == ("SMILE",)
    assert rules.asked(_frame(attributes=("EMOTIONS",))).attributes == ("DEFAULT",)
    assert Rules(Purpose.TEST).asked(_frame()) == _frame()


def test_filters_of_labels_that_were_asked_for_stay() -> None:
    filters = {"Settings": {"GeneralLabels": {"LabelCategoryExclusionFilters": ["Toys and Gaming"]}}, "MaxLabels": 5}
    asked = Rules(Purpose.ACCESS).asked(_frame(operation=Operation.DETECT_LABELS, options=filters))
    assert asked.options == {
        "Settings": {"GeneralLabels": {"LabelCategoryExclusionFilters": ["Toys and Gaming", FEELINGS]}},
        "MaxLabels": 5,
    }


@pytest.mark.parametrize(
    ("x", "y", "inside"),
    [(0.1, 0.5, True), (0.5, 0.1, True), (0.5, 0.6, False), (0.9, 0.9, True), (0.05, 0.95, True), (1.2, 0.5, False)],
)
def test_a_zone_may_have_any_shape(x: float, y: float, inside: bool) -> None:
    """A horseshoe, open below."""
    horseshoe = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.8, 1.0), (0.8, 0.2), (0.2, 0.2), (0.2, 1.0), (0.0, 1.0))
    assert holds(horseshoe, x, y) is inside


def _frame(**members: Any) -> Frame:
    return Frame("door", 1, 0.0, b"jpeg", 960, 540, **members)
