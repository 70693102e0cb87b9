"""What is small or turned is looked at again, close up; what is nothing stays nothing."""

import numpy as np
import pytest

from tests.vision.scenes import ASTRONAUT, HOPPER, background, place
from vision.detections import Detections
from vision.detector import Detector, DetectorSettings
from vision.geometry import Squares, crop, turn_between, upright_square
from vision.yunet import YuNet


@pytest.fixture(scope="module")
def detector():
    return Detector()


def _searched_once(monkeypatch):
    """A detector that does not look again."""
    monkeypatch.setattr(Detector, "_look_again", lambda *_: Detections.none())
    return Detector()


def _is_at(found, placed, height):
    return len(found) == 1 and np.linalg.norm(found.centers[0] - placed.middle) < 0.2 * height


@pytest.mark.parametrize(("size", "height"), [((1280, 720), 24), ((1920, 1080), 32)])
def test_faces_too_small_for_the_search_are_seen_close_up(detector, monkeypatch, size, height):
    scene = background(*size)
    placed = place(scene, HOPPER, (300, 300), height)
    assert _is_at(detector.detect(scene), placed, height)
    assert len(_searched_once(monkeypatch).detect(scene)) == 0


@pytest.mark.parametrize("name", [HOPPER, ASTRONAUT])
@pytest.mark.parametrize("turn", range(0, 360, 30))
def test_a_large_face_is_found_at_any_turn_in_its_place_and_size(detector, name, turn):
    scene = background(640, 480)
    placed = place(scene, name, (320, 240), 150, turn)
    found = detector.detect(scene)
    assert _is_at(found, placed, 150)
    assert 0.7 * 150 < found.sides[0] < 1.4 * 150
    assert turn_between(found.turns[0], turn) <= 45 or found.turns[0] == 0  # some are seen upside down


def test_without_a_second_look_turned_faces_are_missed(monkeypatch):
    detector = _searched_once(monkeypatch)
    for turn in (90, 120, 180, 210, 240, 270):
        scene = background(640, 480)
        place(scene, HOPPER, (320, 240), 150, turn)
        assert len(detector.detect(scene)) == 0


def test_a_face_lying_on_its_side_has_a_box_that_lies(detector):
    boxes = []
    for turn in (0, 90):
        scene = background(640, 480)
        place(scene, HOPPER, (320, 240), 150, turn)
        (box,) = detector.detect(scene).boxes
        boxes.append(box[3] / box[2])
    assert boxes[0] > 1.15
    assert boxes[1] < 0.9


@pytest.mark.parametrize("turn", [0.0, 45.0, 90.0, -135.0])
def test_points_of_a_close_up_are_where_they_are_in_the_picture(detector, turn):
    scene = background(640, 480)
    placed = place(scene, ASTRONAUT, (300, 220), 120, turn)
    seen, which = detector.close_ups(scene, Squares(placed.middle[None], np.array([180.0]), np.array([turn])))
    assert which.tolist() == [0]
    eyes = [placed.at(eye) for eye in ((203, 101), (246, 103))]
    assert np.linalg.norm(seen.points[0, :2] - eyes, axis=1).max() < 0.15 * 120


def test_of_several_close_ups_each_face_names_its_own(detector):
    scene = background(640, 480)
    place(scene, ASTRONAUT, (160, 240), 120, closeup=True)
    place(scene, HOPPER, (480, 240), 120, closeup=True)
    centers = np.array([[160.0, 240], [320, 60], [480, 240]])
    seen, which = detector.close_ups(scene, Squares(centers, np.full(3, 180.0), np.zeros(3)))
    assert which.tolist() == [0, 2]
    assert (np.abs(seen.centers - centers[which]) < 20).all()


def test_no_close_ups_need_no_net(detector):
    seen, which = detector.close_ups(background(64, 64), Squares(np.zeros((0, 2)), np.zeros(0), np.zeros(0)))
    assert (len(seen), len(which)) == (0, 0)


@pytest.mark.parametrize("height", [360, 720, 712, 641, 90])
def test_rows_that_are_cut_off_move_no_face(detector, height):
    scene = background(640, height)
    placed = place(scene, ASTRONAUT, (320, height / 2), min(200, height * 0.7))
    found = detector.detect(scene)
    assert np.linalg.norm(found.centers[0] - placed.middle) < 12


def test_noise_is_looked_at_a_few_times_only(monkeypatch):
    """It looks a little like a thousand faces; what brings nothing is not continued."""
    looks, close_ups = [], Detector.close_ups

    def counted(self, rgb, squares):
        looks.append(len(squares))
        return close_ups(self, rgb, squares)

    monkeypatch.setattr(Detector, "close_ups", counted)
    noise = np.random.default_rng(3).integers(0, 255, (720, 1280, 3)).astype(np.uint8)
    assert len(Detector().detect(noise)) == 0
    assert sum(looks) <= 32


def test_a_higher_threshold_holds_for_close_ups_too():
    scene = background(1280, 720)
    place(scene, ASTRONAUT, (300, 300), 36)
    assert len(Detector(DetectorSettings(threshold=0.97)).detect(scene)) == 0


def test_squares_go_back_to_where_they_were_cut_from():
    squares = Squares(np.array([[100.0, 80.0], [200.0, 150.0]]), np.array([50.0, 120.0]), np.array([30.0, -110.0]))
    corners = np.array([[[0.0, 0.0], [64.0, 10.0], [32.0, 32.0]]] * 2)
    for index, places in enumerate(squares.back(corners, 64)):
        matrix = upright_square(squares.centers[index], squares.sides[index], squares.turns[index], 64)
        assert np.allclose(places @ matrix[:, :2].T + matrix[:, 2], corners[index])


def test_cutting_a_square_is_cropping_it():
    scene = background(200, 100)
    squares = Squares(np.array([[90.0, 40.0]]), np.array([60.0]), np.array([20.0]))
    assert np.array_equal(squares.cut(scene, 32), crop(scene, [upright_square(np.array([90, 40]), 60, 20, 32)], 32))


def test_of_what_is_unsure_only_the_likeliest_is_returned():
    noise = np.random.default_rng(3).integers(0, 255, (1, 320, 640, 3)).astype(np.uint8)
    net = YuNet()
    everything, owners = net.see(noise, 0.02)
    some, _ = net.see(noise, 0.02, sure=0.9, most_unsure=10)
    assert len(everything) == len(owners) > 20
    assert np.allclose(np.sort(some.scores), np.sort(everything.scores)[-10:])


def test_the_surer_of_two_that_share_a_place_is_kept():
    boxes = np.array([[0.0, 0, 10, 10], [1, 1, 10, 10], [50, 50, 10, 10]])
    found = Detections(boxes, np.array([0.8, 0.9, 0.7]), np.zeros((3, 5, 2)), np.zeros(3))
    assert found.without_doubles(0.3).scores.tolist() == [0.9, 0.7]
    assert found[:2].apart_from(found[2:]).scores.tolist() == [0.8, 0.9]
    assert found[:1].apart_from(found[1:]).scores.tolist() == []
    assert found.apart_from(Detections.none()).scores.tolist() == [0.8, 0.9, 0.7]
