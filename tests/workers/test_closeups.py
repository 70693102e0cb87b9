"""Faces cut out of frames: what is around them, what is not, and how large they come."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.entities import Frame
from tests.clips import CLIPS, HD
from tests.vision.scenes import jpeg
from vision.embedding import distance
from vision.entities import Box
from vision.faces import FaceEngine
from vision.pictures import decode
from workers import closeups
from workers.closeups import LEAST_SIDE, MARGIN, MOST_SIDE, Closeups, cut_out
from workers.views import View

GREY = np.full((400, 800, 3), 90, np.uint8)


def test_a_cut_has_a_margin_of_half_the_box_on_each_side() -> None:
    picture = GREY.copy()
    picture[100:200, 300:400] = 250
    cut = decode(cut_out(picture, Box(300 / 800, 100 / 400, 100 / 800, 100 / 400), []).jpeg)
    assert cut.shape == (200, 200, 3)
    assert MARGIN == 0.5
    assert cut[60:140, 60:140].min() > 230
    assert np.delete(cut, np.s_[40:160], axis=0).max() < 110


@pytest.mark.parametrize(
    "box", [Box(0.5, 0.5, 0.01, 0.02), Box(-0.05, -0.1, 0.1, 0.2), Box(0.98, 0.95, 0.1, 0.2), Box(0, 0, 1, 1)]
)
def test_a_cut_is_of_a_size_that_rekognition_takes(box: Box) -> None:
    cut = cut_out(GREY, box, [])
    height, width = decode(cut.jpeg).shape[:2]
    assert (cut.width, cut.height) == (width, height)
    assert min(width, height) >= LEAST_SIDE
    assert max(width, height) <= max(MOST_SIDE, LEAST_SIDE * max(width, height) / min(width, height))


def test_a_face_beside_it_is_painted_over_lest_that_be_searched() -> None:
    picture = GREY.copy()
    picture[100:200, 300:350] = 250  # the face
    picture[80:260, 360:460] = 10  # a larger one beside it
    cut = decode(cut_out(picture, Box(300 / 800, 0.25, 50 / 800, 0.25), [Box(360 / 800, 0.2, 100 / 800, 0.45)]).jpeg)
    assert cut.min() > 50
    overlapping = decode(cut_out(picture, Box(300 / 800, 0.25, 50 / 800, 0.25), [Box(320 / 800, 0.2, 100 / 800, 0.45)]).jpeg)
    assert overlapping[60:140, 30:70].min() > 230  # of the face itself nothing is lost


def test_a_face_in_a_cut_is_found_and_is_who_it_was() -> None:
    shot = CLIPS["two"].shot(1.0)
    found = FaceEngine().analyse(shot.rgb, vectors=True)
    views = [View(place, face.box, face.box.height * HD[1], 0.0, 1.0) for place, face in enumerate(found)]
    near = Closeups(Frame("cam", 1, 0.0, jpeg(shot.rgb), *HD), views, lambda number: b"")
    for place, face in enumerate(found):
        (cut,) = FaceEngine().analyse(decode(near.cut(place).jpeg), vectors=True)
        assert distance(cut.vector, face.vector) < 0.35
        assert distance(near.vector(place), face.vector) < 0.35


def test_a_frame_is_decoded_once_and_only_when_that_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[bytes] = []
    monkeypatch.setattr(closeups, "decode", lambda data: (decoded.append(data), GREY)[1])
    views = [View(place, Box(0.1 + place / 4, 0.2, 0.1, 0.2), 80.0, 0.0, 1.0) for place in range(3)]
    near = Closeups(Frame("cam", 1, 0.0, b"jpeg", 800, 400), views, lambda number: b"")
    assert near.unlikeness(0, 7) is None  # nothing is kept of that track, so nothing is decoded
    assert decoded == []
    assert near.vector(0) is None  # there is no face
    near.cut(1), near.cut(2), near.vector(1)
    assert decoded == [b"jpeg"]


def test_in_a_crowd_few_faces_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    views = [View(place, Box(0.01 * place, 0.2, 0.01, 0.02), 80.0, 0.0, 1.0) for place in range(50)]
    near = Closeups(Frame("cam", 1, 0.0, b"jpeg", 800, 400), views, lambda number: np.zeros(128, np.float32).tobytes())
    monkeypatch.setattr(closeups, "recognizer", lambda: Counting(asked))
    monkeypatch.setattr(closeups, "decode", lambda data: GREY)
    known = [near.unlikeness(face, 1) for face in range(50)]
    assert len([one for one in known if one is not None]) == len(asked) == closeups.MOST_VECTORS


class Counting:
    def __init__(self, asked: list[int]) -> None:
        self._asked = asked

    def vectors(self, rgb: np.ndarray, boxes: list[Box], rolls: list[float]) -> list[np.ndarray]:
        self._asked.append(len(boxes))
        return [np.ones(128, np.float32)]
