"""What one picture tells of one face: whether it smiles, laughs, faces the camera. Pure, and without any identity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from history import rows
from pipeline.entities import Operation, Result

FACING_YAW, FACING_PITCH = 30.0, 25.0
"""Degrees by which a head may be turned aside, and raised or lowered, while its face counts as turned to the camera."""

SMILES = 50.0
_CLOSED = 0.35
"""What is left of joy as a sign of laughter while the mouth is closed."""


@dataclass(frozen=True, slots=True)
class Look:
    """One face in one picture taken `at`; None where nothing was said of it.

    `laughter` is how much it looks like laughing, from 0 to 1; `age` the middle of its range.
    """

    at: float
    laughter: float | None = None
    is_smiling: bool | None = None
    is_facing: bool | None = None
    emotion: str | None = None
    age: float | None = None
    gender: str | None = None


@dataclass(frozen=True, slots=True)
class Signs:
    """What laughter is told from, each from 0 to 1, None where it was not asked for."""

    smile: float | None
    happy: float | None
    mouth_open: float | None

    @property
    def laughter(self) -> float | None:
        """How much it looks like laughing: joy (the mean of smile and HAPPY), less so while the mouth is closed.

        None without HAPPY: where emotions are not inferred, nobody is said to laugh. Where nothing is known of the mouth, it
        counts as open as joy is great.
        """
        if self.happy is None:
            return None
        joy = self.happy if self.smile is None else (self.smile + self.happy) / 2
        mouth = joy if self.mouth_open is None else self.mouth_open
        return joy * (_CLOSED + (1 - _CLOSED) * mouth)


def looks_of(results: Iterable[Result]) -> Mapping[str, tuple[str, Sequence[Look]]]:
    """Return the camera and the looks of each track that stands in the results; faces without a track are left out."""
    found: dict[str, tuple[str, list[Look]]] = {}
    for result in results:
        if result.operation != Operation.DETECT_FACES or result.error:
            continue
        for row in rows.face_rows(result, 0):
            if row["track"]:
                found.setdefault(row["track"], (row["camera"], []))[1].append(_look(row, result))
    return found


def signs_of(face: Mapping[str, Any]) -> Signs:
    """Return the signs of laughter of a face of FaceDetails."""
    smile, mouth = (rows.likelihood(rows.part(face, name)) for name in ("Smile", "MouthOpen"))
    emotions = face.get("Emotions")
    named = [one for one in emotions if isinstance(one, dict)] if isinstance(emotions, list) else []
    happy = next((rows.number_of(one.get("Confidence")) for one in named if one.get("Type") == "HAPPY"), 0.0 if named else None)
    return Signs(_share(smile), _share(happy), _share(mouth))


def _look(row: Mapping[str, Any], result: Result) -> Look:
    age = None if row["age_low"] is None or row["age_high"] is None else (row["age_low"] + row["age_high"]) / 2
    return Look(
        at=min(row["at"], result.published_at),
        laughter=signs_of(result.response["FaceDetails"][row["place"]]).laughter,
        is_smiling=None if row["smile"] is None else row["smile"] > SMILES,
        is_facing=_is_facing(row["yaw"], row["pitch"]),
        emotion=row["emotion"],
        age=age,
        gender=row["gender"] if row["gender"] in ("Female", "Male") else None,
    )


def _is_facing(yaw: float | None, pitch: float | None) -> bool | None:
    if yaw is None or pitch is None:
        return None
    return abs(yaw) <= FACING_YAW and abs(pitch) <= FACING_PITCH


def _share(percent: float | None) -> float | None:
    return None if percent is None else min(1.0, max(0.0, percent / 100))
