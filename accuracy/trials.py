"""The engine run over pictures and scenes, on all cores, and what it said of the face that is known to be there."""

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

import numpy as np

from accuracy.samples import Sample
from accuracy.scenes import LEAST_HEIGHT, Cutout, Points, Scene, cut_out
from vision.entities import Face, Rgb

ALL = ("ALL",)
NEAR = 0.35
"""A face is found if a box's middle is no farther from the true one than this share of the true height …"""

ALIKE = 2.0
"""… and its longer side at most so many times the true height, and the true height at most so many times it."""

RIGHT = 0.12
"""Landmarks are right if neither eye's middle is farther from the true one than this share of the face's height."""

MOST_A_PERSON = 2
_MOST_YAW = 30

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Engine(Protocol):
    """What is measured: `vision.faces.FaceEngine`, or in tests something that knows the truth."""

    def analyse(self, rgb: Rgb, attributes: Iterable[str] = ..., *, vectors: bool = ..., most: int = ...) -> list[Face]:
        """Return the faces of a picture."""


def on_all_cores(work: Callable[[Item], Answer], items: Iterable[Item]) -> list[Answer]:
    """Return the answers in the order of the items; the engine's work runs in parallel threads."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, items))


@dataclass(frozen=True)
class Reading:
    """A sample and what the engine said of it, untouched."""

    sample: Sample
    width: int
    height: int
    scale: float  # of the decoded picture
    faces: tuple[Face, ...]

    @property
    def face(self) -> Face | None:
        """The face the labels are about: the one at the labelled box, or else the largest."""
        if self.sample.box is None:
            return self.faces[0] if self.faces else None
        box = np.multiply(self.sample.box, self.scale)
        return matching(self.faces, (self.width, self.height), box[:2] + box[2:] / 2, float(box[3]))


def read_samples(engine: Engine, samples: Iterable[Sample]) -> list[Reading]:
    """Run the engine over the samples as they are."""

    def read(sample: Sample) -> Reading:
        rgb, scale = sample.load()
        faces = engine.analyse(rgb, ALL, vectors=True)
        return Reading(sample, rgb.shape[1], rgb.shape[0], scale, tuple(faces))

    return on_all_cores(read, samples)


@dataclass(frozen=True)
class Trial:
    """A scene, and the engine's face at the place where the scene's face is, if there was one."""

    row: str
    scene: Scene
    face: Face | None

    @property
    def eyes(self) -> Points | None:
        """The middles of the eyes that the engine named, in pixels."""
        named = {point.name: point for point in self.face.landmarks} if self.face else {}
        if not named:
            return None
        pair = (named["eyeLeft"], named["eyeRight"])
        return np.array([[point.x, point.y] for point in pair]) * self.scene.size

    @property
    def misses(self) -> Points | None:
        """How far either eye's middle is from the true one, in shares of the face's height; None without landmarks."""
        eyes = self.eyes
        return None if eyes is None else np.asarray(np.linalg.norm(eyes - self.scene.eyes, axis=1) / self.scene.height)

    @property
    def right(self) -> bool:
        """Whether there are landmarks, and where they should be."""
        return self.misses is not None and bool((self.misses <= RIGHT).all())

    @property
    def wrong(self) -> bool:
        """Whether there are landmarks, and elsewhere."""
        return self.misses is not None and not self.right


Plan: TypeAlias = Mapping[str, list[tuple[str, Scene]]]
"""The scenes of each table, each under the name of its row."""

Trials: TypeAlias = Mapping[str, list[Trial]]
"""What came of a plan."""


def run_all(engine: Engine, plan: Plan) -> Trials:
    """Run the engine over every scene of a plan."""
    return {table: run(engine, scenes) for table, scenes in plan.items()}


def run(engine: Engine, scenes: Iterable[tuple[str, Scene]]) -> list[Trial]:
    """Run the engine over scenes, each under the name of its table's row."""

    def attempt(named: tuple[str, Scene]) -> Trial:
        row, scene = named
        faces = engine.analyse(scene.draw(), ALL, vectors=True)
        return Trial(row, scene, matching(faces, scene.size, scene.middle, scene.height))

    return on_all_cores(attempt, scenes)


def rows_of(trials: Iterable[Trial]) -> dict[str, list[Trial]]:
    """Return trials by row, in the order of the rows."""
    rows: dict[str, list[Trial]] = {}
    for trial in trials:
        rows.setdefault(trial.row, []).append(trial)
    return rows


def matching(faces: Iterable[Face], size: tuple[int, int], middle: Points, height: float) -> Face | None:
    """Return the face whose middle is nearest to where one is, if it is near, and of about its size."""
    best, nearest = None, NEAR * height
    for face in faces:
        box = np.array([face.box.left, face.box.top, face.box.width, face.box.height]) * np.tile(size, 2)
        away = float(np.linalg.norm(box[:2] + box[2:] / 2 - middle))
        if away <= nearest and height / ALIKE <= max(box[2:]) <= height * ALIKE:
            best, nearest = face, away
    return best


def cutouts(readings: Iterable[Reading]) -> list[Cutout]:
    """Cut the clear faces out, of each person two at most.

    Where no sample is labelled clear, those are taken that the engine itself sees alone in the picture and turned little;
    places that no label gives are the engine's own, of the untouched picture.
    """
    listed = [reading for reading in readings if not reading.sample.empty]
    labelled = any(reading.sample.clear for reading in listed)
    taken: dict[str, int] = {}
    cut = []
    for reading in listed:
        who = reading.sample.person or reading.sample.file
        if taken.get(who, 0) < MOST_A_PERSON and (reading.sample.clear if labelled else _looks_clear(reading)):
            found = _cut(reading)
            if found is not None:
                taken[who] = taken.get(who, 0) + 1
                cut.append(found)
    return cut


def _looks_clear(reading: Reading) -> bool:
    pose = reading.face.pose if reading.face else None
    return len(reading.faces) == 1 and pose is not None and max(abs(pose.yaw), abs(pose.pitch), abs(pose.roll)) < _MOST_YAW


def _cut(reading: Reading) -> Cutout | None:
    box, eyes = _box(reading), _eyes(reading)
    if box is None or eyes is None or box[3] < LEAST_HEIGHT:
        return None
    return cut_out(reading.sample, reading.sample.load()[0], box, eyes)


def _box(reading: Reading) -> tuple[float, ...] | None:
    if reading.sample.box is not None:
        return tuple(reading.scale * length for length in reading.sample.box)
    if reading.face is None:
        return None
    box = reading.face.box
    return box.left * reading.width, box.top * reading.height, box.width * reading.width, box.height * reading.height


def _eyes(reading: Reading) -> tuple[float, ...] | None:
    if reading.sample.eyes is not None:
        return tuple(reading.scale * length for length in reading.sample.eyes)
    points = {point.name: point for point in reading.face.landmarks} if reading.face else {}
    if not points:
        return None
    left, right = points["eyeLeft"], points["eyeRight"]
    return left.x * reading.width, left.y * reading.height, right.x * reading.width, right.y * reading.height
