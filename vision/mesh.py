"""468 points on each face, at any turn: MediaPipe Face Mesh (Kartynnik et al., 2019), held against a witness.

The net is trained on upright faces, and answers a turned one with confident nonsense. Its presence score tells some of
it: above SURE a fit at the turn at which the face was found is taken; below, the three quarter turns further are tried,
too, and the surest of all is kept, if it is at least ACCEPTED. Then the detector, which knows upright faces only, is asked
about fits that are turned or not PLAIN: close up, it must see the face best at the fit's turn, and with its points there.

Measured on 82 heads of 64 and 150 pixels at every 15 degrees, 3936 faces: 2957 are found, of them 2729 have right
landmarks, 220 have none, 8 wrong ones (one point is off by more than .3 of the distance between the eyes). One search
without close-ups and witness: 1338 found, 1250 right, 33 none, 55 wrong. Plain faces, the usual ones, pay nothing for it.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vision.detections import Detections
from vision.detector import Detector
from vision.entities import Landmark, Pose, Rgb
from vision.geometry import Affine, Squares, aligning, angle, turn_between
from vision.nets import Net

LEFT_EYE_CORNERS = (33, 133)  # "left" and "right" are the picture's, as in Rekognition
RIGHT_EYE_CORNERS = (362, 263)
LIPS_INNER = (13, 14)
MOUTH_CORNERS_INNER = (78, 308)

_ALIGNMENT_POINTS = [263, 362, 33, 133, 2]  # the corners of the eyes and the base of the nose
_MEAN_FACE = np.array(
    [
        [0.8595674595992, 0.2134981538014],
        [0.6460604764104, 0.2289674387677],
        [0.1205750620789, 0.2137203809120],
        [0.3340850613712, 0.2290658050613],
        [0.4901123135679, 0.6277975316475],
    ]
)
"""Where dlib's face chips have these points, in a unit square (Boost licence)."""

PLAIN, SURE, ACCEPTED = 16.0, 12.0, 6.0
"""Presence scores before the sigmoid; upright faces have a median of 25."""

_PIXELS = 192
_MARGIN = 1.5  # the crop's side over the box's longer side
_STEADY_DEGREES = 5  # a crop this close to upright need not be cut again
_UPRIGHT_DEGREES = 20
_TURNED_DEGREES = 45  # what the detector knows of a turned face
_SETTLED_DEGREES = 20
_ROUNDS = 2
_OTHER_TURNS = (90.0, 180.0, -90.0)
_WITNESS_MARGIN = 1.3  # the close-up's side over the mesh's longer side
_WITNESS_SURE, _WITNESS_OFF = 0.85, 0.3
_POSE_POINTS = [LEFT_EYE_CORNERS[0], RIGHT_EYE_CORNERS[1], 10, 152]  # and forehead and chin

_NOSE_AND_MOUTH = [1, 61, 291]
_EYE_NAMES = ("eyeLeft", "eyeRight")
_EYES = np.array([[33, 133, 159, 145], [362, 263, 386, 374]])
_DEFAULT_POINTS = {"mouthLeft": 61, "mouthRight": 291, "nose": 1}
_ALL_POINTS = {
    **_DEFAULT_POINTS,
    "leftEyeBrowLeft": 70,
    "leftEyeBrowRight": 107,
    "leftEyeBrowUp": 105,
    "rightEyeBrowLeft": 336,
    "rightEyeBrowRight": 300,
    "rightEyeBrowUp": 334,
    "leftEyeLeft": 33,
    "leftEyeRight": 133,
    "leftEyeUp": 159,
    "leftEyeDown": 145,
    "rightEyeLeft": 362,
    "rightEyeRight": 263,
    "rightEyeUp": 386,
    "rightEyeDown": 374,
    "noseLeft": 98,
    "noseRight": 327,
    "mouthUp": 0,
    "mouthDown": 17,
    "upperJawlineLeft": 127,
    "midJawlineLeft": 58,
    "chinBottom": 152,
    "midJawlineRight": 288,
    "upperJawlineRight": 356,
}


