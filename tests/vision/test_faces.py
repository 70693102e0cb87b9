"""The engine answers what it is asked, no more and no less, for any picture and from any thread."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import cv2
import numpy as np
import pytest

from tests.vision.scenes import ASTRONAUT, HOPPER, background, middle_of, place, portrait
from vision.entities import Attribute, expand
from vision.faces import MAX_FACES
from vision.pictures import PictureError

FIVE = ["eyeLeft", "eyeRight", "mouthLeft", "mouthRight", "nose"]
ALWAYS = {"box", "confidence", "quality", "landmarks", "pose"}
ANSWERED_BY = {
    "AGE_RANGE": {"age"},
    "EMOTIONS": {"emotions"},
    "EYES_OPEN": {"eyes_open"},
    "GENDER": {"gender"},
    "MOUTH_OPEN": {"mouth_open"},
    "SMILE": {"smile"},
    "DEFAULT": set(),
    "ALL": {"age", "emotions", "eyes_open", "gender", "mouth_open", "smile"},
}


@pytest.mark.parametrize("attribute", list(Attribute))
def test_only_what_was_asked_for_is_answered(engine, attribute):
    (face,) = engine.analyse(portrait(ASTRONAUT), [attribute])
    answered = {name for name, value in asdict(face).items() if value not in (None, ())}
    assert answered == ALWAYS | ANSWERED_BY.get(attribute, set())


def test_attributes_add_up(engine):
    (face,) = engine.analyse(portrait(ASTRONAUT), ["SMILE", "AGE_RANGE"])
    assert face.smile is not None
    assert face.age is not None
    assert face.gender is None


def test_an_unknown_attribute_is_a_value_error():
    with pytest.raises(ValueError, match="FRECKLES"):
        expand(["FRECKLES"])


def test_five_landmarks_by_default_and_thirty_when_everything_is_asked(engine):
    (usual,) = engine.analyse(portrait(HOPPER))
    (every,) = engine.analyse(portrait(HOPPER), ["ALL"])
    assert [point.name for point in usual.landmarks] == FIVE
    assert len({point.name for point in every.landmarks}) == 30
    assert every.landmarks[:5] == usual.landmarks


def test_the_portraits_are_read_as_a_person_would(engine):
    (hopper,) = engine.analyse(portrait(HOPPER), ["ALL"])
    (astronaut,) = engine.analyse(portrait(ASTRONAUT), ["ALL"])
    assert astronaut.smile.value
    assert not hopper.smile.value
    assert (astronaut.emotions[0].name, hopper.emotions[0].name) == ("HAPPY", "CALM")
    assert astronaut.gender.value == "Female"
    assert astronaut.eyes_open.value
    assert hopper.eyes_open.value
    assert not hopper.mouth_open.value
    assert hopper.age.low > astronaut.age.low + 10
    assert all(sum(emotion.confidence for emotion in face.emotions) == pytest.approx(100) for face in (hopper, astronaut))


@pytest.mark.parametrize("turn", [45, 180, -120])
def test_a_turned_face_smiles_all_the_same(engine, turn):
    scene = background(640, 480)
    place(scene, ASTRONAUT, (320, 240), 150, turn)
    (face,) = engine.analyse(scene, ["SMILE", "EMOTIONS"])
    assert face.smile.value


def test_closed_eyes_are_seen(engine):
    """Painted shut: skin from the cheek, and a dark line where the lids meet."""
    scene = portrait(HOPPER).copy()
    for x, y in ((220, 192), (310, 188)):
        scene[y - 14 : y + 14, x - 30 : x + 30] = cv2.resize(scene[222:236, 190:220], (60, 28))
        cv2.line(scene, (x - 22, y + 5), (x + 22, y + 5), (70, 45, 40), 2)
    (face,) = engine.analyse(scene, ["EYES_OPEN"])
    assert not face.eyes_open.value


def test_blur_lowers_sharpness_and_shade_lowers_brightness(engine):
    scene = portrait(HOPPER)
    (plain,) = engine.analyse(scene)
    (blurred,) = engine.analyse(cv2.GaussianBlur(scene, (0, 0), 2))
    (darker,) = engine.analyse((scene * 0.6).astype(np.uint8))
    assert blurred.quality.sharpness < plain.quality.sharpness - 15
    assert darker.quality.brightness == pytest.approx(plain.quality.brightness * 0.6, rel=0.1)


def test_many_threads_on_one_engine_get_the_same_answers(engine):
    scenes = []
    for seed, name in enumerate((HOPPER, ASTRONAUT) * 4):
        scene = background(640, 480)
        place(scene, name, (300 + 5 * seed, 240), 120 + 10 * seed)
        scenes.append(scene)
    expected = [engine.analyse(scene, ["ALL"]) for scene in scenes]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda scene: engine.analyse(scene, ["ALL"]), scenes)) == expected


def test_of_more_than_a_hundred_faces_the_largest_hundred_are_returned(engine):
    scene = background(1600, 1100)
    for row in range(8):
        for column in range(14):
            place(scene, ASTRONAUT, (60 + 114 * column, 70 + 130 * row), 60 + row, closeup=True)
    faces = engine.analyse(scene)
    sizes = [face.box.width * face.box.height for face in faces]
    assert len(faces) == MAX_FACES
    assert sizes == sorted(sizes, reverse=True)


def test_positions_are_fractions_and_hold_for_a_scaled_copy(engine):
    scene = background(1280, 720)
    placed = place(scene, HOPPER, (500, 400), 300)
    for copy in (scene, cv2.resize(scene, (640, 360), interpolation=cv2.INTER_AREA)):
        (box,) = engine.detect(copy)
        assert np.linalg.norm(middle_of(box, scene) - placed.middle) < 30


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((1, 1), np.uint8),
        np.zeros((2, 50_000, 3), np.uint8),
        np.zeros((40_000, 3, 3), np.uint8),
        np.zeros((9000, 7000, 3), np.uint8),
    ],
    ids=["dot", "grey dot", "wide", "high", "63 megapixels"],
)
def test_any_size_can_be_analysed(engine, picture):
    assert engine.analyse(picture, ["ALL"]) == []


def test_grey_alpha_and_cut_out_pictures_are_taken_as_they_come(engine):
    rgb = portrait(HOPPER)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    alpha = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
    for picture in (grey, grey[:, :, None], alpha, rgb[:, 20:], rgb[:, ::-1]):
        assert len(engine.analyse(picture)) == 1


def test_an_age_moves_little_with_the_picture(engine):
    """Three crops of the face are averaged."""
    scene, centers = background(1280, 720), []
    place(scene, ASTRONAUT, (640, 360), 260)
    for shift in range(12):
        view = scene[shift : 600 + 3 * shift, 100 + 2 * shift : 1100 + shift]
        (face,) = engine.analyse(view, ["AGE_RANGE"])
        centers.append((face.age.low + face.age.high) / 2)
    assert np.ptp(centers) < 1


def test_a_large_array_keeps_its_positions(engine):
    scene = cv2.resize(portrait(HOPPER), (5120, 6000))
    (large,), (usual,) = engine.detect(scene), engine.detect(portrait(HOPPER))
    assert (large.left, large.top) == (pytest.approx(usual.left, abs=0.02), pytest.approx(usual.top, abs=0.02))


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((10, 10, 3), np.float32),
        np.zeros((0, 10, 3), np.uint8),
        np.zeros(5, np.uint8),
        np.zeros((9, 9, 2), np.uint8),
    ],
    ids=["float", "empty", "flat", "two channels"],
)
def test_what_is_no_picture_is_a_picture_error(engine, array):
    with pytest.raises(PictureError, match=r"channels|no picture"):
        engine.analyse(array)
