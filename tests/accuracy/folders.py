"""Folders of the demo's portraits, and engines that know the answers because they were told."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from accuracy.samples import Sample
from accuracy.scenes import Cutout, Scene, cut_out
from tests.vision.scenes import ASTRONAUT, EYES, FACES, HOPPER, portrait, portrait_bytes
from vision.entities import AgeRange, Answer, Box, Emotion, Face, Gender, Landmark, Pose, Quality, Rgb

LABELS = f"""file,faces,gender,age,emotion,smile,eyes_open,mouth_open,yaw,box,eyes,clear
people/hopper/{HOPPER},1,Female,77,CALM,0,1,0,0,185 120 165 215,220 191 309 187,1
people/astronaut/{ASTRONAUT},1,Female,43,HAPPY,1,1,1,,178 62 90 114,203 101 246 103,1
"""


def folder_of_portraits(into: Path, labels: str = LABELS) -> Path:
    for person, name in (("hopper", HOPPER), ("astronaut", ASTRONAUT)):
        (into / "people" / person).mkdir(parents=True)
        (into / "people" / person / name).write_bytes(portrait_bytes(name))
    (into / "labels.csv").write_text(labels)
    return into


def cutout(name: str = HOPPER) -> Cutout:
    sample = Sample(f"people/somebody/{name}", Path(name), person="somebody")
    return cut_out(sample, portrait(name), FACES[name], tuple(np.ravel(EYES[name])))


class Told:
    """Answers each picture with the faces it was told to find on it."""

    def __init__(self, faces_on: Iterable[tuple[Rgb, list[Face]]] = ()) -> None:
        self._faces = {picture.tobytes(): faces for picture, faces in faces_on}

    @classmethod
    def of(cls, scenes: Iterable[Scene], change: Callable[[Face, Scene], Face] = lambda face, scene: face) -> "Told":
        return cls((scene.draw(), [change(truth(scene), scene)]) for scene in scenes)

    def analyse(self, rgb: Rgb, attributes: Iterable[str] = (), *, vectors: bool = False, most: int = 100) -> list[Face]:
        return self._faces.get(rgb.tobytes(), [])


def truth(scene: Scene) -> Face:
    """What a perfect engine says of a scene."""
    size = np.array(scene.size)
    side = np.array([scene.height, scene.height])
    left, top = (scene.middle - side / 2) / size
    width, height = side / size
    eyes = scene.eyes / size
    marks = tuple(Landmark(name, *map(float, eye)) for name, eye in zip(("eyeLeft", "eyeRight"), eyes, strict=True))
    return face(Box(left, top, width, height), landmarks=marks, pose=Pose(scene.turn, 0.0, 0.0))


def face(box: Box = Box(0.1, 0.1, 0.5, 0.5), **said: object) -> Face:  # noqa: B008 - frozen
    told = Face(
        box,
        99.0,
        Quality(50, 50),
        pose=Pose(0, 0, 0),
        age=AgeRange(30, 40),
        gender=Gender("Female", 99),
        smile=Answer(True, 99),
        eyes_open=Answer(True, 99),
        mouth_open=Answer(True, 99),
        emotions=(Emotion("HAPPY", 90.0), Emotion("CALM", 10.0)),
        vector=np.zeros(128, np.float32),
    )
    return replace(told, **said)
