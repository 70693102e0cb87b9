"""The faces of an answer that count: those that a camera's zones and smallest face leave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

IGNORED = "Ignored"
"""The member of a face that does not count; it says why: ``zone`` or ``small``."""


def counted_faces(response: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the faces of a DetectFaces answer, or of a whole result as JSON, that count; none where it holds none."""
    faces = response.get("FaceDetails")
    return [face for face in faces if IGNORED not in face] if isinstance(faces, list) else []
