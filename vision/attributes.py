"""What a face looks like: age, gender, expression, mouth, and how well it can be seen."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.chips import Chip
from vision.entities import AgeRange, Answer, Emotion, Gender, Quality, Rgb
from vision.geometry import crop, upright_square
from vision.mesh import LIPS_INNER, MOUTH_CORNERS_INNER, Mesh
from vision.nets import Net

EMOTIONS = ("CALM", "HAPPY", "SAD", "ANGRY", "FEAR", "DISGUSTED", "SURPRISED")
"""The net's seven expressions, in its order, under Rekognition's names (it calls CALM neutral)."""

_HAPPY = EMOTIONS.index("HAPPY")
_EXPRESSION_PIXELS = 112
_EXPRESSION_MARGIN = 1.1  # the crop's side over the box's longer side
_SOFTENING = 0.4  # the net is nearly always 99 % sure; the power spreads its shares and keeps their order

_YEARS = np.arange(81)
_LEAST_HALF_RANGE = 5
_RANGE_QUANTILES = (0.1, 0.9)

# Openness at which an eye or a mouth is as likely open as closed, and how fast one becomes the other.
_EYE_MIDPOINT, _MOUTH_MIDPOINT, _STEEPNESS = 0.19, 0.12, 40.0

_QUALITY_PIXELS = 128
_SHARPEST = 3000.0  # variance of the Laplacian of a face that counts as 100


_AGE_CHIPS = Chip(64, 0.1), Chip(64, 0.3)
_GENDER_CHIP = Chip(32, 0.2)


class AgeReader:
    """Reads ages (dlib-models age-v1: a share for each year from 0 to 80), on two crops of each face.

    Against one crop, the years outside the true range fall from 1.5 to 1.15 on average (126 faces), for .4 ms; how much an
    age moves (standard deviation over small turns, zooms, light and JPEG noise, 81 faces) falls from 1.26 to 1.19 years.
    Three crops make 1.1 and 1.0 of that, for another .4 ms.
    Averaging expressions in this way changed no answer of 81 about smiles and one of 79 about emotions, so it is not done.
    """

    def __init__(self) -> None:
        self._net = Net("age")

    def read(self, rgb: Rgb, meshes: list[Mesh]) -> list[AgeRange]:
        """Return an age range for each mesh: 80 % of the shares, and at least five years either way of the mean."""
        if not meshes:
            return []
        shares = self._net(np.concatenate([chip.cut(rgb, meshes) for chip in _AGE_CHIPS]))[0]
        return [_age_range(mean) for mean in shares.reshape(len(_AGE_CHIPS), len(meshes), -1).mean(axis=0)]


def _age_range(shares: NDArray[np.float32]) -> AgeRange:
    shares = shares / shares.sum()
    mean = round(float(_YEARS @ shares))
    low, high = (int(year) for year in np.searchsorted(np.cumsum(shares), _RANGE_QUANTILES))
    return AgeRange(max(0, min(low, mean - _LEAST_HALF_RANGE)), max(high, mean + _LEAST_HALF_RANGE))


class GenderReader:
    """Reads genders (dlib-models gender-v1: female or male is all it knows)."""

    def __init__(self) -> None:
        self._net = Net("gender")

    def read(self, rgb: Rgb, meshes: list[Mesh]) -> list[Gender]:
        """Return the gender each mesh's face looks like."""
        if not meshes:
            return []
        shares = self._net(_GENDER_CHIP.cut(rgb, meshes))[0]
        return [
            Gender("Male", _percent(male)) if male > female else Gender("Female", _percent(female))
            for female, male in shares.tolist()
        ]


class ExpressionReader:
    """Reads expressions (face-api.js FaceExpressionNet: shares of seven expressions)."""

    def __init__(self) -> None:
        self._net = Net("expression")

    def read(self, rgb: Rgb, meshes: list[Mesh], boxes: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """Return, for each mesh and its box (n x 4 in pixels), shares in the order of EMOTIONS that add up to 1."""
        if not meshes:
            return []
        centers, sides = boxes[:, :2] + boxes[:, 2:] / 2, boxes[:, 2:].max(axis=1) * _EXPRESSION_MARGIN
        matrices = [
            upright_square(center, side, mesh.roll, _EXPRESSION_PIXELS)
            for mesh, center, side in zip(meshes, centers, sides, strict=True)
        ]
        shares = self._net(crop(rgb, matrices, _EXPRESSION_PIXELS))[0].astype(np.float64)
        softened = np.maximum(shares, 1e-9) ** _SOFTENING
        return list(softened / softened.sum(axis=1, keepdims=True))


def emotions(shares: NDArray[np.float64]) -> tuple[Emotion, ...]:
    """Return the expressions, strongest first."""
    named = (Emotion(name, _percent(share)) for name, share in zip(EMOTIONS, shares, strict=True))
    return tuple(sorted(named, key=lambda emotion: -emotion.confidence))


def smile(shares: NDArray[np.float64]) -> Answer:
    """Return whether the expression is mostly happy."""
    return _answer(float(shares[_HAPPY]))


def eyes_open(openness: float) -> Answer:
    """Return whether eyes of this openness (see eyes.Eyes) are open."""
    return _answer(_logistic((openness - _EYE_MIDPOINT) * _STEEPNESS))


def mouth_open(mesh: Mesh) -> Answer:
    """Return whether the lips are apart, by their distance over the mouth's width."""
    flat = mesh.points[:, :2]
    apart = math.dist(*(flat[point] for point in LIPS_INNER))
    width = max(1e-6, math.dist(*(flat[point] for point in MOUTH_CORNERS_INNER)))
    return _answer(_logistic((apart / width - _MOUTH_MIDPOINT) * _STEEPNESS))


def quality(rgb: Rgb, box: NDArray[np.float64]) -> Quality:
    """Return brightness (mean luma) and sharpness (log of the Laplacian's variance) of the face in `box`, in pixels."""
    left, top, width, height = box
    rows = _span(top, height, rgb.shape[0])
    columns = _span(left, width, rgb.shape[1])
    grey = cv2.cvtColor(rgb[rows, columns], cv2.COLOR_RGB2GRAY)
    how = cv2.INTER_AREA if grey.shape[0] > _QUALITY_PIXELS else cv2.INTER_CUBIC
    grey = cv2.resize(grey, (_QUALITY_PIXELS, _QUALITY_PIXELS), interpolation=how)
    variance = float(cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))[1][0, 0]) ** 2
    sharpness = 100 * math.log1p(variance) / math.log1p(_SHARPEST)
    return Quality(brightness=cv2.mean(grey)[0] / 2.55, sharpness=min(100.0, sharpness))


def _span(start: float, length: float, limit: int) -> slice:
    """Return the pixels from start to start + length that lie in 0..limit: at least one."""
    first = min(max(0, int(start)), limit - 1)
    return slice(first, max(first + 1, min(limit, int(start + length))))


def _answer(probability: float) -> Answer:
    return Answer(probability > 0.5, _percent(max(probability, 1 - probability)))  # noqa: PLR2004 - more likely than not


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-max(-500.0, min(500.0, x))))


def _percent(share: float) -> float:
    return 100 * min(1.0, max(0.0, float(share)))
