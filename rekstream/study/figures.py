"""All figures of the studies, for programs: one JSON object, or a CSV with a line for each variant and attribute."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import SettingsError
from rekstream.study.comparison import Told, readings
from rekstream.study.survey import Row, Study

COLUMNS = (
    "picture", "change", "variant", "width", "height", "bytes", "faces", "seconds_p50", "seconds", "failures",
    "attribute", "outcome", "value", "confidence", "unchanged_value", "unchanged_confidence",
)  # fmt: skip
_SECOND_DIGITS = 6


def as_json(studies: Sequence[Study], answered_by: str, repeat: int, notes: Sequence[str]) -> dict[str, Any]:
    """Return everything that was measured as one object; seconds are the client's, confidences percent."""
    found = [_study(study) for study in studies]
    return {"answered_by": answered_by, "repeat": repeat, "notes": list(notes), "studies": found}


def write_csv(studies: Sequence[Study], path: Path) -> None:
    """Write a line for each variant and attribute; raises SettingsError when the file cannot be written."""
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            for study in studies:
                writer.writerows(_lines(study))
    except OSError as error:
        raise SettingsError(f"{path} cannot be written ({error.strerror}): name another file with --csv") from error


def _study(study: Study) -> dict[str, Any]:
    return {
        "picture": study.picture,
        "width": study.width,
        "height": study.height,
        "upload_seconds": _rounded(study.upload_seconds),
        "unchanged": {name: _told(told) for name, told in readings(study.face).items()},
        "rows": [_row(row) for row in study.rows],
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "change": row.variant.change.value,
        "variant": row.variant.name,
        "width": row.variant.width,
        "height": row.variant.height,
        "bytes": row.variant.bytes_sent,
        "faces": row.faces,
        "seconds_p50": _rounded(row.p50),
        "seconds": [_rounded(seconds) for seconds in row.seconds],
        "failures": list(row.failures),
        "attributes": {one.attribute: {"outcome": one.outcome.value, **_told(one.told)} for one in row.readings},
    }


def _lines(study: Study) -> Iterator[dict[str, Any]]:
    unchanged = readings(study.face)
    for row in study.rows:
        members = _row(row)
        attributes = members.pop("attributes")
        seconds = " ".join(f"{value}" for value in members.pop("seconds"))
        failures = " ".join(members.pop("failures"))
        for name, told in unchanged.items():
            yield {
                "picture": study.picture,
                **members,
                "seconds": seconds,
                "failures": failures,
                "attribute": name,
                **attributes.get(name, {}),
                **{f"unchanged_{key}": value for key, value in _told(told).items()},
            }


def _told(told: Told | None) -> dict[str, Any]:
    return {"value": told.words if told else None, "confidence": told.confidence if told else None}


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, _SECOND_DIGITS)
