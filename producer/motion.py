"""Where something moves: small grey pictures compared with what the camera shows when nothing happens.

A pixel counts when it is lighter or darker than anything the background has around it, by more than this pixel usually
differs: so grain, compression and a camera that trembles do not. Where a large part of the picture counts, light that
changed for all of it, or a camera that was pushed, is tried as the reason. What stays becomes background by itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from producer.sources.base import Grey

LONGEST_SIDE = 480  # of the grey picture: a 40-pixel face of a 1080p picture is 10 pixels there
BACKGROUND_SECONDS, CHANGED_SECONDS = 5.0, 12.0  # after which 63 % of a change is background, where it did not count and did
STEADY_SECONDS, RESTLESS_SECONDS = 10.0, 120.0  # the same of how much a pixel usually differs
SETTLE_SECONDS = 2.0  # of a new background, in which nothing is sure
LONGEST_GAP_SECONDS, LONGEST_GAP_PERIODS = 3.0, 3.0  # after a longer pause the background is another one
LEAST_DIFFERENCE = 6.0  # levels of 255
USUAL_DIFFERENCES = 4.0
MOST_DIFFERENCE = 40.0
LARGE_PART = 0.15  # of the picture, from which on light and a push are tried
WHOLE_PART = 0.5  # from which on it is another picture
FEWEST_PIXELS = 10
JOIN_PIXELS = 7
MOST_REGIONS = 40

Floats = NDArray[np.float32]
_NEIGHBOURS = np.ones((3, 3), np.uint8)
_JOIN = np.ones((JOIN_PIXELS, JOIN_PIXELS), np.uint8)


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle in pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def area(self) -> int:
        """Its pixels."""
        return self.width * self.height


@dataclass(frozen=True, slots=True)
class Motion:
    """What is new in a picture.

    `regions` are pixels of the small grey picture, the largest first. `is_known` is False while the background is not known:
    at first, after a pause, when the picture has become another one. `smooth` is the picture without grain, in which places
    can be compared; `grain` is by how many levels its pixels differ without a reason.
    """

    is_known: bool
    regions: tuple[Region, ...]
    smooth: Grey
    grain: float = 0.0


@dataclass(slots=True)
class _Learned:
    """The background: mean and usual difference of each pixel; `since` and `at` are when it began and was last seen."""

    mean: Floats
    usual: Floats
    since: float
    at: float


class Background:
    """Learns what a camera shows when nothing happens; `period` is the seconds between two pictures."""

    def __init__(self, period: float) -> None:
        self._gap = max(LONGEST_GAP_SECONDS, LONGEST_GAP_PERIODS * period)
        self._learned: _Learned | None = None

    def compare(self, grey: Grey, at: float, counts: NDArray[np.uint8] | None = None) -> Motion:
        """Return what is new in the picture at `at` (seconds on any steady axis), and learn from it.

        `counts`, if given, is 255 where motion counts, of the size of the picture. About 0.3 ms.
        """
        smooth = np.asarray(cv2.blur(grey, (3, 3)), np.uint8)
        known = self._learned
        if known is None or known.mean.shape != smooth.shape or not 0 <= at - known.at <= self._gap:
            return self._begin(smooth, at)
        changed, mean = _explained(smooth, known, counts)
        if cv2.countNonZero(changed) > WHOLE_PART * _most(changed, counts):
            return self._begin(smooth, at)
        known.mean = mean
        is_settling = at - known.since < SETTLE_SECONDS
        self._learn(smooth, changed, at - known.at, is_settling=is_settling)
        known.at = at
        return Motion(not is_settling, _regions(changed), smooth, float(known.usual.mean()))

    def _begin(self, smooth: Grey, at: float) -> Motion:
        mean = smooth.astype(np.float32)
        self._learned = _Learned(mean, np.full_like(mean, 1.0), at, at)
        return Motion(False, (), smooth, 1.0)

    def _learn(self, smooth: Grey, changed: NDArray[np.uint8], seconds: float, *, is_settling: bool) -> None:
        known = self._learned
        assert known is not None  # noqa: S101  # `compare` has begun it
        calm = cv2.bitwise_not(changed)
        differs = np.minimum(_difference(smooth, known.mean), MOST_DIFFERENCE).astype(np.float32)
        fast = SETTLE_SECONDS / 2 if is_settling else 0.0
        for mask, mean_seconds, usual_seconds in (
            (calm, BACKGROUND_SECONDS, STEADY_SECONDS),
            (changed, CHANGED_SECONDS, RESTLESS_SECONDS),
        ):
            cv2.accumulateWeighted(differs, known.usual, _share(seconds, fast or usual_seconds), mask)
            cv2.accumulateWeighted(smooth, known.mean, _share(seconds, fast or mean_seconds), mask)


def _explained(smooth: Grey, known: _Learned, counts: NDArray[np.uint8] | None) -> tuple[NDArray[np.uint8], Floats]:
    """Return which pixels have changed (255), and the background that explains most, in its light and its place."""
    best, mean = _changed(smooth, known.mean, known.usual, counts), known.mean
    if cv2.countNonZero(best) <= LARGE_PART * _most(best, counts):
        return best, mean
    lit = _in_light_of(smooth, known.mean)
    for other in (lit, _pushed(smooth, lit)):
        changed = _changed(smooth, other, known.usual, counts)
        if cv2.countNonZero(changed) < 0.7 * cv2.countNonZero(best):  # clearly better
            best, mean = changed, other
    return best, mean


def _changed(smooth: Grey, mean: Floats, usual: Floats, counts: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """Return 255 where a pixel differs from all of its neighbourhood by more than it usually does, without specks."""
    limit = cv2.convertScaleAbs(usual, alpha=USUAL_DIFFERENCES, beta=LEAST_DIFFERENCE)
    changed = cv2.compare(_difference(smooth, mean), limit, cv2.CMP_GT)
    if counts is not None:
        changed = cv2.bitwise_and(changed, counts)
    return np.asarray(cv2.morphologyEx(changed, cv2.MORPH_OPEN, _NEIGHBOURS[:2, :2]), np.uint8)


def _difference(smooth: Grey, mean: Floats) -> Grey:
    """Return by how much each pixel is lighter than the lightest, or darker than the darkest, that is around it."""
    around = cv2.convertScaleAbs(mean)
    lighter = cv2.subtract(smooth, cv2.dilate(around, _NEIGHBOURS))
    darker = cv2.subtract(cv2.erode(around, _NEIGHBOURS), smooth)
    return np.asarray(cv2.max(lighter, darker), np.uint8)


def _in_light_of(smooth: Grey, mean: Floats) -> Floats:
    """Return the background in the light of the picture: brighter or darker by the same factor everywhere."""
    factor = (float(np.median(smooth[::4, ::4])) + 1) / (float(np.median(mean[::4, ::4])) + 1)
    return np.asarray(np.minimum(mean * np.float32(factor), 255), np.float32)


def _pushed(smooth: Grey, mean: Floats) -> Floats:
    """Return the background moved to where most of it is in the picture."""
    (across, down), _ = cv2.phaseCorrelate(mean, smooth.astype(np.float32))
    move = np.array([[1, 0, across], [0, 1, down]], np.float64)
    moved = cv2.warpAffine(mean, move, (mean.shape[1], mean.shape[0]), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)


def _regions(changed: NDArray[np.uint8]) -> tuple[Region, ...]:
    """Return rectangles around what has changed, what lies close together as one."""
    if not cv2.countNonZero(changed):
        return ()
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(cv2.dilate(changed, _JOIN))
    pixels = np.bincount(labels[changed > 0], minlength=count)
    found = [Region(*map(int, boxes[n, :4])) for n in range(1, count) if pixels[n] >= FEWEST_PIXELS]
    return tuple(sorted(found, key=lambda region: -region.area)[:MOST_REGIONS])


def _most(changed: NDArray[np.uint8], counts: NDArray[np.uint8] | None) -> int:
    return changed.size if counts is None else max(1, cv2.countNonZero(counts))


def _share(seconds: float, of: float) -> float:
    return 1 - math.exp(-seconds / of)
