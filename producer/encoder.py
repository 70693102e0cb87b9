"""Pixels to JPEGs that Rekognition takes, and that the uplink can carry."""

from __future__ import annotations

from dataclasses import dataclass

import cv2

from pipeline.errors import PictureError
from producer.sources.base import Image

LONGEST_SIDE = 1920  # a 40-pixel face of a 1080p picture, the smallest that is found, would be 27 pixels at 1280
SHORTEST_SIDE = 80  # https://docs.aws.amazon.com/rekognition/latest/dg/limits.html
LARGEST_BYTES = 5_242_880  # the same page: pictures passed as bytes
QUALITIES = (85, 75, 65, 55)

SLOW_UPLOAD_SECONDS = 0.15
FAST_UPLOAD_SECONDS = 0.075
STEP_DOWN_SECONDS = 2.0
STEP_UP_SECONDS = 10.0


class TooSmallError(PictureError):
    """A picture with a side below 80 pixels, which Rekognition refuses."""


@dataclass(frozen=True, slots=True)
class Jpeg:
    """An encoded picture and its size in pixels."""

    data: bytes
    width: int
    height: int


class Encoder:
    """Encodes one camera's pictures: at most 1920 pixels long, at most 5,242,880 bytes, JPEG quality 85.

    The quality yields when the uplink is the bottleneck: uploads above 0.15 s in the median take it one step down
    (85, 75, 65, 55), at most one step in 2 s; 10 s below 0.075 s take it one step up again.
    """

    def __init__(self) -> None:
        self._step = 0
        self._changed_at = float("-inf")
        self._slow_at = float("-inf")

    @property
    def quality(self) -> int:
        """The JPEG quality in use, 85 unless the uplink is slow."""
        return QUALITIES[self._step]

    def encode(self, image: Image) -> Jpeg:
        """Return the picture as JPEG; raises TooSmallError, or PictureError when it cannot be encoded."""
        fitting = fit(image)
        height, width = fitting.shape[:2]
        if min(height, width) < SHORTEST_SIDE:
            raise TooSmallError(f"a picture of {width} x {height} px: Rekognition needs {SHORTEST_SIDE} px on each side")
        for quality in (q for q in QUALITIES if q <= self.quality):
            data = as_jpeg(fitting, quality)
            if len(data) <= LARGEST_BYTES:
                return Jpeg(data, width, height)
        return self.encode(_halved(fitting))

    def yield_to(self, upload_seconds: float, now: float) -> None:
        """Adapt to the median `upload_seconds` of late; `now` is seconds on a steady clock."""
        if upload_seconds >= FAST_UPLOAD_SECONDS:
            self._slow_at = now
        if upload_seconds > SLOW_UPLOAD_SECONDS and now - self._changed_at >= STEP_DOWN_SECONDS:
            self._move(+1, now)
        elif now - max(self._slow_at, self._changed_at) >= STEP_UP_SECONDS:
            self._move(-1, now)

    def _move(self, step: int, now: float) -> None:
        self._step = min(max(self._step + step, 0), len(QUALITIES) - 1)
        self._changed_at = now


def fit(image: Image, longest: int = LONGEST_SIDE, shortest: int = SHORTEST_SIDE) -> Image:
    """Return the picture with its longest side at most `longest` pixels, unless that made its shortest less than `shortest`."""
    height, width = image.shape[:2]
    scale = max(longest / max(height, width), min(1.0, shortest / min(height, width)))
    if scale >= 1.0:
        return image
    target = round(width * scale), round(height * scale)
    while image.shape[1] >= 2 * target[0] and image.shape[0] >= 2 * target[1]:
        image = _halved(image)
    return image if (image.shape[1], image.shape[0]) == target else _resized(image, target)


def as_jpeg(image: Image, quality: int) -> bytes:
    """Return the picture as JPEG; raises PictureError when it cannot be encoded."""
    try:
        encoded, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    except cv2.error as error:
        raise PictureError(f"a picture could not be encoded ({error.err})") from None
    if not encoded:
        raise PictureError("a picture could not be encoded")
    return data.tobytes()


def _halved(image: Image) -> Image:
    """Return the picture at half its size: the one factor at which averaging is fast."""
    height, width = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2
    return _as_image(cv2.resize(image[:height, :width], (width // 2, height // 2), interpolation=cv2.INTER_AREA))


def _resized(image: Image, size: tuple[int, int]) -> Image:
    return _as_image(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR))  # less than half: nothing to average


def _as_image(array: cv2.typing.MatLike) -> Image:
    return array.astype("uint8", copy=False)
