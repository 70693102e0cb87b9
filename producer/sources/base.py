"""What every source of pictures can do, and the ways in which it can fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import CameraUnreachable, PictureError

Image = NDArray[np.uint8]
"""Pixels as OpenCV has them: height x width x 3, blue first."""

Grey = NDArray[np.uint8]
"""How light each pixel is: height x width."""


class CameraFroze(CameraUnreachable):
    """The camera was sending, keeps its connection, and sends no more pictures."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One frame that was read but not converted.

    `width` and `height` are pixels; `position` is seconds on the source's own time axis, None where it has none; `late` is how
    many seconds ago it could have been read, had the reader been as fast as it was at its best.
    """

    width: int
    height: int
    position: float | None
    late: float = 0.0


class Picture(Protocol):
    """One frame that may be kept while its source reads on."""

    def bgr(self, longest: int | None = None) -> Image:
        """Return the pixels; raises PictureError when they cannot be had.

        Where that is cheaper, the picture comes with its longest side at most `longest` pixels: a wish, not a promise.
        """
        ...

    def grey(self, longest: int) -> Grey:
        """Return a new array of how light the picture is, halved until its longest side is at most `longest` pixels.

        Costs less than the colours. Raises PictureError.
        """
        ...


@dataclass(frozen=True, slots=True)
class Pixels:
    """A picture that is converted already."""

    image: Image

    def bgr(self, longest: int | None = None) -> Image:  # noqa: ARG002  # it is as large as it is
        """Return the pixels."""
        return self.image

    def grey(self, longest: int) -> Grey:
        """Return how light they are."""
        return grey_of(self.image, longest)


class Kept:
    """A picture whose pixels are converted once, whoever asks for them; for one thread."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._whole: Image | None = None

    def bgr(self, longest: int | None = None) -> Image:
        """Return the pixels; the same array each time where they are wanted whole."""
        if longest is not None:
            return self._picture.bgr(longest)
        if self._whole is None:
            self._whole = self._picture.bgr()
        return self._whole

    def grey(self, longest: int) -> Grey:
        """Return how light they are."""
        return self._picture.grey(longest)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A picture whose pixels cannot be had."""

    reason: str

    def bgr(self, longest: int | None = None) -> Image:  # noqa: ARG002  # of any size
        """Raise PictureError."""
        raise PictureError(self.reason)

    def grey(self, longest: int) -> Grey:  # noqa: ARG002  # of any size
        """Raise PictureError."""
        raise PictureError(self.reason)


class Source(Protocol):
    """An open source of pictures, read by one thread.

    `codec` is a short name for people. `paced` says that frames come faster than they were filmed (files, HLS), so whoever
    wants them as they were has to wait by their positions. `patience` is how many seconds without a frame mean that the
    source is frozen.
    """

    @property
    def codec(self) -> str:
        """How the pictures are coded, in FFmpeg's words."""
        ...

    @property
    def paced(self) -> bool:
        """Whether frames have to be played by their positions."""
        ...

    @property
    def patience(self) -> float:
        """Seconds without a frame after which the source counts as frozen."""
        ...

    def advance(self) -> Moment | None:
        """Read the next frame; None at the end of something that ends. Raises CameraError."""
        ...

    def picture(self) -> Picture:
        """Return the frame that was read last."""
        ...

    def close(self) -> None:
        """Let go of the camera; harmless when repeated."""
        ...


def grey_of(image: Image, longest: int) -> Grey:
    """Return how light a picture is, halved until its longest side is at most `longest` pixels."""
    return np.asarray(cv2.cvtColor(halved(image, longest), cv2.COLOR_BGR2GRAY), np.uint8)


def halved(image: NDArray[np.uint8], longest: int) -> NDArray[np.uint8]:
    """Return pixels averaged two by two until the longest side is at most `longest`: itself where it is already."""
    while max(image.shape[:2]) > longest:
        height, width = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2
        size = max(1, width // 2), max(1, height // 2)
        image = np.asarray(cv2.resize(image[: max(1, height), : max(1, width)], size, interpolation=cv2.INTER_AREA), np.uint8)
    return image
