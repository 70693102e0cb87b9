"""Landmarks are right at any turn of the face, or there are none."""

import numpy as np
import pytest

from tests.vision.scenes import ASTRONAUT, EYES, FACES, HOPPER, MOUTHS, background, place, point_of, portrait
from vision.detections import Detections
from vision.detector import Detector
from vision.geometry import turn_between
from vision.mesh import MeshFinder
from vision.nets import BATCH

TURNS = range(0, 360, 15)


def _scene(name, turn, height=150):
    scene = background(640, 480)
    return scene, place(scene, name, (320, 240), height, turn)


def _errors(scene, placed, face):
    """How far eyes and mouth are from where they are, as shares of the distance between the eyes."""
    left, right = (placed.at(eye) for eye in EYES[placed.name])
    mouth = (point_of(face, "mouthLeft", scene) + point_of(face, "mouthRight", scene)) / 2
    pairs = (
        (point_of(face, "eyeLeft", scene), left),
        (point_of(face, "eyeRight", scene), right),
        (mouth, placed.at(MOUTHS[placed.name])),
    )
    return [float(np.linalg.norm(found - true) / np.linalg.norm(right - left)) for found, true in pairs]


def _found(boxes):
    """Boxes as the detector would return them for upright faces."""
    count = len(boxes)
    return Detections(np.array(boxes, np.float64), np.ones(count), np.zeros((count, 5, 2)), np.zeros(count))


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("name", [HOPPER, ASTRONAUT])
def test_landmarks_of_a_turned_face_are_right_or_there_are_none(engine, name, turn):
    scene, placed = _scene(name, turn)
    for face in engine.analyse(scene):
        assert face.landmarks == () or max(_errors(scene, placed, face)) < 0.25
        assert face.pose is None or turn_between(face.pose.roll, turn) < 12


def test_most_turned_faces_that_are_found_have_landmarks(engine):
    """Without the search through quarter turns, fewer than half of them have."""
    found = [face for name in (HOPPER, ASTRONAUT) for turn in TURNS for face in engine.analyse(_scene(name, turn)[0])]
    assert len(found) >= 30
    assert sum(bool(face.landmarks) for face in found) >= 0.9 * len(found)


@pytest.mark.parametrize("turn", [0, 30, 180, -90])
def test_yaw_and_pitch_are_the_heads_own_however_it_lies(engine, turn):
    scene, _ = _scene(ASTRONAUT, turn)
    (face,) = engine.analyse(scene)
    assert abs(face.pose.yaw) < 8
    assert -20 < face.pose.pitch < -4


def test_a_mirrored_face_has_the_opposite_roll(engine):
    scene, _ = _scene(HOPPER, 20)
    poses = [engine.analyse(picture)[0].pose for picture in (scene, np.ascontiguousarray(scene[:, ::-1]))]
    assert poses[0].roll == pytest.approx(18, abs=5)
    assert poses[1].roll == pytest.approx(-18, abs=5)


def test_a_face_has_the_same_mesh_alone_and_among_more_than_the_net_takes_at_once():
    scene, boxes = background(1280, 720), []
    for index in range(BATCH + 4):
        x, y = 100 + 120 * (index % 10), 120 + 200 * (index // 10)
        place(scene, (HOPPER, ASTRONAUT)[index % 2], (x, y), 70 + index, closeup=True)
        boxes.append([x - 30 - index / 2, y - 40 - index / 2, 60 + index, 80 + index])
    finder = MeshFinder(Detector())
    together = finder.find(scene, _found(boxes))
    assert sum(mesh is not None for mesh in together) > BATCH
    for mesh, box in zip(together, boxes, strict=True):
        (alone,) = finder.find(scene, _found([box]))
        assert (mesh is None) == (alone is None)
        assert mesh is None or np.allclose(mesh.points, alone.points, atol=1e-3)


def test_a_box_without_a_face_in_it_gets_no_mesh():
    boxes = [[40.0, 40, 120, 120], [300, 200, 80, 100], [-50, -50, 60, 60], [639, 479, 0.5, 0.5]]
    assert MeshFinder(Detector()).find(background(640, 480), _found(boxes)) == [None] * 4


def test_no_boxes_need_no_net():
    assert MeshFinder(Detector()).find(portrait(HOPPER), Detections.none()) == []


def test_a_turned_face_has_no_mesh_when_the_witness_sees_none_and_an_upright_one_has(monkeypatch):
    detector = Detector()
    scenes = {turn: _scene(HOPPER, turn)[0] for turn in (0, 90)}
    found = {turn: detector.detect(scene) for turn, scene in scenes.items()}
    assert all(MeshFinder(detector).find(scenes[turn], found[turn])[0] for turn in scenes)
    monkeypatch.setattr(Detector, "close_ups", lambda *_: (Detections.none(), np.zeros(0, np.intp)))
    (upright,), (turned,) = (MeshFinder(detector).find(scenes[turn], found[turn]) for turn in scenes)
    assert upright is not None
    assert turned is None


def test_points_agree_with_a_mesh_as_far_as_they_lie_on_it():
    detector = Detector()
    found = detector.detect(portrait(ASTRONAUT))
    (mesh,) = MeshFinder(detector).find(portrait(ASTRONAUT), found)
    eyes = np.linalg.norm(np.subtract(*EYES[ASTRONAUT]))
    moved = mesh.off(found.points[0] + [eyes, 0])
    assert mesh.off(found.points[0]) < 0.3
    assert moved == pytest.approx(1, abs=0.3)


def test_a_face_with_its_eyes_covered_keeps_its_landmarks(engine):
    scene, (left, top, width, height) = portrait(HOPPER).copy(), FACES[HOPPER]
    scene[top + height // 5 : top + height // 2, left : left + width] = 60
    (face,) = engine.analyse(scene)
    assert (
        np.linalg.norm(point_of(face, "mouthLeft", scene) / 2 + point_of(face, "mouthRight", scene) / 2 - MOUTHS[HOPPER]) < 15
    )
