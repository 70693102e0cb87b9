"""Faces at native size in parts of a picture, for a bounded price: what is too large is seen reduced, and tile by tile."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from producer.motion import Region
from producer.sources.base import Image, halved
from vision.detector import Detector, DetectorSettings
from vision.nets import OnFirstUse

THRESHOLD = 0.6  # a call too many costs less than a face too few
LEAST_PIXELS, SHARE_OF_PICTURE = 200_000, 0.22  # that are looked at in one picture: about 5 ms at 720p, 11 at 1080p
TILE, SMALL_TILE = (640, 384), (400, 320)  # looked at in one go; more would take more memory, and keep it
TILE_OVERLAP = 80  # larger faces are seen in what is reduced
FEWEST_PIXELS = 60_000  # of what is reduced
MERGE_FACTOR = 1.3  # of the pixels of two regions, which one around both may have
LARGEST_SIDE = 8192


class Finder(Protocol):
    """Finds faces."""

    def find(self, image: Image, *, quick: bool = False) -> list[Region]:
        """Return where the faces of a picture are, at its own size; `quick` leaves out those that are in doubt."""
        ...


class NetFinder:
    """The local detector, loaded with the first picture: about 40 MB, which cameras without it do not need."""

    def __init__(self) -> None:
        self._detector = OnFirstUse(lambda: Detector(DetectorSettings(side=LARGEST_SIDE, threshold=THRESHOLD)))

    def find(self, image: Image, *, quick: bool = False) -> list[Region]:
        """Return where the faces of a picture are, at its own size; `quick` leaves out those that are in doubt."""
        rgb = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
        found = self._detector().detect(rgb, close_ups=not quick)
        return [Region(*(round(float(value)) for value in box)) for box in found.boxes]


class Searcher:
    """Looks for faces in regions of one camera's pictures, at about LEAST_PIXELS or SHARE_OF_PICTURE of each.

    Where there is more to look at, what does not fit into half of that is seen reduced for a quarter, and tile by tile at
    native size, in the pictures that follow, for the other; neither is looked at again where it is in doubt: tiles are full
    of parts of faces.
    """

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self._turn = 0

    def whole(self, image: Image) -> list[Region]:
        """Return the faces of the whole picture at native size, whatever that costs: about 60 ms at 720p, 100 at 1080p."""
        picture = Region(0, 0, image.shape[1], image.shape[0])
        found = [face for tile in tiles_of(picture, *TILE) for face in self._native(image, tile)]
        return _without_doubles(found + self._reduced(image, picture, TILE[0] * TILE[1]))

    def within(self, image: Image, regions: Sequence[Region]) -> list[Region]:
        """Return the faces in regions of the picture, in its pixels; those that come first are looked at first."""
        height, width = image.shape[:2]
        most = max(LEAST_PIXELS, round(SHARE_OF_PICTURE * width * height))
        parts = merged(inside(region, width, height) for region in regions)
        left = most if all(map(_is_small, parts)) and sum(part.area for part in parts) <= most else most // 2
        found, too_much = [], []
        for part in parts:
            if _is_small(part) and part.area <= left:
                found += self._native(image, part)
                left -= part.area
            else:
                too_much.append(part)
        if too_much:
            found += self._reduced(image, union(too_much), most // 4)
            found += self._in_turn(image, too_much, most // 4)
        return _without_doubles(found)

    def _in_turn(self, image: Image, parts: list[Region], pixels: int) -> list[Region]:
        """Look at the next tile, and at more where they are cheap."""
        tiles = [tile for part in parts for tile in tiles_of(part, *SMALL_TILE)]
        found: list[Region] = []
        for number in range(len(tiles)):
            tile = tiles[self._turn % len(tiles)]
            if number and tile.area > pixels:
                break
            found += self._native(image, tile, quick=True)
            pixels -= tile.area
            self._turn += 1
        return found

    def _native(self, image: Image, region: Region, *, quick: bool = False) -> list[Region]:
        return [_moved(face, region) for face in self._finder.find(cut(image, region), quick=quick)]

    def _reduced(self, image: Image, region: Region, pixels: float) -> list[Region]:
        scale = min(1.0, math.sqrt(max(pixels, FEWEST_PIXELS) / region.area))
        size = max(1, round(region.width * scale)), max(1, round(region.height * scale))
        few = halved(cut(image, region), 2 * max(size))  # as much as is cheap to average; the rest is less than half
        small = np.asarray(cv2.resize(few, size, interpolation=cv2.INTER_LINEAR), np.uint8)
        return [_moved(_scaled(face, 1 / scale), region) for face in self._finder.find(small, quick=True)]


def cut(image: NDArray[np.uint8], region: Region) -> NDArray[np.uint8]:
    """Return the pixels of a region."""
    return image[region.top : region.top + region.height, region.left : region.left + region.width]


def inside(region: Region, width: int, height: int) -> Region:
    """Return the part of a region that lies in a picture of this size, a pixel at least."""
    left, top = min(max(region.left, 0), width - 1), min(max(region.top, 0), height - 1)
    right, bottom = min(region.left + region.width, width), min(region.top + region.height, height)
    return Region(left, top, max(1, right - left), max(1, bottom - top))


def union(regions: Iterable[Region]) -> Region:
    """Return the smallest region around all of them."""
    found = list(regions)
    left, top = min(one.left for one in found), min(one.top for one in found)
    right, bottom = max(one.left + one.width for one in found), max(one.top + one.height for one in found)
    return Region(left, top, right - left, bottom - top)


def merged(regions: Iterable[Region]) -> list[Region]:
    """Return regions as few as are cheap: two become one where that costs little more than both."""
    found: list[Region] = []
    for region in regions:
        grown = region
        while (other := next((one for one in found if _is_cheaper_as_one(one, grown)), None)) is not None:
            found.remove(other)
            grown = union((other, grown))
        found.append(grown)
    return found


def tiles_of(region: Region, most_width: int, most_height: int) -> list[Region]:
    """Return overlapping rectangles that cover a region, of equal size and as few as do."""
    columns, width = _shares(region.width, most_width)
    rows, height = _shares(region.height, most_height)
    return [Region(region.left + left, region.top + top, width, height) for top in rows for left in columns]


def is_same_place(one: Region, other: Region) -> bool:
    """Say whether the middles of two faces are less than half a face apart."""
    reach = max(one.width, one.height, other.width, other.height) / 2
    across = one.left + one.width / 2 - other.left - other.width / 2
    down = one.top + one.height / 2 - other.top - other.height / 2
    return max(abs(across), abs(down)) < reach


def overlap(one: Region, other: Region) -> bool:
    """Say whether two regions share a pixel."""
    across = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    down = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    return across > 0 and down > 0


def _is_small(region: Region) -> bool:
    return region.area <= TILE[0] * TILE[1]


def _shares(length: int, most: int) -> tuple[list[int], int]:
    """Return where equal shares of a length begin that overlap by TILE_OVERLAP, and how long they are."""
    count = max(1, math.ceil((length - TILE_OVERLAP) / (most - TILE_OVERLAP)))
    share = math.ceil((length + (count - 1) * TILE_OVERLAP) / count)
    return [round(number * (length - share) / max(1, count - 1)) for number in range(count)], share


def _is_cheaper_as_one(one: Region, other: Region) -> bool:
    return union((one, other)).area <= MERGE_FACTOR * (one.area + other.area)


def _without_doubles(faces: list[Region]) -> list[Region]:
    kept: list[Region] = []
    for face in faces:
        if not any(is_same_place(face, one) for one in kept):
            kept.append(face)
    return kept


def _moved(face: Region, by: Region) -> Region:
    return Region(face.left + by.left, face.top + by.top, face.width, face.height)


def _scaled(face: Region, factor: float) -> Region:
    return Region(*(round(value * factor) for value in (face.left, face.top, face.width, face.height)))
