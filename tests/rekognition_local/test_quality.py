"""Each bar names what keeps a face below it; higher bars are harder to clear."""

from dataclasses import fields, replace

import numpy as np
import pytest

from rekognition_local.quality import BARS, Bar, judged
from vision.entities import Box, Face, Pose, Quality

GOOD = Face(
    Box(0.4, 0.4, 0.2, 0.2),
    confidence=95.0,
    quality=Quality(brightness=50.0, sharpness=60.0),
    pose=Pose(0.0, 5.0, -5.0),
    vector=np.zeros(128, np.float32),
)
PICTURE = np.zeros((720, 1280, 3), np.uint8)


def _reasons(face, bar):
    ((_, reasons),) = judged([face], PICTURE, bar)
    return reasons


@pytest.mark.parametrize("bar", BARS)
def test_a_good_face_clears_every_bar(bar):
    assert _reasons(GOOD, bar) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"confidence": 71.0}, "LOW_CONFIDENCE"),
        ({"box": Box(0.4, 0.4, 0.025, 0.025)}, "SMALL_BOUNDING_BOX"),
        ({"quality": Quality(2.0, 60.0)}, "LOW_BRIGHTNESS"),
        ({"quality": Quality(50.0, 15.0)}, "LOW_SHARPNESS"),
        ({"pose": Pose(0.0, -70.0, 0.0)}, "EXTREME_POSE"),
        ({"pose": Pose(0.0, 0.0, 70.0)}, "EXTREME_POSE"),
    ],
)
@pytest.mark.parametrize("bar", ["AUTO", "LOW", "MEDIUM", "HIGH"])
def test_what_is_wrong_with_a_face_is_named(bar, change, reason):
    assert _reasons(replace(GOOD, **change), bar) == [reason]
    assert _reasons(replace(GOOD, **change), "NONE") == []


@pytest.mark.parametrize("bar", BARS)
def test_a_face_without_a_vector_clears_no_bar(bar):
    assert _reasons(replace(GOOD, vector=None, pose=None), bar) == ["LOW_FACE_QUALITY"]


@pytest.mark.parametrize(("lower", "higher"), [("NONE", "LOW"), ("LOW", "MEDIUM"), ("MEDIUM", "HIGH")])
def test_a_higher_bar_is_harder_in_every_way(lower, higher):
    for field in fields(Bar):
        low, high = getattr(BARS[lower], field.name), getattr(BARS[higher], field.name)
        assert (high < low) if field.name == "degrees" else (high > low)
