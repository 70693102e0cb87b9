"""The newest labels of what each camera sees, as its slower clock asks for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable
from typing import Any

from pipeline.entities import Operation, Result
from pipeline.keys import camera_of_mailbox, labels_mailbox

SHOWN_LABELS = 20


class Scenes:
    """Keeps the newest labels of each camera; safe for several threads."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._newest: dict[str, Result] = {}

    def add(self, results: Iterable[Result]) -> None:
        """Take over the labels among some results."""
        for result in results:
            camera = camera_of_mailbox(result.camera)
            if (
                result.error is not None
                or result.operation != Operation.DETECT_LABELS
                or result.camera != labels_mailbox(camera)
            ):
                continue
            with self._lock:
                known = self._newest.get(camera)
                if known is None or known.captured_at <= result.captured_at:
                    self._newest[camera] = result

    def of(self, camera: str) -> dict[str, Any] | None:
        """Return a camera's labels as the API shows them, the surest first; None while there are none."""
        with self._lock:
            result = self._newest.get(camera)
        if result is None:
            return None
        return {
            "captured_at": result.captured_at,
            "age_seconds": round(max(0.0, self._now() - result.captured_at)),
            "labels": [_label(label) for label in result.response.get("Labels", ())[:SHOWN_LABELS]],
        }

    def forget(self, camera: str) -> None:
        """Forget a camera's labels: it is no more, or another one."""
        with self._lock:
            self._newest.pop(camera, None)

    def keep_only(self, cameras: Collection[str]) -> None:
        """Forget all other cameras: they are no more."""
        with self._lock:
            self._newest = {camera: result for camera, result in self._newest.items() if camera in cameras}


def _label(label: dict[str, Any]) -> dict[str, Any]:
    return {"Name": str(label.get("Name", "")), "Confidence": round(float(label.get("Confidence", 0.0)), 1)}