@dataclass(frozen=True)  # with a dictionary, for what is computed once
class Mesh:
    """The 468 points of one face (468 x 3: x, y, depth, in the picture's pixels) and how sure they are."""

    points: NDArray[np.float64]
    score: float

    @property
    def roll(self) -> float:
        """The clockwise turn of the line through the eyes, in degrees."""
        return angle(self.points[LEFT_EYE_CORNERS[0]], self.points[RIGHT_EYE_CORNERS[1]])

    @cached_property
    def frame(self) -> Affine:
        """The similarity (2 x 3) that lays eyes and nose onto the mean face, in a square from 0 to 1."""
        return aligning(self.points[_ALIGNMENT_POINTS, :2], _MEAN_FACE)

    def off(self, points: NDArray[np.float64]) -> float:
        """Return how far the farthest of a detection's five points is from the mesh's, in distances between the eyes."""
        flat = self.points[:, :2]
        own = np.concatenate([flat[_EYES].mean(axis=1), flat[_NOSE_AND_MOUTH]])
        return float(np.linalg.norm(own - points, axis=1).max() / max(1e-6, float(np.linalg.norm(own[1] - own[0]))))

    def pose(self) -> Pose:
        """Return how the head is turned, from the eyes' line and the line from forehead to chin."""
        left, right, forehead, chin = self.points[_POSE_POINTS].tolist()
        x, y, z = _normal(_between(left, right), _between(forehead, chin))
        roll = math.atan2(right[1] - left[1], right[0] - left[0])
        # In the face's own upright frame: a head lying on its side keeps the yaw and pitch it has upright.
        x, y = x * math.cos(roll) + y * math.sin(roll), y * math.cos(roll) - x * math.sin(roll)
        yaw, pitch = math.asin(max(-1.0, min(1.0, -x))), math.atan2(y, z)
        return Pose(roll=math.degrees(roll), yaw=math.degrees(yaw), pitch=math.degrees(pitch))

    def landmarks(self, width: int, height: int, *, every: bool) -> tuple[Landmark, ...]:
        """Return the five usual landmarks, or every one that lies on the mesh (28), as fractions of the picture."""
        flat, named = self.points[:, :2] / (width, height), _ALL_POINTS if every else _DEFAULT_POINTS
        places = np.concatenate([flat[_EYES].mean(axis=1), flat[list(named.values())]]).tolist()
        return tuple(Landmark(name, x, y) for name, (x, y) in zip((*_EYE_NAMES, *named), places, strict=True))


def _between(start: list[float], end: list[float]) -> list[float]:
    return [there - here for here, there in zip(start, end, strict=True)]


def _normal(across: list[float], down: list[float]) -> tuple[float, float, float]:
    """Return the direction at right angles to both, of length 1."""
    x = across[1] * down[2] - across[2] * down[1]
    y = across[2] * down[0] - across[0] * down[2]
    z = across[0] * down[1] - across[1] * down[0]
    length = max(math.hypot(x, y, z), 1e-9)
    return x / length, y / length, z / length


