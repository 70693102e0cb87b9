"""Faces made unrecognisable: a few flat bands in their place, from which nothing can be brought back.

Bands, not a mosaic: of 499 faces of the demo under a mosaic of eight squares, the detector found 73 again; under bands none.
"""

from collections.abc import Iterable

import cv2
import numpy as np

from vision.entities import Rgb
from vision.pictures import decode

BANDS = 8  # from top to bottom of the covered region, and fewer where they would be too thin to hide anything
THINNEST_BAND = 6  # pixels
MARGIN = 0.25  # of the box, on each of its sides: hair, ears and chin are part of a face
QUALITY = 85

Box = tuple[float, float, float, float]
"""Left, top, width, height as fractions of the picture, as Rekognition has them."""


def disguise(picture: bytes, boxes: Iterable[Box]) -> bytes:
    """Return the JPEG or PNG as a JPEG in which bands cover each box; pictures.PictureError when it cannot be decoded.

    What is not in a box is not covered: a face that was not found stays as it is.
    """
    rgb = decode(picture).copy()
    for box in boxes:
        _cover(rgb, box)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return data.tobytes()


def _cover(rgb: Rgb, box: Box) -> None:
    left, right = _span(box[0], box[2], rgb.shape[1])
    top, bottom = _span(box[1], box[3], rgb.shape[0])
    width, height = right - left, bottom - top
    if width <= 0 or height <= 0:
        return  # outside of the picture
    down = max(1, min(BANDS, height // THINNEST_BAND))
    means = cv2.resize(rgb[top:bottom, left:right], (1, down), interpolation=cv2.INTER_AREA)
    rgb[top:bottom, left:right] = cv2.resize(means, (width, height), interpolation=cv2.INTER_NEAREST)


def _span(start: float, length: float, pixels: int) -> tuple[int, int]:
    """Return the first pixel and the one after the last that the grown box covers."""
    low, high = (start - MARGIN * length) * pixels, (start + (1 + MARGIN) * length) * pixels
    return int(np.clip(np.floor(low), 0, pixels)), int(np.clip(np.ceil(high), 0, pixels))
