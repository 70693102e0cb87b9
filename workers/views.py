"""How good a view of a face is, and whether it is worth a search: the rules by which a person is paid for once.

A track is looked at closer when it is new (and seen twice, or at once in a good view: an alert waits for it), when it is seen
clearly better, and when a time to live is over, for names may change. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from vision.entities import Box
from vision.tracks import Track

BETTER = 1.6
"""How many times its weight before a view has to have for another search."""

UNNAMED_SECONDS, NAMED_SECONDS = 30.0, 300.0
"""How long a search holds, of a track without and with a name."""

LEAST_HEIGHT = 32.0
"""Pixels of a face below which nobody is looked for: two such faces are hardly told apart (docs/accuracy.md)."""

_ENOUGH_HEIGHT = 200.0  # pixels: larger ones are no better to recognise
_GOOD_WEIGHT, _GOOD_HEIGHT = 0.3, 48.0  # of a view that needs no second one
_BETWEEN_SECONDS = 1.0  # who comes nearer is not searched with every step
_EDGE, _CUT = 0.01, 0.4  # of the picture's sides; the share of its weight that a face keeps there
_UNKNOWN_POSE = 0.3  # as if turned by 57 degrees
_LEAST_SHARPNESS = 5.0  # of 100, so that views of a blurred camera still differ by size


@dataclass(frozen=True, slots=True)
class View:
    """One face of one frame: its place among the answer's faces, its box, height in pixels, roll in degrees and weight."""

    place: int
    box: Box
    height: float
    roll: float
    weight: float

    @classmethod
    def of(cls, place: int, face: Mapping[str, Any], frame_height: int) -> View:
        """Return the view that one of FaceDetails is; raises KeyError, TypeError or ValueError for what is no face."""
        about = face["BoundingBox"]
        box = Box(*(float(about[name]) for name in ("Left", "Top", "Width", "Height")))
        if not all(map(math.isfinite, (box.left, box.top, box.width, box.height))) or box.width <= 0 or box.height <= 0:
            raise ValueError(f"a box of {about} is no place for a face")
        pose = face.get("Pose") or {}
        height = box.height * frame_height
        sharpness = max(_LEAST_SHARPNESS, float((face.get("Quality") or {}).get("Sharpness", _LEAST_SHARPNESS)))
        weight = min(height, _ENOUGH_HEIGHT) / 100 * sharpness / 100 * _frontality(pose) * _wholeness(box)
        return cls(place, box, height, float(pose.get("Roll", 0.0)), weight)

    @property
    def is_good(self) -> bool:
        """Whether it needs no second look to be searched."""
        return self.height >= _GOOD_HEIGHT and self.weight >= _GOOD_WEIGHT and _wholeness(self.box) == 1


@dataclass(frozen=True, slots=True)
class Worth:
    """What a view is worth: to be kept as the best of its track so far, a search, or both; at least to be remembered."""

    is_best: bool
    is_searched: bool


def decide(
    track: Track, view: View, at: float, searchable_since: float | None, is_named: Callable[[], bool]
) -> tuple[Track, Worth | None]:
    """Return the track after the decision what a view of it, taken `at` seconds, is worth, and that; mostly it is nothing.

    `searchable_since` is when somebody was enrolled or forgotten last (0: not known), None where nobody can be found.
    `is_named` is asked only where the answer counts.
    """
    if view.height < LEAST_HEIGHT or not (view.is_good or track.views > 1):
        return track, None
    is_worth_it = _is_worth_it(track, view, at, is_named)
    is_searched = searchable_since is not None and (is_worth_it or _was_missed(track, searchable_since, is_named))
    if not (is_worth_it or is_searched):
        return track, None
    is_best = view.weight >= track.kept
    after = replace(track, kept=max(view.weight, track.kept), kept_at=at, searched_at=at if is_searched else track.searched_at)
    return after, Worth(is_best, is_searched)


def _is_worth_it(track: Track, view: View, at: float, is_named: Callable[[], bool]) -> bool:
    """Say whether a view is the first, or clearly better than those before, or whether these are too long ago."""
    if not track.kept_at:
        return True
    seconds = at - track.kept_at
    if seconds >= _BETWEEN_SECONDS and view.weight >= BETTER * track.kept:
        return True
    return seconds >= UNNAMED_SECONDS and (seconds >= NAMED_SECONDS or not is_named())


def _was_missed(track: Track, searchable_since: float, is_named: Callable[[], bool]) -> bool:
    """Say whether there is somebody to be found who was not there when the track was searched last, if ever."""
    return not track.searched_at or (track.searched_at < searchable_since and not is_named())


def _wholeness(box: Box) -> float:
    """Return 1 for a face that is all in the picture, less for one that its edge may cut: who comes in is seen whole soon."""
    is_cut = min(box.left, box.top) < _EDGE or max(box.left + box.width, box.top + box.height) > 1 - _EDGE
    return _CUT if is_cut else 1.0


def _frontality(pose: Mapping[str, Any]) -> float:
    """Return 1 for a face that looks into the camera, less the more it is turned away."""
    if "Yaw" not in pose:
        return _UNKNOWN_POSE
    yaw, pitch = math.radians(float(pose["Yaw"])), math.radians(float(pose.get("Pitch", 0.0)))
    return max(0.05, math.cos(yaw) * math.cos(pitch)) ** 2
