"""What is answered: a table of operations, run on as many threads as there are cores."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path

from rekognition_local.collections import CollectionOperations
from rekognition_local.faces import FaceOperations
from rekognition_local.gallery import Gallery
from rekognition_local.images import ImageLoader
from rekognition_local.labels import LabelOperations
from rekognition_local.protocol import Call, Operation, Response, ServiceError
from rekognition_local.store import Store
from rekognition_local.users import UserOperations
from vision.faces import FaceEngine
from vision.objects import ObjectFinder

_TAGGING = frozenset({"ListTagsForResource", "TagResource", "UntagResource"})


class Operations:
    """All operations there are, on one engine and one store; `data` None keeps collections in memory."""

    def __init__(self, engine: FaceEngine, data: Path | None) -> None:
        self._engine = engine
        self._store = Store(data)

    def table(self) -> dict[str, Operation]:
        """Return the operations by AWS's name."""
        gallery = Gallery(self._store)
        return {
            **FaceOperations(self._engine).table(),
            **CollectionOperations(self._engine, self._store, gallery).table(),
            **UserOperations(self._engine, self._store, gallery).table(),
            **LabelOperations(self._engine, ObjectFinder()).table(),
        }

    def close(self) -> None:
        """Close the store."""
        self._store.close()


class Dispatcher:
    """Runs calls on as many threads as there are cores: more would slow each other down, and hold more memory."""

    def __init__(self, operations: Mapping[str, Operation], images: ImageLoader, cores: int | None = None) -> None:
        self._operations = operations
        self._images = images
        self._threads = ThreadPoolExecutor(cores or os.cpu_count() or 1, thread_name_prefix="rekognition-local-core")

    def close(self) -> None:
        """Refuse the calls that still wait for a thread, and wait for those at work."""
        self._threads.shutdown(cancel_futures=True)

    def run(self, call: Call) -> Response:
        """Return the response to a call; an operation that no model here can answer is an error that names it."""
        operation = self._operations.get(call.operation)
        if operation is None:
            raise ServiceError("UnknownOperationException", _unanswered(call.operation, sorted(self._operations)))
        params = self._images.fetched(call.params)
        try:
            answer = self._threads.submit(operation, params)
        except RuntimeError as error:  # what a closed executor raises
            raise _closing() from error
        try:
            return answer.result()
        except CancelledError as error:
            raise _closing() from error


def _unanswered(operation: str, answered: list[str]) -> str:
    why = "keeps no tags" if operation in _TAGGING else "has no model for it, and does not guess"
    return f"{operation} is not answered: the local server {why}; it answers {', '.join(answered)}"


def _closing() -> ServiceError:
    return ServiceError("InternalServerError", "the local Rekognition server is closing")
