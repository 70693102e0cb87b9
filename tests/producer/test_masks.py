"""What lies below a mask leaves in no picture, whatever its size and its colours."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.clock import SystemClock
from pipeline.entities import Camera, CameraState, Policy, Polygon
from producer.masks import FLAT_GREY, Masks, covered
from producer.reader import FileReader
from producer.sampler import Sample
from producer.sources import open_source
from producer.sources.base import Kept, Pixels
from producer.status import StatusBoard
from tests.cameras.clips import Clips

LEFT_HALF: Polygon = ((0, 0), (0.5, 0), (0.5, 1), (0, 1))
fractions = st.floats(0, 1).map(lambda share: round(share, 3))
polygons = st.lists(st.tuples(fractions, fractions), min_size=3, max_size=8).map(tuple)


@settings(deadline=None, max_examples=60)
@given(polygons, st.integers(1, 300), st.integers(1, 300))
def test_all_that_is_inside_becomes_flat_grey(polygon: Polygon, width: int, height: int) -> None:
    """The picture that was masked stays as it was: it may be somebody else's."""
    image = np.random.default_rng(1).integers(0, 100, (height, width, 3), dtype=np.uint8)
    before = image.copy()
    painted = Masks((polygon,)).paint(image)
    assert (painted[covered((polygon,), width, height) > 0] == FLAT_GREY).all()
    assert (image == before).all()


def test_what_lies_in_two_masks_is_masked_and_what_lies_in_two_zones_counts() -> None:
    first: Polygon = ((0.1, 0.1), (0.6, 0.1), (0.6, 0.6), (0.1, 0.6))
    second: Polygon = ((0.4, 0.4), (0.9, 0.4), (0.9, 0.9), (0.4, 0.9))
    image = np.full((100, 200, 3), 255, np.uint8)
    assert (Masks((first, second)).paint(image)[50, 100] == FLAT_GREY).all()
    assert covered((first, second), 200, 100)[50, 100] == 255


def test_a_mask_that_crosses_itself_has_no_hole() -> None:
    """A star drawn in one line: its middle is as hidden as its points."""
    star = tuple((0.5 + 0.45 * math.sin(4 * math.pi * n / 5), 0.5 - 0.45 * math.cos(4 * math.pi * n / 5)) for n in range(5))
    assert covered((star,), 200, 200)[100, 100] == 255


def test_a_picture_that_is_made_smaller_mixes_nothing_over_the_edge() -> None:
    """White below the mask does not shine through in any size."""
    image = np.zeros((720, 1280, 3), np.uint8)
    image[:, :640] = 255
    image[:, 640:] = 64
    masked = Masks((LEFT_HALF,)).over(Kept(Pixels(image)))
    for longest in (1280, 640, 480, 333):
        assert masked.grey(longest).max() <= FLAT_GREY
    assert masked.bgr().max() <= FLAT_GREY


def test_a_camera_without_masks_is_not_wrapped() -> None:
    picture = Pixels(np.zeros((10, 10, 3), np.uint8))
    assert Masks(()).over(picture) is picture


class Tap:
    """Somebody who watches."""

    def __init__(self) -> None:
        self.seen: list[Sample] = []

    def wants(self) -> bool:
        return True

    def put(self, sample: Sample) -> None:
        self.seen.append(sample)


@pytest.mark.parametrize("longest", [None, 320])
def test_neither_analysis_nor_people_who_watch_see_what_is_masked(clips: Clips, longest: int | None) -> None:
    """A real video, read by the capture's own reader."""
    camera = Camera("door", str(clips.video("360")), fps=5, policy=Policy.EVERY, masks=(LEFT_HALF,))
    tap, clock = Tap(), SystemClock()
    board = StatusBoard("door", clock)
    board.become(CameraState.CONNECTING)
    reader = FileReader(camera, open_source, board, clock, tap)
    reader.start()
    sample = reader.take(5)
    reader.close()
    assert sample is not None
    for seen in (sample, *tap.seen):
        image = seen.picture.bgr(longest)
        left = image[:, : image.shape[1] // 2]
        assert (left == FLAT_GREY).all()
        assert (seen.picture.grey(320)[:, :150] == FLAT_GREY).all()
        assert image[:, image.shape[1] // 2 + 4 :].std() > 0


def test_a_folder_of_pictures_is_masked_too(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((100, 200, 3), 255, np.uint8))
    camera = replace(Camera("door", str(tmp_path), fps=5, policy=Policy.EVERY), masks=(LEFT_HALF,))
    clock = SystemClock()
    board = StatusBoard("door", clock)
    board.become(CameraState.CONNECTING)
    reader = FileReader(camera, open_source, board, clock)
    reader.start()
    sample = reader.take(5)
    assert sample is not None
    assert (sample.picture.bgr()[:, :100] == FLAT_GREY).all()
