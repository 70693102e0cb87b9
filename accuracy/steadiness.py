"""How much the answers move when nothing has happened: the same face a pixel further, a little larger, sent again."""

import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from accuracy.figures import Number, Share, Table
from accuracy.scenes import Backgrounds, Cutout, Scene, compressed, noisy
from accuracy.trials import Plan, Trials
from vision.entities import Face

HEIGHTS = (60, 160)
VARIANTS = 8
_PIXELS, _SCALE, _DEGREES = 3.0, 0.05, 2.0  # each variant differs by as much at most, either way
_QUALITIES = (60, 95)
_NOISE = 2.0
_AT_LEAST = 3  # variants with answers, or a spread says nothing

Faces: TypeAlias = list[Face]


def plan(cut: Iterable[Cutout], backgrounds: Backgrounds) -> Plan:
    """Return the scenes to try, one row a face and height."""
    cut = list(cut)
    return {f"steady_{height}": _variants([Scene(one, backgrounds, height=height) for one in cut]) for height in HEIGHTS}


def _variants(scenes: Iterable[Scene]) -> list[tuple[str, Scene]]:
    return [(scene.cutout.sample.file, _moved(scene, number)) for scene in scenes for number in range(VARIANTS)]


def _moved(scene: Scene, number: int) -> Scene:
    chance = np.random.default_rng([zlib.crc32(scene.cutout.sample.file.encode()), number])
    right, down, larger, turned = chance.uniform(-1, 1, 4)
    return replace(
        scene,
        shift=(_PIXELS * right, _PIXELS * down),
        height=scene.height * (1 + _SCALE * larger),
        turn=_DEGREES * turned,
        changes=(noisy(_NOISE), compressed(int(chance.integers(*_QUALITIES)))),
    )


def tables(trials: Trials) -> list[Table]:
    """Return how far the answers of one face lie from each other."""
    rows = {}
    for height in HEIGHTS:
        by_face: dict[str, Faces] = {}
        for trial in trials[f"steady_{height}"]:
            if trial.face and trial.face.age:
                by_face.setdefault(trial.row, []).append(trial.face)
        groups = [faces for faces in by_face.values() if len(faces) >= _AT_LEAST]
        if groups:
            rows[f"{height} px"] = _row(groups)
    return [
        Table(
            "steadiness",
            "The same face again",
            f"{VARIANTS} copies of each scene, moved by up to {_PIXELS:g} pixels, {100 * _SCALE:.0f} % in size and "
            f"{_DEGREES:g} degrees, with a sensor's noise of {_NOISE:g} levels, at JPEG qualities {_QUALITIES[0]} to "
            f"{_QUALITIES[1]}. Years, degrees and percent are standard deviations within one face, averaged over faces; flips "
            "are answers unlike the face's most usual one. More faces found are harder ones: see how many.",
            "height",
            ("age", "emotion's percent", "yaw", "emotion flips", "smile flips", "gender flips", "eyes flip", "faces"),
            rows,
            frozenset(("age", "emotion's percent", "emotion flips", "smile flips", "faces")),
            missing="" if rows else "Not measured: there are no clear faces.",
        )
    ]


def _row(groups: list[Faces]) -> tuple[Number | Share, ...]:
    return (
        _spread(groups, lambda face: (face.age.low + face.age.high) / 2 if face.age else 0.0, " years"),
        Number.mean((_emotion_spread(faces) for faces in groups), 1, " %"),
        _spread(groups, lambda face: face.pose.yaw if face.pose else 0.0, "°"),
        _flips(groups, lambda face: face.emotions[0].name),
        _flips(groups, lambda face: face.smile and face.smile.value),
        _flips(groups, lambda face: face.gender and face.gender.value),
        _flips(groups, lambda face: face.eyes_open and face.eyes_open.value),
        Number(len(groups)),
    )


def _spread(groups: list[Faces], value: Callable[[Face], float], unit: str) -> Number:
    return Number.mean((float(np.std([value(face) for face in faces])) for faces in groups), 1, unit)


def _emotion_spread(faces: Faces) -> float:
    """Return the spread of the confidence in the emotion that is most often the strongest."""
    usual = _usual([face.emotions[0].name for face in faces])
    return float(np.std([emotion.confidence for face in faces for emotion in face.emotions if emotion.name == usual]))


def _flips(groups: list[Faces], answer: Callable[[Face], object]) -> Share:
    answers = [[answer(face) for face in faces] for faces in groups]
    return Share.among(one != _usual(these) for these in answers for one in these)


def _usual(answers: list[object]) -> object:
    return Counter(answers).most_common(1)[0][0]
