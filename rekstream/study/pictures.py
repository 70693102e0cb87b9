"""The pictures of a study: read from files, refused where Rekognition would refuse them, decoded at full size."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from dashboard.pictures import MOST_BYTES, check
from pipeline.errors import PictureError

Pixels: TypeAlias = NDArray[np.uint8]
"""A picture as OpenCV has it: height x width x 3, uint8, blue first."""

_PNG_MAGIC = b"\x89PNG"
_QUALITY, _QUALITY_STEP, _LEAST_QUALITY = 90, 10, 50


@dataclass(frozen=True, slots=True)
class Picture:
    """A file's picture as it lies there; `width` and `height` are pixels after the turn that its EXIF asks for."""

    name: str
    data: bytes = field(repr=False)
    width: int
    height: int

    @property
    def is_png(self) -> bool:
        """Whether the file is a PNG; if not, it is a JPEG."""
        return self.data.startswith(_PNG_MAGIC)

    def pixels(self) -> Pixels:
        """Return the whole picture, turned as Rekognition turns it: JPEGs by their EXIF, PNGs never; raises PictureError."""
        flags = cv2.IMREAD_COLOR | (cv2.IMREAD_IGNORE_ORIENTATION if self.is_png else 0)
        try:
            decoded = cv2.imdecode(np.frombuffer(self.data, np.uint8), flags)
        except cv2.error:
            decoded = None
        if decoded is None:
            raise PictureError(f"{self.name} cannot be decoded: it is damaged, name another")
        return np.asarray(decoded, np.uint8)


def read_picture(name: str) -> Picture:
    """Return the picture in a file; raises PictureError where Rekognition would refuse its bytes."""
    if name.startswith("s3://"):
        raise PictureError(f"{name} lies in S3, and a study changes the picture itself: fetch it first")
    try:
        data = Path(name).read_bytes()
    except OSError as error:
        raise PictureError(f"{name} cannot be read: {error.strerror}") from error
    try:
        checked = check(data)
    except PictureError as error:
        raise PictureError(f"{name} cannot be studied: {error}") from error
    return Picture(name, data, checked.width, checked.height)


def as_jpeg(pixels: Pixels) -> bytes:
    """Return the picture as a JPEG of quality 90, or of less where Rekognition's 5,242,880 bytes ask for it."""
    for quality in range(_QUALITY, _LEAST_QUALITY - 1, -_QUALITY_STEP):
        try:
            done, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        except cv2.error:
            done = False
        if not done:
            break
        if jpeg.size <= MOST_BYTES:
            return jpeg.tobytes()
    height, width = pixels.shape[:2]
    raise PictureError(f"a picture of {width} x {height} pixels makes no JPEG that Rekognition takes: send a smaller one")
