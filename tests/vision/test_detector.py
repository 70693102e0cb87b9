"""Faces are found where they are, from 40 pixels in a 1080p picture; nothing is found where there is none."""

import numpy as np
import pytest

from tests.vision.scenes import ASTRONAUT, HOPPER, background, place
from vision.detector import Detector, DetectorSettings


@pytest.fixture(scope="module")
def detector():
    return Detector()


def _middles(found):
    return found.boxes[:, :2] + found.boxes[:, 2:] / 2


@pytest.mark.parametrize("name", [HOPPER, ASTRONAUT])
@pytest.mark.parametrize("center", [(200, 200), (1000, 300), (640, 480)])
@pytest.mark.parametrize("height", [100, 260])
def test_a_face_is_found_in_its_place_and_size(detector, name, center, height):
    scene = background(1280, 720)
    placed = place(scene, name, center, height)
    found = detector.detect(scene)
    assert len(found) == 1
    assert np.linalg.norm(_middles(found)[0] - placed.middle) < 0.1 * height
    assert found.boxes[0, 3] == pytest.approx(height, rel=0.15)


@pytest.mark.parametrize("name", [HOPPER, ASTRONAUT])
def test_a_40_pixel_face_in_a_1080p_picture_is_found_because_such_pictures_are_searched_larger(detector, name):
    scene = background(1920, 1080)
    placed = place(scene, name, (1300, 700), 40)
    assert np.linalg.norm(_middles(detector.detect(scene)) - placed.middle, axis=1).min() < 8
    assert len(Detector(DetectorSettings(side=320)).detect(scene)) == 0


def test_the_largest_faces_come_first(detector):
    scene = background(1280, 720)
    for left, height in ((200, 90), (600, 200), (1000, 140)):
        place(scene, ASTRONAUT, (left, 250), height)
    found = detector.detect(scene)
    assert found.boxes[:, 0].argsort().tolist() == [2, 0, 1]
    assert len(found.largest(2)) == 2


def test_a_face_at_the_edge_may_reach_beyond_the_picture(detector):
    scene = background(640, 480)
    place(scene, HOPPER, (60, 240), 200)
    assert detector.detect(scene).boxes[0, 0] < 0


@pytest.mark.parametrize(
    "scene",
    [
        background(1280, 720),
        np.zeros((480, 640, 3), np.uint8),
        np.random.default_rng(3).integers(0, 255, (480, 640, 3)).astype(np.uint8),
    ],
    ids=["pattern", "black", "noise"],
)
def test_nothing_is_found_where_no_face_is(detector, scene):
    assert len(detector.detect(scene)) == 0


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (31, 33), (641, 359), (640, 360), (100, 4096)])
def test_every_size_of_picture_can_be_searched(detector, size):
    assert len(detector.detect(np.zeros((*size, 3), np.uint8))) == 0


@pytest.mark.parametrize(
    ("side", "size", "expected"),
    [(None, (1280, 720), 640), (None, (1920, 1080), 960), (None, (720, 1281), 960), (320, (1920, 1080), 320)],
)
def test_the_side_is_chosen_by_the_pictures_size_unless_it_is_set(side, size, expected):
    assert DetectorSettings(side=side).side_for(*size) == expected
