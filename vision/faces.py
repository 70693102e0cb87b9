"""Everything together: an RGB picture in, the faces in it out, with what was asked for and nothing more."""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vision import attributes as reading
from vision.detections import Detections
from vision.detector import Detector, DetectorSettings
from vision.embedding import Embedder
from vision.entities import AgeRange, Answer, Attribute, Box, Emotion, Face, Gender, Landmark, Pose, Quality, Rgb, expand
from vision.eyes import EyeReader, Eyes
from vision.mesh import Mesh, MeshFinder
from vision.nets import OnFirstUse
from vision.pictures import PictureError

MAX_FACES = 100
"""The largest faces are returned, as many as Rekognition's DetectFaces returns."""

_DEFAULT = frozenset({Attribute.DEFAULT})
_LONGEST_SIDE = 4096  # a larger array is reduced first: OpenCV's warps end at 32,767, and faces gain nothing beyond
_GREY, _COLOR = 2, 3


class FaceEngine:
    """Finds faces and reads them; one engine serves any number of threads at once, each call on its caller's core.

    Loading takes about 0.2 seconds. OpenCV's own threads are switched off for the whole process: with them, requests
    served in parallel wait for each other.
    """

    def __init__(self, detector: DetectorSettings | None = None) -> None:
        cv2.setNumThreads(1)
        self._detector = Detector(detector)
        self._meshes = MeshFinder(self._detector)
        self._eyes = EyeReader()
        self._ages = reading.AgeReader()
        self._genders = reading.GenderReader()
        self._expressions = reading.ExpressionReader()
        self._embedder = OnFirstUse(Embedder)

    def analyse(
        self, rgb: Rgb, attributes: Iterable[Attribute | str] = _DEFAULT, *, vectors: bool = False, most: int = MAX_FACES
    ) -> list[Face]:
        """Return the faces of a picture, largest first, at most `most`; with `vectors`, each with its vector.

        `rgb` is uint8, height x width x 3 (grey or with alpha is converted); an empty array or another type is a
        PictureError. A face whose points cannot be found surely has box, confidence and quality only, and no vector: what
        the other models say of a face in an unknown position is noise.
        """
        rgb = _working_copy(rgb)
        asked = expand(attributes)
        found = self._detector.detect(rgb).largest(most)
        meshes = self._meshes.find(rgb, found)
        known = [index for index, mesh in enumerate(meshes) if mesh is not None]
        sure = [mesh for mesh in meshes if mesh is not None]
        readings = self._read(rgb, sure, found.boxes[known], asked)
        if vectors:
            self._embed(rgb, readings)
        by_face = dict(zip(known, readings, strict=True))
        return [_face(rgb, found, index, by_face.get(index), asked) for index in range(len(found))]

    def detect(self, rgb: Rgb) -> list[Box]:
        """Return only where the faces are, largest first: a third of the work of `analyse`."""
        rgb = _working_copy(rgb)
        found = self._detector.detect(rgb).largest(MAX_FACES)
        return [_box(box, rgb) for box in found.boxes]

    def _read(self, rgb: Rgb, meshes: list[Mesh], boxes: NDArray[np.float64], asked: frozenset[Attribute]) -> "list[_Reading]":
        """Run the models that the attributes need, each once over all faces."""
        readings = [_Reading(mesh, mesh.pose()) for mesh in meshes]
        if asked & {Attribute.ALL, Attribute.EYES_OPEN}:
            for entry, eyes in zip(readings, self._eyes.read(rgb, meshes), strict=True):
                entry.eyes = eyes
        if Attribute.AGE_RANGE in asked:
            for entry, age in zip(readings, self._ages.read(rgb, meshes), strict=True):
                entry.age = age
        if Attribute.GENDER in asked:
            for entry, gender in zip(readings, self._genders.read(rgb, meshes), strict=True):
                entry.gender = gender
        if asked & {Attribute.EMOTIONS, Attribute.SMILE}:
            for entry, shares in zip(readings, self._expressions.read(rgb, meshes, boxes), strict=True):
                entry.expression = shares
        return readings

    def _embed(self, rgb: Rgb, readings: "list[_Reading]") -> None:
        for entry, vector in zip(readings, self._embedder().embed(rgb, [entry.mesh for entry in readings]), strict=True):
            entry.vector = vector


