"""What the encoder makes of any picture, and when its quality yields."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import PictureError
from producer.encoder import LARGEST_BYTES, LONGEST_SIDE, SHORTEST_SIDE, Encoder, TooSmallError, fit
from producer.sources.base import Image


def picture(width: int, height: int) -> Image:
    ramp = np.linspace(0, 255, width * height * 3).reshape(height, width, 3)
    return ramp.astype(np.uint8)


def noise(width: int, height: int) -> Image:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


def decoded_size(data: bytes) -> tuple[int, int]:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image.shape[1], image.shape[0]


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 4200), st.integers(1, 2400))
def test_every_picture_fits_or_is_refused(width: int, height: int) -> None:
    """A picture is refused exactly when it is too small; otherwise it comes out within Rekognition's limits."""
    if min(width, height) < SHORTEST_SIDE:
        with pytest.raises(TooSmallError):
            Encoder().encode(picture(width, height))
        return
    jpeg = Encoder().encode(picture(width, height))
    assert decoded_size(jpeg.data) == (jpeg.width, jpeg.height)
    assert min(jpeg.width, jpeg.height) >= SHORTEST_SIDE
    assert len(jpeg.data) <= LARGEST_BYTES
    assert max(jpeg.width, jpeg.height) <= LONGEST_SIDE or min(jpeg.width, jpeg.height) == SHORTEST_SIDE


@pytest.mark.parametrize(
    ("size", "fitted"),
    [
        ((1280, 720), (1280, 720)),
        ((1920, 1080), (1920, 1080)),
        ((3840, 2160), (1920, 1080)),
        ((2560, 1440), (1920, 1080)),
        ((5760, 3240), (1920, 1080)),
        ((1080, 3840), (540, 1920)),
        ((8000, 160), (4000, 80)),
    ],
)
def test_the_longest_side_becomes_1920(size: tuple[int, int], fitted: tuple[int, int]) -> None:
    """Proportions stay, and a panorama keeps the 80 pixels that it needs."""
    height, width = fit(picture(*size)).shape[:2]
    assert (width, height) == fitted


def test_a_picture_that_fits_is_not_copied() -> None:
    """Nothing is resized for nothing."""
    image = picture(1280, 720)
    assert fit(image) is image


def test_noise_that_compresses_badly_stays_below_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quality yields first, then size."""
    monkeypatch.setattr("producer.encoder.LARGEST_BYTES", 200_000)
    jpeg = Encoder().encode(noise(1920, 1080))
    assert len(jpeg.data) <= 200_000
    assert jpeg.width < 1920


def test_pixels_that_are_none_are_an_error_of_the_picture() -> None:
    """OpenCV's own exceptions stay inside."""
    with pytest.raises(PictureError):
        Encoder().encode(np.zeros((100, 100, 7), np.uint8))


def test_quality_yields_to_a_slow_uplink_and_comes_back() -> None:
    """Above 0.15 s it falls a step each 2 s down to 55; after 10 s below 0.075 s it rises a step."""
    encoder = Encoder()
    falling = []
    for second in range(9):
        encoder.yield_to(0.3, float(second))
        falling.append(encoder.quality)
    assert falling == [75, 75, 65, 65, 55, 55, 55, 55, 55]
    rising = []
    for second in range(9, 40):
        encoder.yield_to(0.01, float(second))
        rising.append(encoder.quality)
    assert [rising.index(quality) for quality in (65, 75, 85)] == [9, 19, 29]


def test_quality_stays_between_the_two_limits() -> None:
    """An uplink neither slow nor fast changes nothing."""
    encoder = Encoder()
    encoder.yield_to(0.2, 0.0)
    for second in range(1, 60):
        encoder.yield_to(0.1, float(second))
    assert encoder.quality == 75
