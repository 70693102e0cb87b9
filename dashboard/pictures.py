"""Pictures that people send, refused here with a sentence where Rekognition would refuse them; too large ones shrink."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.errors import PictureError
from vision.entities import Rgb
from vision.pictures import MAX_PIXELS, PictureInfo, inspect
from vision.pictures import PictureError as UnreadablePicture

MOST_BYTES = 5_242_880
SHORTEST_SIDE, LONGEST_SIDE = 80, 8000
SENT_SIDE = 4096  # of a picture made smaller: Rekognition's smallest face grows with the picture above 1920 x 1080 anyway
_MOST_UNPACKED_PIXELS = 50_000_000  # of what is unpacked whole: a PNG takes 150 MB, a progressive JPEG up to 300
_QUALITIES = (90, 80, 65)
_SMALLER = 0.75
_REDUCED = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}


@dataclass(frozen=True, slots=True)
class CheckedPicture:
    """A picture that Rekognition takes; `width` and `height` are pixels after the turn that its EXIF asks for."""

    data: bytes
    width: int
    height: int
    reduced: bool = False


def check(data: bytes) -> CheckedPicture:
    """Return the picture as it is if it is a whole JPEG or PNG within Rekognition's bounds; raises PictureError.

    Bounds: 5 MB, 80 pixels a side (https://docs.aws.amazon.com/rekognition/latest/dg/limits.html).
    """
    if len(data) > MOST_BYTES:
        raise PictureError(f"the picture has {len(data):,} bytes, Rekognition takes {MOST_BYTES:,}: send a smaller one")
    return CheckedPicture(data, *_decoded_size(data, _inspected(data)))


def fitted(data: bytes) -> CheckedPicture:
    """Return the picture as it is, or, above 5 MB or 8000 pixels a side, as a smaller JPEG; raises PictureError.

    The smaller one is turned upright as its EXIF asks and carries no EXIF. Unpacking may take 300 MB for a moment.
    """
    about = _inspected(data)
    if len(data) <= MOST_BYTES and max(about.width, about.height) <= LONGEST_SIDE:
        return CheckedPicture(data, *_decoded_size(data, about))
    return _smaller(_unpacked(data, about))


def _inspected(data: bytes) -> PictureInfo:
    """Read the header, so that what unpacks to too much is refused before anything is unpacked."""
    try:
        about = inspect(data)
    except UnreadablePicture as error:
        raise PictureError(str(error)) from error
    width, height = about.width, about.height
    if min(width, height) < SHORTEST_SIDE:
        raise PictureError(f"the picture is {width} x {height} pixels, each side has to be {SHORTEST_SIDE} at least")
    is_whole = about.format == "png" or about.progressive
    most = _MOST_UNPACKED_PIXELS if is_whole else MAX_PIXELS
    if width * height > most:
        raise PictureError(f"the picture is {width} x {height} pixels: send one of {most // 10**6} megapixels at most")
    return about


def _unpacked(data: bytes, about: PictureInfo) -> Rgb:
    """Return the pixels (in OpenCV's order), upright, coarser where that is still enough of them."""
    longest = max(about.width, about.height)
    factor = max((factor for factor in _REDUCED if longest >= factor * SENT_SIDE), default=1)
    flag = (
        _REDUCED.get(factor, cv2.IMREAD_COLOR) if about.format == "jpeg" else cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    )
    pixels = _decode(data, flag)
    if pixels is None:
        raise _damaged(about)
    return pixels


def _smaller(pixels: Rgb) -> CheckedPicture:
    """Return a JPEG of the pixels within Rekognition's bounds, as good as fits."""
    height, width = pixels.shape[:2]
    scale = min(1.0, max(SENT_SIDE / max(width, height), SHORTEST_SIDE / min(width, height)))
    while max(width, height) * scale <= LONGEST_SIDE and min(width, height) * scale >= SHORTEST_SIDE:
        size = round(width * scale), round(height * scale)
        resized = pixels if scale == 1 else cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        for quality in _QUALITIES:
            _, jpeg = cv2.imencode(".jpg", resized, [cv2.IMWRITE_JPEG_QUALITY, quality])
            if len(jpeg) <= MOST_BYTES:
                return CheckedPicture(jpeg.tobytes(), *size, reduced=True)
        scale *= _SMALLER
    raise PictureError(
        f"the picture is {width} x {height} pixels, and cannot shrink to sides of {SHORTEST_SIDE} to {LONGEST_SIDE}: cut it"
    )


def _decoded_size(data: bytes, about: PictureInfo) -> tuple[int, int]:
    """Decode the picture coarsely, to see that it can be, and return its size as it is to be looked at."""
    flag = cv2.IMREAD_REDUCED_GRAYSCALE_8 if about.format == "jpeg" else cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
    pixels = _decode(data, flag)
    if pixels is None:
        raise _damaged(about)
    width, height = about.width, about.height
    is_turned = about.format == "jpeg" and pixels.shape[:2] == (-(-width // 8), -(-height // 8)) != (
        -(-height // 8),
        -(-width // 8),
    )
    return (height, width) if is_turned else (width, height)


def _decode(data: bytes, flag: int) -> Rgb | None:
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    except cv2.error:
        return None
    return None if pixels is None else np.asarray(pixels, np.uint8)


def _damaged(about: PictureInfo) -> PictureError:
    return PictureError(f"the {about.format.upper()} cannot be decoded: it is damaged, send another")
