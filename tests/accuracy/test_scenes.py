"""A face put into a scene lies where the scene says, and only what is to change changes."""

from pathlib import Path

import numpy as np
import pytest

from accuracy.samples import Sample
from accuracy.scenes import FULL_HD, Backgrounds, Scene, blurred, compressed, covered, lit, noisy
from accuracy.trials import run
from tests.accuracy.folders import cutout
from tests.vision.scenes import ASTRONAUT, HOPPER, background, jpeg
from vision.faces import FaceEngine

NOWHERE = Backgrounds([])


@pytest.fixture(scope="module")
def engine() -> FaceEngine:
    return FaceEngine()


@pytest.mark.parametrize("name", [HOPPER, ASTRONAUT])
@pytest.mark.parametrize(("height", "turn", "size"), [(150, 0, (1280, 720)), (110, 20, (1280, 720)), (150, -20, FULL_HD)])
def test_a_real_engine_finds_face_and_eyes_where_the_scene_has_them(
    engine: FaceEngine, name: str, height: float, turn: float, size: tuple[int, int]
) -> None:
    (trial,) = run(engine, [("", Scene(cutout(name), NOWHERE, size, height, turn))])
    assert trial.face is not None
    assert trial.right


def test_a_face_upside_down_has_its_eyes_exchanged_and_below() -> None:
    scene = Scene(cutout(), NOWHERE, turn=180)
    (left_x, left_y), (right_x, _) = scene.eyes
    assert left_x > right_x
    assert left_y > scene.middle[1]


def test_a_scene_is_the_same_each_time_and_another_take_is_elsewhere() -> None:
    scene = Scene(cutout(), NOWHERE)
    assert (scene.draw() == Scene(cutout(), NOWHERE).draw()).all()
    assert np.linalg.norm(scene.middle - Scene(cutout(), NOWHERE, take=1).middle) > 20


def test_all_of_the_face_is_in_the_frame() -> None:
    for take in range(20):
        left, top = Scene(cutout(), NOWHERE, height=96, take=take).middle
        assert 48 < left < 1280 - 48
        assert 48 < top < 720 - 48


def test_the_background_is_a_picture_without_faces(tmp_path: Path) -> None:
    (tmp_path / "room.jpg").write_bytes(jpeg(np.full((400, 500, 3), (10, 200, 30), np.uint8)))
    room = Backgrounds([Sample("none/room.jpg", tmp_path / "room.jpg"), Sample("faces/room.jpg", tmp_path / "gone.jpg")])
    drawn = Scene(cutout(), room, height=60).draw()
    assert drawn.shape == (720, 1280, 3)
    assert np.abs(drawn[0, 0].astype(int) - (10, 200, 30)).max() < 10


def test_light_multiplies_and_noise_and_blur_do_what_they_say() -> None:
    scene, grey = Scene(cutout(), NOWHERE, height=100), np.full((720, 1280, 3), 100, np.uint8)
    assert (lit(0.5)(grey, scene) == 50).all()
    assert (lit(3)(grey, scene) == 255).all()
    assert (lit(1, 2)(grey, scene) == round(255 * (100 / 255) ** 2)).all()
    assert noisy(10)(grey, scene).std() == pytest.approx(10, rel=0.05)
    sharp = background(1280, 720)
    assert np.gradient(blurred(0.1)(sharp, scene).astype(float), axis=1).std() < np.gradient(sharp.astype(float), axis=1).std()
    assert (compressed(5)(sharp, scene) != sharp).any()


def test_a_cover_hides_a_part_of_the_face_and_nothing_else() -> None:
    scene = Scene(cutout(), NOWHERE, turn=90)
    plain, hidden = scene.draw(), scene.changed(covered(0, 0.25, 1, 0.5)).draw()
    changed = (plain != hidden).any(axis=2)
    eyes = np.rint(scene.eyes).astype(int)
    assert changed[eyes[:, 1], eyes[:, 0]].all()
    assert changed.sum() < 0.3 * scene.height**2
