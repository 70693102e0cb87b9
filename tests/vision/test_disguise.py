"""A covered face is nobody's face any more."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.vision.scenes import ASTRONAUT, HOPPER, portrait
from vision.disguise import disguise
from vision.entities import Rgb
from vision.faces import FaceEngine
from vision.pictures import PictureError, decode

EVERYWHERE = (0.0, 0.0, 1.0, 1.0)


def encoded(rgb: Rgb, suffix: str = ".jpg") -> bytes:
    return cv2.imencode(suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes()


def noise(width: int = 320, height: int = 240) -> Rgb:
    return np.random.default_rng(3).integers(0, 255, (height, width, 3), np.uint8)


@pytest.mark.parametrize("name", [HOPPER, ASTRONAUT])
def test_no_face_is_found_where_one_was_covered(name: str, engine: FaceEngine) -> None:
    rgb = portrait(name)
    boxes = [(box.left, box.top, box.width, box.height) for box in engine.detect(rgb)]
    assert boxes
    assert engine.detect(decode(encoded(rgb)))
    assert not engine.detect(decode(disguise(encoded(rgb), boxes)))


def test_nothing_but_a_few_flat_squares_stays_of_what_is_covered() -> None:
    """The whole picture as one box: at most 8 x 6 colours, whatever was there."""
    covered = decode(disguise(encoded(noise()), [EVERYWHERE]))
    blocks = covered.reshape(6, 40, 8, 40, 3).transpose(0, 2, 1, 3, 4).reshape(48, -1, 3)
    assert blocks.std(axis=1).max() < 3


def test_a_small_box_becomes_fewer_squares() -> None:
    """Eight squares in a face of twelve pixels would show it almost as it was."""
    box = (0.5, 0.5, 12 / 320, 12 / 240)
    covered = decode(disguise(encoded(noise()), [box]))
    region = covered[117:135, 157:175].astype(float)
    assert region.reshape(3, 6, 3, 6, 3).std(axis=(1, 3)).max() < 20
    assert noise()[117:135, 157:175].std() > 60


def test_the_surroundings_of_a_box_are_covered_and_the_rest_is_left_alone() -> None:
    flat = np.full((240, 320, 3), 200, np.uint8)
    flat[:, 60:61] = 0  # a line inside of the margin
    flat[:, 300:301] = 0  # a line far away
    covered = decode(disguise(encoded(flat), [(0.25, 0.25, 0.25, 0.5)])).astype(int)
    assert covered[120, 60].min() > 150
    assert covered[120, 300].max() < 40
    assert covered[10, 60].max() < 40


@pytest.mark.parametrize("box", [(-0.5, -0.5, 2.0, 2.0), (0.9, 0.9, 0.5, 0.5), (2.0, 2.0, 0.1, 0.1), (0.5, 0.5, 0.0, 0.0)])
def test_boxes_may_reach_out_of_the_picture(box: tuple[float, float, float, float]) -> None:
    assert decode(disguise(encoded(noise()), [box])).shape == (240, 320, 3)


def test_a_png_becomes_a_jpeg_and_what_is_no_picture_an_error() -> None:
    assert disguise(encoded(noise(), ".png"), []).startswith(b"\xff\xd8\xff")
    with pytest.raises(PictureError):
        disguise(b"\xff\xd8\xff and no more", [])
