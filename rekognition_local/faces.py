"""Faces of the pictures in a request, nothing kept: DetectFaces and CompareFaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rekognition_local.images import picture_of
from rekognition_local.protocol import Operation, Response, invalid_parameter
from rekognition_local.quality import DEFAULT_WHEN_SEARCHED, judged
from rekognition_local.shapes import face_detail, percent, place
from rekognition_local.store import Vector
from vision.embedding import distance, similarity
from vision.entities import Attribute, Face
from vision.faces import FaceEngine

DEFAULT_THRESHOLD = 80.0

_NOT_COMPARED = -1.0  # below every threshold


class FaceOperations:
    """The operations that only look at pictures."""

    def __init__(self, engine: FaceEngine) -> None:
        self._engine = engine

    def table(self) -> dict[str, Operation]:
        """Return the operations by AWS's name."""
        return {"DetectFaces": self.detect_faces, "CompareFaces": self.compare_faces}

    def detect_faces(self, params: Mapping[str, Any]) -> Response:
        """Answer DetectFaces: the 100 largest faces, with the attributes asked for."""
        attributes = params.get("Attributes") or [Attribute.DEFAULT]
        return {"FaceDetails": [face_detail(face) for face in self._engine.analyse(picture_of(params["Image"]), attributes)]}

    def compare_faces(self, params: Mapping[str, Any]) -> Response:
        """Answer CompareFaces: the largest face of the source against each of the 100 largest of the target."""
        bar = params.get("QualityFilter", DEFAULT_WHEN_SEARCHED)
        source, vector = largest_face(self._engine, params["SourceImage"], bar, "SourceImage")
        targets = self._faces_of_target(params["TargetImage"], bar)
        threshold = params.get("SimilarityThreshold", DEFAULT_THRESHOLD)
        rated = sorted(((_alike(vector, face), face) for face in targets), key=lambda pair: -pair[0])
        return {
            "SourceImageFace": {"BoundingBox": place(source.box), "Confidence": percent(source.confidence)},
            "FaceMatches": [
                {"Similarity": percent(alike), "Face": face_detail(face)} for alike, face in rated if alike >= threshold
            ],
            "UnmatchedFaces": [face_detail(face) for alike, face in rated if alike < threshold],
        }

    def _faces_of_target(self, image: Mapping[str, Any], bar: str) -> list[Face]:
        """Return the faces to compare; without a filter also those that nothing can be compared with: they match nobody."""
        picture = picture_of(image)
        found = self._engine.analyse(picture, ["DEFAULT"], vectors=True)
        faces = found if bar == "NONE" else [face for face, reasons in judged(found, picture, bar) if not reasons]
        if not faces:
            raise invalid_parameter("no face was found in TargetImage" if not found else _below(bar, "TargetImage"))
        return faces


def largest_face(engine: FaceEngine, image: Mapping[str, Any], bar: str, name: str) -> tuple[Face, Vector]:
    """Return the largest face of a picture and its vector; InvalidParameterException where there is none that serves."""
    picture = picture_of(image)
    faces = engine.analyse(picture, ["DEFAULT"], vectors=True, most=1)
    if not faces:
        raise invalid_parameter(f"no face was found in {name}; send a picture with a face of at least 40 pixels, uncovered")
    ((face, reasons),) = judged(faces, picture, bar)
    if face.vector is None:
        raise invalid_parameter(f"the largest face in {name} is turned away, covered or blurred too much to be compared")
    if reasons:
        raise invalid_parameter(_below(bar, name))
    return face, face.vector


def _alike(source: Vector, target: Face) -> float:
    return _NOT_COMPARED if target.vector is None else float(similarity(distance(source, target.vector)))


def _below(bar: str, name: str) -> str:
    return f"no face in {name} clears the quality bar {bar}; send a clearer picture, or a lower QualityFilter"
