"""A picture is whole and within Rekognition's bounds, or refused with one sentence."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.pictures import MOST_BYTES, check
from pipeline.errors import PictureError
from tests.dashboard.support import picture

JPEG, PNG = picture(".jpg"), picture(".png")


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """Return the JPEG with an EXIF segment that says how it is to be turned."""
    tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + orientation.to_bytes(2) + b"\0\0\0\0\0\0"
    segment = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2) + segment + jpeg[2:]


@given(st.integers(1, len(JPEG) - 1))
def test_every_truncated_jpeg_is_refused(length: int) -> None:
    """Wherever a JPEG breaks off, it is noticed."""
    with pytest.raises(PictureError):
        check(JPEG[:length])


@given(st.integers(1, len(PNG) - 13))
def test_every_truncated_png_is_refused(length: int) -> None:
    """Wherever a PNG breaks off before its last chunk, it is noticed."""
    with pytest.raises(PictureError):
        check(PNG[:length])


@given(st.binary(max_size=300), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", JPEG[:200], PNG[:60]]))
def test_no_bytes_whatever_break_it(data: bytes, beginning: bytes) -> None:
    """Anything at all is a picture or a PictureError."""
    with pytest.raises(PictureError):
        check(beginning + data)


@pytest.mark.parametrize("size", [(80, 80), (81, 600), (641, 479), (1280, 1279)])
@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_the_size_is_that_of_the_picture(size: tuple[int, int], suffix: str) -> None:
    """Width and height come out right for odd and nearly square sizes."""
    found = check(picture(suffix, *size))
    assert (found.width, found.height) == size


def test_a_turned_jpeg_has_its_turned_size() -> None:
    """Rekognition turns a JPEG by its EXIF, and its boxes are fractions of the turned picture."""
    turned = check(with_orientation(JPEG, 6))
    assert (turned.width, turned.height) == (240, 320)
    assert turned.data.startswith(b"\xff\xd8\xff\xe1")
    kept = check(with_orientation(JPEG, 3))
    assert (kept.width, kept.height) == (320, 240)


def test_progressive_and_trailing_bytes_are_fine() -> None:
    """A JPEG of several scans is whole, and so is one with something behind its end."""
    pixels = np.random.default_rng(1).integers(0, 255, (200, 300, 3), np.uint8)
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])
    assert check(data.tobytes() + b"trailer").width == 300


def test_bounds() -> None:
    """One byte more than 5 MB, one pixel less than 80, and a bomb of a PNG are refused by their headers."""
    padding = b"\0" * (MOST_BYTES - len(JPEG))
    assert check(JPEG + padding).width == 320
    with pytest.raises(PictureError, match="5,242,881 bytes"):
        check(JPEG + padding + b"\0")
    bomb = bytearray(PNG)
    bomb[16:24] = (60_000).to_bytes(4) * 2
    with pytest.raises(PictureError, match="60000 x 60000 pixels: send one of 50 megapixels"):
        check(bytes(bomb))


def test_a_damaged_picture_is_refused() -> None:
    """Headers that are right do not help pixels that are not."""
    damaged = bytearray(PNG)
    damaged[100:2000] = bytes(1900)
    with pytest.raises(PictureError, match="cannot be decoded"):
        check(bytes(damaged))
