"""What is answered: a table of operations, each from checked parameters to Rekognition's response members."""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, ThreadPoolExecutor
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
    """Runs calls on as many threads as there are cores: more would slow each other down, and hold more memory."""

    def __init__(self, operations: Mapping[str, Operation], cores: int | None = None) -> None:
        self._operations = operations
        self._threads = ThreadPoolExecutor(cores or os.cpu_count() or 1, thread_name_prefix="rekognition-local-core")

    def close(self) -> None:
        """Refuse the calls that still wait for a thread, and wait for those at work."""
        self._threads.shutdown(cancel_futures=True)

    def run(self, call: Call) -> Response:
        """Return the response to a call; an operation that is not written yet is an error that names it."""
        operation = self._operations.get(call.operation)
        if operation is None:
            raise ServiceError(
                "UnknownOperationException",
                f"{call.operation} is not answered by this local server yet; it answers {', '.join(sorted(self._operations))}",
            )
        try:
            answer = self._threads.submit(operation, call.params)
        except RuntimeError as error:  # what a closed executor raises
            raise _closing() from error
        try:
            return answer.result()
        except CancelledError as error:
            raise _closing() from error


def _closing() -> ServiceError:
    return ServiceError("InternalServerError", "the local Rekognition server is closing")
