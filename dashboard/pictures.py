"""Pictures that people send, refused here with a sentence where Rekognition would refuse them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.errors import PictureError
from vision.pictures import MAX_PIXELS, PictureInfo, inspect
from vision.pictures import PictureError as UnreadablePicture

MOST_BYTES = 5_242_880
SHORTEST_SIDE = 80


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
    if len(data) > MOST_BYTES:
        raise PictureError(f"the picture has {len(data):,} bytes, Rekognition takes {MOST_BYTES:,}: send a smaller one")
    try:
        about = inspect(data)
    except UnreadablePicture as error:
        raise PictureError(str(error)) from error
    width, height = about.width, about.height
    if min(width, height) < SHORTEST_SIDE:
        raise PictureError(f"the picture is {width} x {height} pixels, each side has to be {SHORTEST_SIDE} at least")
    if width * height > MAX_PIXELS:
        raise PictureError(f"the picture is {width} x {height} pixels: send one of {MAX_PIXELS // 10**6} megapixels at most")
    return CheckedPicture(data, *_decoded_size(data, about))


def _decoded_size(data: bytes, about: PictureInfo) -> tuple[int, int]:
    """Decode the picture coarsely, to see that it can be, and return its size as it is to be looked at."""
    flag = cv2.IMREAD_REDUCED_GRAYSCALE_8 if about.format == "jpeg" else cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise PictureError(f"the {about.format.upper()} cannot be decoded: it is damaged, send another")
    width, height = about.width, about.height
    is_turned = about.format == "jpeg" and pixels.shape[:2] == (-(-width // 8), -(-height // 8)) != (
        -(-height // 8),
        -(-width // 8),
    )
    return (height, width) if is_turned else (width, height)
