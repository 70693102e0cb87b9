"""Where the faces are, of any size and at any turn: one search of the reduced picture, then close-ups of what is in doubt."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.detections import Detections
from vision.entities import Rgb
from vision.geometry import Squares
from vision.yunet import STRIDES, YuNet

USUAL_SIDE = 640
LARGE_SIDE = 960
LARGE_PICTURE = 1280
"""Pictures longer than this are searched at LARGE_SIDE: at 640 a 40-pixel face of a 1080p picture is 13 pixels."""

_DOUBTFUL = 0.05
"""The least score that is looked at again: of 40-pixel faces in 720p the search gives 59 % a score of .7, 94 % of this."""

_MOST_DOUBTS = 100  # cells; pictures of rooms and people have 0 to 40, noise has thousands
_LOOKS = 4  # doubts looked at together
_CONFIRMED = 0.75
_TURNED = 0.15  # the least score of an upright close-up that is worth turning
_TURNS = (45.0, 90.0, 135.0, 180.0, -135.0, -90.0, -45.0)
_CLOSE_UP = 64  # pixels
_MARGIN = 1.5  # the close-up's side over the box's longer side
_FEW = 8  # pixels of the reduced picture
_HALVE_AT = 0.25  # OpenCV's area resize is fast at exactly one half only


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """How to search: `side` is the longest side in pixels the search sees, None chooses by the picture's size.

    Found of 82 upright heads put into real pictures, by the height of the face, and the cost on one core:

    | picture, side, close-ups | 24 px | 32 px | 40 px | 48 px | 64 px | cost |
    |---|---|---|---|---|---|---|
    | 720p, 640, without | .05 | .29 | .59 | .72 | .90 | 5 ms |
    | 720p, 640, with: chosen | .55 | .77 | .92 | .96 | .98 | 5 to 8 ms |
    | 720p, 1280, without | .57 | .83 | .95 | 1.0 | 1.0 | 38 ms |
    | 1080p, 1280, without | .12 | .52 | .73 | .88 | .98 | 37 ms |
    | 1080p, 960, with: chosen | .42 | .74 | .90 | .93 | .99 | 14 to 19 ms |
    | 1080p, 1920, without | .56 | .82 | .95 | 1.0 | 1.0 | 62 ms |

    In 25 pictures without faces the chosen ones find none and one, side 1280 without close-ups five. `threshold` is the
    least score of a face, 0 to 1; `overlap` the most that two faces share before one is dropped.
    """

    side: int | None = None
    threshold: float = 0.7
    overlap: float = 0.3

    def side_for(self, width: int, height: int) -> int:
        """Return the side to search a picture of this size at."""
        if self.side is not None:
            return self.side
        return LARGE_SIDE if max(width, height) > LARGE_PICTURE else USUAL_SIDE


class Detector:
    """Finds faces in pictures of any size, at any turn; safe to call from several threads at once.

    The picture is searched once, reduced. What looks a little like a face there, because it is small or turned, is
    looked at again in a close-up: cut out of the whole picture at the size and the turn that the net likes best.
    """

    def __init__(self, settings: DetectorSettings | None = None) -> None:
        self._settings = settings or DetectorSettings()
        self._net = YuNet()

    def detect(self, rgb: Rgb, *, close_ups: bool = True) -> Detections:
        """Return the faces in an RGB picture, largest first; without `close_ups` only those that the search is sure of."""
        threshold, overlap = self._settings.threshold, self._settings.overlap
        seen = self._search(rgb)
        sure = seen[seen.scores >= threshold].without_doubles(overlap)
        if not close_ups:
            return sure.largest(len(sure))
        doubts = seen[seen.scores < threshold].apart_from(sure).without_doubles(overlap)
        found = (sure + self._look_again(rgb, doubts)).without_doubles(overlap)
        return found.largest(len(found))

    def close_ups(self, rgb: Rgb, squares: Squares) -> tuple[Detections, NDArray[np.intp]]:
        """Return the surest face in the middle of each square that has one, and the index of its square.

        A face is seen if it stands upright in the square, give or take 45 degrees, and fills about two thirds of it.
        """
        if not len(squares):
            return Detections.none(), np.zeros(0, np.intp)
        seen, owners = self._net.see(np.ascontiguousarray(squares.cut(rgb, _CLOSE_UP)[..., ::-1]), _TURNED)
        middle = np.linalg.norm(seen.centers - _CLOSE_UP / 2, axis=1) < _CLOSE_UP / _MARGIN / 2
        seen, owners = seen[middle], owners[middle]
        order = np.lexsort((-seen.scores, owners))
        owners, first = np.unique(owners[order], return_index=True)
        return _as_in_the_picture(seen[order[first]], squares[owners]), owners

    def _search(self, rgb: Rgb) -> Detections:
        """Return all that may be a face in the reduced picture, as it lies in the whole one."""
        height, width = rgb.shape[:2]
        small = _shrink(rgb, self._settings.side_for(width, height))
        trimmed, corner = _trim(small)
        sure = self._settings.threshold
        seen, _ = self._net.see(_as_input(trimmed), min(_DOUBTFUL, sure), sure=sure, most_unsure=_MOST_DOUBTS)
        return seen.moved(corner).scaled(width / small.shape[1], height / small.shape[0])

    def _look_again(self, rgb: Rgb, doubts: Detections) -> Detections:
        """Return those doubts that are faces after all; the likeliest are looked at first, for as long as some are."""
        found = Detections.none()
        for start in range(0, len(doubts), _LOOKS):
            faces = self._confirmed(rgb, doubts[start : start + _LOOKS])
            if not len(faces):
                break
            found = found + faces
        return found

    def _confirmed(self, rgb: Rgb, doubts: Detections) -> Detections:
        upright, _ = self.close_ups(rgb, _squares(doubts, (0.0,)))
        turned, _ = self.close_ups(rgb, _squares(upright[upright.scores < _CONFIRMED], _TURNS))
        seen = upright + turned
        return seen[seen.scores >= max(_CONFIRMED, self._settings.threshold)]


def _squares(places: Detections, turns: tuple[float, ...]) -> Squares:
    """Return a square around each place at each turn."""
    count = len(turns)
    sides = np.maximum(places.sides * _MARGIN, 1.0)
    return Squares(np.tile(places.centers, (count, 1)), np.tile(sides, count), np.repeat(turns, len(places)))


def _as_in_the_picture(seen: Detections, squares: Squares) -> Detections:
    """Return what was seen in close-ups, one in each square, as it lies in the picture: upright boxes around turned faces."""
    centers = squares.back(seen.centers[:, None], _CLOSE_UP)[:, 0]
    turns = np.radians(squares.turns)
    axes = np.stack([np.cos(turns), np.sin(turns)], axis=-1)
    across, down = seen.boxes[:, 2:].T * squares.sides / _CLOSE_UP
    sizes = np.hypot(across[:, None] * axes, down[:, None] * axes[:, ::-1])  # of the box around a turned ellipse
    boxes = np.hstack([centers - sizes / 2, sizes])
    return Detections(boxes, seen.scores, squares.back(seen.points, _CLOSE_UP), squares.turns)


def _shrink(rgb: Rgb, side: int) -> Rgb:
    """Reduce to a longest side of `side` pixels; smaller pictures stay as they are."""
    height, width = rgb.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if scale <= _HALVE_AT:
        rgb = _resize(rgb, (max(1, width // 2), max(1, height // 2)))
    # Area averaging costs 1 to 4 ms at odd factors; linear is cheaper, and moves boxes by up to 5 % of a face.
    return _resize(rgb, size) if scale < 1 else rgb


def _resize(rgb: Rgb, size: tuple[int, int]) -> Rgb:
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _trim(rgb: Rgb) -> tuple[Rgb, NDArray[np.float64]]:
    """Cut off the few rows or columns that would cost another row of cells; return also where the rest begins (x, y).

    Of 360 rows, the half of 720, four above and four below: a twelfth of the search.
    """
    over = [length % STRIDES[-1] if length > STRIDES[-1] else 0 for length in rgb.shape[:2]]
    top, left = (few // 2 if few <= _FEW else 0 for few in over)
    height, width = (length - (few if few <= _FEW else 0) for length, few in zip(rgb.shape[:2], over, strict=True))
    return rgb[top : top + height, left : left + width], np.array([left, top], np.float64)


def _as_input(rgb: Rgb) -> Rgb:
    """Blue first, and padded with black to multiples of the largest stride, as the net wants it."""
    height, width = rgb.shape[:2]
    padded_height, padded_width = (-(-length // STRIDES[-1]) * STRIDES[-1] for length in (height, width))
    batch = np.zeros((1, padded_height, padded_width, 3), np.uint8)
    batch[0, :height, :width] = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    return batch