@dataclass(slots=True)
class _Reading:
    """What the models said of one face."""

    mesh: Mesh
    pose: Pose
    eyes: Eyes | None = None
    age: AgeRange | None = None
    gender: Gender | None = None
    expression: NDArray[np.float64] | None = None
    vector: NDArray[np.float32] | None = None

    def landmarks(self, rgb: Rgb, asked: frozenset[Attribute]) -> tuple[Landmark, ...]:
        """Return five landmarks, as Rekognition does by default, or all thirty when everything was asked for."""
        height, width = rgb.shape[:2]
        every = Attribute.ALL in asked
        pupils = self.eyes.landmarks(width, height) if every and self.eyes else ()
        return self.mesh.landmarks(width, height, every=every) + pupils

    def eyes_open(self, asked: frozenset[Attribute]) -> Answer | None:
        if self.eyes is None or Attribute.EYES_OPEN not in asked:
            return None
        return reading.eyes_open(self.eyes.seen_openness(self.pose.yaw))

    def mouth_open(self, asked: frozenset[Attribute]) -> Answer | None:
        return reading.mouth_open(self.mesh) if Attribute.MOUTH_OPEN in asked else None

    def smile(self, asked: frozenset[Attribute]) -> Answer | None:
        if self.expression is None or Attribute.SMILE not in asked:
            return None
        return reading.smile(self.expression)

    def emotions(self, asked: frozenset[Attribute]) -> tuple[Emotion, ...]:
        if self.expression is None or Attribute.EMOTIONS not in asked:
            return ()
        return reading.emotions(self.expression)


def _face(rgb: Rgb, found: Detections, index: int, entry: _Reading | None, asked: frozenset[Attribute]) -> Face:
    box, confidence = _box(found.boxes[index], rgb), 100 * float(found.scores[index])
    quality: Quality = reading.quality(rgb, found.boxes[index])
    if entry is None:
        return Face(box, confidence, quality)
    return Face(
        box,
        confidence,
        quality,
        landmarks=entry.landmarks(rgb, asked),
        pose=entry.pose,
        age=entry.age,
        gender=entry.gender,
        smile=entry.smile(asked),
        eyes_open=entry.eyes_open(asked),
        mouth_open=entry.mouth_open(asked),
        emotions=entry.emotions(asked),
        vector=entry.vector,
    )


def _box(pixels: NDArray[np.float64], rgb: Rgb) -> Box:
    height, width = rgb.shape[:2]
    left, top, across, down = pixels.tolist()
    return Box(left / width, top / height, across / width, down / height)


def _working_copy(rgb: Rgb) -> Rgb:
    """Return the picture as three uint8 channels of at most _LONGEST_SIDE; itself if it already is."""
    if rgb.dtype != np.uint8 or rgb.ndim not in (_GREY, _COLOR) or 0 in rgb.shape:
        raise PictureError(f"an array of {rgb.dtype} {rgb.shape} is no picture; pass uint8, height x width x 3")
    if rgb.ndim == _GREY or rgb.shape[2] == 1:
        rgb = np.repeat(rgb.reshape(*rgb.shape[:2], 1), 3, axis=2)
    rgb = np.ascontiguousarray(rgb[:, :, :3])
    if rgb.shape[2] != _COLOR:
        raise PictureError(f"a picture of {rgb.shape[2]} channels is neither grey nor RGB; pass height x width x 3")
    height, width = rgb.shape[:2]
    scale = _LONGEST_SIDE / max(height, width)
    if scale >= 1:
        return rgb
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
