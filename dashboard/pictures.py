"""Pictures that people send, refused here with a sentence where Rekognition would refuse them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.errors import PictureError

MOST_BYTES = 5_242_880
SHORTEST_SIDE = 80
MOST_PIXELS = 100_000_000  # ours: a PNG of 5 MB can unpack to gigabytes

_JPEG = b"\xff\xd8\xff"
_PNG = b"\x89PNG\r\n\x1a\n"
_START_OF_SCAN, _END = 0xDA, 0xD9
_WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xD9)))
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_MARKER_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class CheckedPicture:
    """A picture that Rekognition takes; `width` and `height` are pixels after the turn that its EXIF asks for."""

    data: bytes
    width: int
    height: int


def check(data: bytes) -> CheckedPicture:
    """Return the picture if it is a whole JPEG or PNG within Rekognition's bounds; raises PictureError.

    Bounds: 5 MB, 80 pixels a side (https://docs.aws.amazon.com/rekognition/latest/dg/limits.html).
    """
    if not data:
        raise PictureError("the picture is empty: send a JPEG or PNG")
    kind = "JPEG" if data.startswith(_JPEG) else "PNG" if data.startswith(_PNG) else ""
    if not kind:
        raise PictureError(f"the picture is neither JPEG nor PNG, it begins with {data[:8]!r}: convert it first")
    if len(data) > MOST_BYTES:
        raise PictureError(f"the picture has {len(data):,} bytes, Rekognition takes {MOST_BYTES:,}: send a smaller one")
    width, height = _jpeg_size(data) if kind == "JPEG" else _png_size(data)
    if min(width, height) < SHORTEST_SIDE:
        raise PictureError(f"the picture is {width} x {height} pixels, each side has to be {SHORTEST_SIDE} at least")
    if width * height > MOST_PIXELS:
        raise PictureError(f"the picture is {width} x {height} pixels: send one of {MOST_PIXELS // 10**6} megapixels at most")
    return CheckedPicture(data, *_decoded_size(data, kind, (width, height)))


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Walk through all segments and scans to the end marker, so that nothing is missing."""
    size, at = None, 2
    while at + 2 <= len(data):
        marker = data[at + 1]
        if data[at] != 0xFF:  # noqa: PLR2004  # every segment begins with it
            break
        if marker == _END:
            return _known(size, "JPEG")
        if marker == 0xFF:  # noqa: PLR2004  # a fill byte
            at += 1
            continue
        if marker in _START_OF_FRAME and at + 9 <= len(data):
            size = int.from_bytes(data[at + 7 : at + 9]), int.from_bytes(data[at + 5 : at + 7])
        at = _after_segment(data, at, marker)
    raise PictureError(f"the JPEG breaks off after {len(data):,} bytes: send the whole file")


def _after_segment(data: bytes, at: int, marker: int) -> int:
    if marker in _WITHOUT_LENGTH:
        return at + 2
    at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4]))
    if marker == _START_OF_SCAN:
        following = _MARKER_AFTER_SCAN.search(data, at)
        return following.start() if following else len(data)
    return at


def _png_size(data: bytes) -> tuple[int, int]:
    at, size = len(_PNG), None
    while at + 12 <= len(data):
        length, name = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        if name == b"IHDR":
            size = int.from_bytes(data[at + 8 : at + 12]), int.from_bytes(data[at + 12 : at + 16])
        if name == b"IEND":
            return _known(size, "PNG")
        at += 12 + length
    raise PictureError(f"the PNG breaks off after {len(data):,} bytes: send the whole file")


def _known(size: tuple[int, int] | None, kind: str) -> tuple[int, int]:
    if size is None:
        raise PictureError(f"the {kind} does not say how large it is: it is damaged, send another")
    return size


def _decoded_size(data: bytes, kind: str, stored: tuple[int, int]) -> tuple[int, int]:
    """Decode the picture coarsely, to see that it can be, and return its size as it is to be looked at."""
    flag = cv2.IMREAD_REDUCED_GRAYSCALE_8 if kind == "JPEG" else cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise PictureError(f"the {kind} cannot be decoded: it is damaged, send another")
    width, height = stored
    is_turned = kind == "JPEG" and pixels.shape[:2] == (-(-width // 8), -(-height // 8)) != (-(-height // 8), -(-width // 8))
    return (height, width) if is_turned else stored
