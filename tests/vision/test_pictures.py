"""JPEG and PNG bytes become RGB arrays; everything else is refused with one sentence that says why."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vision.scenes import ASTRONAUT, HOPPER, background, jpeg, png, portrait, portrait_bytes, with_orientation
from vision.pictures import ENOUGH_PIXELS, MAX_PIXELS, PictureError, PictureInfo, PictureTooLargeError, decode, inspect


def test_a_header_tells_format_and_size_without_decoding():
    assert inspect(portrait_bytes(HOPPER)) == PictureInfo("jpeg", 512, 600)
    assert inspect(portrait_bytes(ASTRONAUT)) == PictureInfo("png", 512, 512)


@pytest.mark.parametrize("name", [HOPPER, ASTRONAUT])
def test_a_portrait_is_decoded_red_first(name):
    assert np.array_equal(decode(portrait_bytes(name)), portrait(name))


@pytest.mark.parametrize("encode", [jpeg, png])
def test_a_grey_picture_becomes_three_channels(encode):
    grey = cv2.cvtColor(portrait(HOPPER), cv2.COLOR_RGB2GRAY)
    data = cv2.imencode(".jpg" if encode is jpeg else ".png", grey)[1].tobytes()
    rgb = decode(data)
    assert rgb.shape == (600, 512, 3)
    assert np.array_equal(rgb[:, :, 0], rgb[:, :, 2])


def test_a_png_with_alpha_or_16_bits_becomes_plain_rgb():
    alpha = cv2.cvtColor(portrait(ASTRONAUT), cv2.COLOR_RGB2BGRA)
    deep = portrait(ASTRONAUT).astype(np.uint16) * 257
    assert decode(cv2.imencode(".png", alpha)[1].tobytes()).shape == (512, 512, 3)
    assert decode(cv2.imencode(".png", deep)[1].tobytes()).dtype == np.uint8


def test_bytes_after_the_end_of_a_jpeg_do_no_harm():
    assert decode(portrait_bytes(HOPPER) + b"\0" * 500).shape == (600, 512, 3)


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [(1920, 1080, 1), (2 * ENOUGH_PIXELS, 1000, 2), (3000, 4000, 2), (9000, 6000, 4)],
)
def test_a_huge_jpeg_is_decoded_reduced_but_never_below_what_the_models_need(width, height, expected):
    rgb = decode(jpeg(background(width, height), 50))
    assert max(rgb.shape) >= ENOUGH_PIXELS
    assert rgb.shape[:2] == (-(-height // expected), -(-width // expected))


def test_a_jpeg_is_turned_as_its_exif_says_as_rekognition_does():
    rotate_90 = 6
    upright = decode(with_orientation(portrait_bytes(HOPPER), rotate_90))
    assert np.array_equal(upright, np.rot90(portrait(HOPPER), -1))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"GIF89a" + b"\0" * 100, "neither JPEG nor PNG"),
        (b"hello, this is a text file", "neither JPEG nor PNG"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "neither JPEG nor PNG"),
        (b"\xff\xd8\xff", "states no size"),
        (b"\xff\xd8\xff\xe0\xff\xff\xff\xd9", "states no size"),
        (b"\x89PNG\r\n\x1a\n", "states no size"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_reason(data, words):
    with pytest.raises(PictureError, match=words):
        decode(data)


@pytest.mark.parametrize("name", [HOPPER, ASTRONAUT])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.9, 0.9999])
def test_a_picture_that_is_cut_off_is_refused_not_filled_with_grey(name, share):
    data = portrait_bytes(name)
    with pytest.raises(PictureError, match=r"cut off|states no size"):
        decode(data[: int(len(data) * share)])


def test_a_small_png_that_unpacks_to_gigabytes_is_refused_before_decoding():
    side = int(MAX_PIXELS**0.5) + 1
    with pytest.raises(PictureTooLargeError, match="100 megapixels"):
        decode(_png_of_zeros(side, side))


@settings(max_examples=150, deadline=None)
@given(cut=st.integers(2, 3000), junk=st.binary(max_size=64), name=st.sampled_from([HOPPER, ASTRONAUT]))
def test_any_damage_ends_in_a_picture_or_in_a_picture_error(cut, junk, name):
    data = bytearray(portrait_bytes(name))
    data[cut : cut + len(junk)] = junk
    try:
        rgb = decode(bytes(data))
    except PictureError:
        return
    assert rgb.ndim == 3


def _png_of_zeros(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def progressive(width=320, height=240):
    _, data = cv2.imencode(".jpg", np.full((height, width, 3), 90, np.uint8), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])
    return data.tobytes()


def test_a_small_jpeg_that_would_take_minutes_is_refused_before_decoding():
    """Each further scan, which may have a few bytes, is another pass over all pixels."""
    data = progressive()
    scan = data[data.rindex(b"\xff\xda") : -2]
    hidden = b"\xff\xfe\x00\x04\xff\xd9"  # the end in a comment is no end
    assert inspect(data).progressive
    assert inspect(data[:-2] + 80 * scan + data[-2:]).format == "jpeg"
    for many in (200 * scan, hidden + 200 * scan):
        with pytest.raises(PictureError, match="more than 100 scans"):
            inspect(data[:-2] + many + data[-2:])
    assert inspect(data + 200 * scan).format == "jpeg", "after the end nobody reads on"


@pytest.mark.parametrize("marker", [0x01, 0xD0, 0xD7, 0xD8, 0xD9])
def test_a_size_hidden_behind_a_marker_without_length_is_not_believed(marker):
    """A decoder steps over such a marker and finds the true header; who reads a length there jumps to a smaller one."""
    honest = jpeg(portrait(HOPPER))
    true_header = honest[2:-2]
    start = honest.index(b"\xff\xc0")
    small = honest[start : start + 5] + struct.pack(">HH", 100, 100) + honest[start + 9 : start + 19]
    scan = b"\xff\xda" + struct.pack(">H", 8) + b"\x01\x01\x00\x00\x3f\x00" + b"\xff\xd9"
    disguise = bytes([0xFF, marker]) + struct.pack(">H", 2 + min(len(true_header), 60_000))
    hidden = true_header[:60_000] if len(true_header) > 60_000 else true_header
    with pytest.raises(PictureError):
        inspect(b"\xff\xd8" + disguise + hidden + small + scan)
