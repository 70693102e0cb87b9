"""What is answered: a table of operations, each from checked parameters to Rekognition's response members."""

import os
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from rekognition_local.images import ImageLoader
from rekognition_local.protocol import Call, ServiceError
from rekognition_local.shapes import face_detail
from vision.entities import Attribute
from vision.faces import FaceEngine

Response: TypeAlias = dict[str, Any]
Operation: TypeAlias = Callable[[Mapping[str, Any]], Response]


class FaceOperations:
    """Rekognition's operations on faces, as far as they are written."""

    def __init__(self, engine: FaceEngine, images: ImageLoader) -> None:
        self._engine = engine
        self._images = images

    def table(self) -> dict[str, Operation]:
        """Return the operations by AWS's name."""
        return {"DetectFaces": self.detect_faces}

    def detect_faces(self, params: Mapping[str, Any]) -> Response:
        """Answer DetectFaces (API_DetectFaces): the 100 largest faces, with the attributes asked for."""
        picture = self._images.load(params["Image"])
        attributes = params.get("Attributes") or [Attribute.DEFAULT]
        return {"FaceDetails": [face_detail(face) for face in self._engine.analyse(picture, attributes)]}


class Dispatcher:
    """Runs calls, as many at once as there are cores: more would only slow each other down."""

    def __init__(self, operations: Mapping[str, Operation], cores: int | None = None) -> None:
        self._operations = operations
        self._cores = threading.BoundedSemaphore(cores or os.cpu_count() or 1)
        self._closed = False

    def close(self) -> None:
        """Refuse the calls that still wait for a core."""
        self._closed = True

    def run(self, call: Call) -> Response:
        """Return the response to a call; an operation that is not written yet is an error that names it."""
        operation = self._operations.get(call.operation)
        if operation is None:
            answered = ", ".join(sorted(self._operations))
            raise ServiceError(
                "UnknownOperationException",
                f"{call.operation} is not answered by this local server yet; it answers {answered}",
            )
        with self._cores:
            if self._closed:
                raise ServiceError("InternalServerError", "the local Rekognition server is closing")
            return operation(call.params)