class MeshFinder:
    """Lays a mesh on each face; safe to call from several threads at once."""

    def __init__(self, witness: Detector) -> None:
        self._net = Net("mesh")
        self._witness = witness

    def find(self, rgb: Rgb, found: Detections) -> list[Mesh | None]:
        """Return the mesh of each face that was found, None where no fit is sure enough."""
        fits = [_Fit.start(found, owner) for owner in range(len(found))]
        self._fit(rgb, fits)
        turned = [_Fit.start(found, fit.owner, turn) for fit in fits if fit.unsure for turn in _OTHER_TURNS]
        self._fit(rgb, turned)
        fits += turned
        for _ in range(_ROUNDS):
            self._fit(rgb, [fit.level() for fit in fits if not fit.steady])
        best = [max((fit for fit in fits if fit.owner == owner), key=lambda fit: fit.mesh.score) for owner in range(len(found))]
        refuted = self._refuted(rgb, [fit for fit in best if fit.acceptable and not fit.plain])
        return [fit.mesh if fit.acceptable and fit.owner not in refuted else None for fit in best]

    def _fit(self, rgb: Rgb, fits: "list[_Fit]") -> None:
        """Run the net on each fit's square, and write points and score into it."""
        if not fits:
            return
        squares = _squares(fits)
        meshes, scores = self._net(squares.cut(rgb, _PIXELS))
        points = meshes.reshape(len(fits), -1, 3).astype(np.float64)
        points[..., :2] = squares.back(points[..., :2], _PIXELS)
        points[..., 2] *= squares.sides[:, None] / _PIXELS
        for fit, places, score in zip(fits, points, scores[:, 0].tolist(), strict=True):
            fit.mesh = Mesh(places, score)

    def _refuted(self, rgb: Rgb, fits: "list[_Fit]") -> set[int]:
        """Return the owners of the fits that the detector contradicts, which sees upright faces best.

        In close-ups it must see the face better at the fit's turn than at the three others; where that turn is not the
        one at which the face was found, it must also see it there surely, with its points where the mesh has them.
        """
        if not fits:
            return set()
        turns = (0.0, *_OTHER_TURNS)
        seen, which = self._witness.close_ups(rgb, _squares([fit.close_up(turn) for fit in fits for turn in turns]))
        scores, points = np.zeros(len(fits) * len(turns)), np.full((len(fits) * len(turns), 5, 2), np.inf)
        scores[which], points[which] = seen.scores, seen.points
        rows = zip(fits, scores.reshape(-1, len(turns)), points[:: len(turns)], strict=True)
        return {fit.owner for fit, (own, *others), five in rows if own < max(others) or not fit.agrees(own, five)}


def _squares(fits: "list[_Fit]") -> Squares:
    return Squares(*(np.array([getattr(fit, name) for fit in fits]) for name in ("center", "side", "turn")))


@dataclass(slots=True)
class _Fit:
    """One try at one face: the square it looks at, and what the net made of it."""

    owner: int
    center: NDArray[np.float64]
    side: float
    turn: float
    upright: bool
    mesh: Mesh

    @classmethod
    def start(cls, found: Detections, owner: int, further: float = 0.0) -> "_Fit":
        """Look at a face as it was found, or turned further."""
        turn, side = float(found.turns[owner]), max(1.0, float(found.sides[owner]) * _MARGIN)
        return cls(owner, found.centers[owner], side, turn + further, turn == 0, Mesh(np.zeros((468, 3)), -math.inf))

    @property
    def unsure(self) -> bool:
        return self.mesh.score < SURE or self.drift > (_UPRIGHT_DEGREES if self.upright else _TURNED_DEGREES)

    @property
    def steady(self) -> bool:
        return self.drift < _STEADY_DEGREES

    @property
    def acceptable(self) -> bool:
        return self.mesh.score >= ACCEPTED and self.drift <= _SETTLED_DEGREES

    @property
    def plain(self) -> bool:
        """Whether this is the usual case: a face found upright, and a sure fit that says so, too."""
        return self.mesh.score >= PLAIN and self.as_found

    @property
    def as_found(self) -> bool:
        """Whether the face was found upright, and is so nearly."""
        return self.upright and abs(self.mesh.roll) <= _UPRIGHT_DEGREES

    def agrees(self, score: float, points: NDArray[np.float64]) -> bool:
        """Return whether what the detector saw in the close-up is this face, if that was not known before."""
        return self.as_found or (score >= _WITNESS_SURE and self.mesh.off(points) <= _WITNESS_OFF)

    @property
    def drift(self) -> float:
        """How far the face found is from upright in the square, in degrees."""
        return turn_between(self.turn, self.mesh.roll)

    def level(self) -> "_Fit":
        """Turn and center the square so that the face found stands upright in it."""
        flat = self.mesh.points[:, :2]
        self.center, self.turn = (flat.min(axis=0) + flat.max(axis=0)) / 2, self.mesh.roll
        return self

    def close_up(self, further: float) -> "_Fit":
        """Return the square that the detector likes to see this face in, or in which it is turned further."""
        flat = self.mesh.points[:, :2]
        low, high = flat.min(axis=0), flat.max(axis=0)
        side = max(1.0, float((high - low).max()) * _WITNESS_MARGIN)
        return replace(self, center=(low + high) / 2, side=side, turn=self.mesh.roll + further)
