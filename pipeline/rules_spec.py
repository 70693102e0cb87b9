"""A camera's rules as people write them: gate, labels, purpose, zones, masks, smallest face, schedule."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from pipeline.entities import Gate, Polygon, Purpose
from pipeline.errors import SettingsError
from pipeline.schedule import Schedule

MEMBERS = ("gate", "labels", "purpose", "zones", "masks", "smallest_face", "schedule")
PRODUCERS = ("gate", "labels", "masks", "schedule")  # what producers do with a camera
MOST_POLYGONS, MOST_CORNERS, FEWEST_CORNERS = 20, 50, 3
LARGEST_FACE = 2000
SHORTEST_LABELS, LONGEST_LABELS = 1.0, 86_400.0

_EVERY = re.compile(r"(?:every\s+)?(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>s|m|h)?")
_PIXELS = re.compile(r"[0-9]{1,4}")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}
_POLYGON = "write corners as fractions of the picture, for example [[0, 0.5], [1, 0.5], [1, 1], [0, 1]]"

Choice = TypeVar("Choice", bound=StrEnum)


def rules_of(given: Mapping[str, Any], gate: Gate, *, browser: bool = False) -> dict[str, Any]:
    """Return the members of `entities.Camera` that these rules describe; `gate` where they name none.

    For a `browser`, whose pictures come through no producer, those of PRODUCERS are refused. Raises SettingsError with one
    sentence that names the member and its value.
    """
    rules = _parsed(given, gate)
    for member in PRODUCERS if browser else ():
        if rules[member] and rules[member] is not Gate.OFF:
            raise SettingsError(
                f"{member} {str(given[member])[:40]!r} is not possible for a browser: no producer looks at its pictures "
                "before they are analysed; leave it out"
            )
    return rules


def _parsed(given: Mapping[str, Any], gate: Gate) -> dict[str, Any]:
    return {
        "gate": _choice("gate", given["gate"], Gate) if "gate" in given else gate,
        "labels": parse_labels(given.get("labels", 0)),
        "purpose": _choice("purpose", given.get("purpose", Purpose.TEST), Purpose),
        "zones": parse_polygons("zones", given.get("zones", ())),
        "masks": parse_polygons("masks", given.get("masks", ())),
        "smallest_face": _smallest_face(given.get("smallest_face", 0)),
        "schedule": _schedule(given.get("schedule", "")),
    }


def parse_labels(value: object) -> float:
    """Return the seconds between two looks at the labels: of ``every 10s``, ``1m``, 10, or off (0)."""
    text = str(value).strip().lower()
    if value is False or text in ("off", "0", "0.0", ""):
        return 0.0
    match = _EVERY.fullmatch(text)
    seconds = float(match["number"]) * _SECONDS[match["unit"]] if match and value is not True else math.nan
    if not SHORTEST_LABELS <= seconds <= LONGEST_LABELS:
        raise SettingsError(f"labels {str(value)[:40]!r}: write how often, for example every 10s (from 1s to 24h), or off")
    return seconds


def parse_polygons(member: str, value: object) -> tuple[Polygon, ...]:
    """Return polygons whose corners all lie in the picture; raises SettingsError."""
    if not isinstance(value, list | tuple):
        raise SettingsError(f"{member} {str(value)[:40]!r} is no list of polygons: {_POLYGON}")
    if len(value) > MOST_POLYGONS:
        raise SettingsError(f"{member}: {len(value)} polygons are more than the {MOST_POLYGONS} that are possible")
    return tuple(_polygon(f"{member} {number}", corners) for number, corners in enumerate(value, start=1))


def _polygon(name: str, corners: object) -> Polygon:
    if not isinstance(corners, list | tuple) or not FEWEST_CORNERS <= len(corners) <= MOST_CORNERS:
        raise SettingsError(f"{name} needs {FEWEST_CORNERS} to {MOST_CORNERS} corners: {_POLYGON}")
    return tuple(_corner(name, corner) for corner in corners)


def _corner(name: str, corner: object) -> tuple[float, float]:
    try:
        x, y = (float(part) for part in corner)  # type: ignore[attr-defined]  # what is not iterable is the TypeError below
    except (TypeError, ValueError):
        raise SettingsError(f"{name}: {str(corner)[:40]!r} is no corner: {_POLYGON}") from None
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise SettingsError(f"{name}: the corner {x:g}, {y:g} lies outside of the picture, which goes from 0, 0 to 1, 1")
    return x, y


def _smallest_face(value: object) -> int:
    pixels = int(value) if isinstance(value, str) and _PIXELS.fullmatch(value) else value
    if isinstance(pixels, bool) or not isinstance(pixels, int) or not 0 <= pixels <= LARGEST_FACE:
        raise SettingsError(f"smallest_face {str(value)[:40]!r}: write a height in pixels from 0 to {LARGEST_FACE}")
    return pixels


def _schedule(value: object) -> str:
    if not isinstance(value, str):
        raise SettingsError(f"schedule {str(value)[:40]!r} is no text: write for example mon-fri 08:00-18:00")
    Schedule.parse(value)
    return value.strip()


def _choice(member: str, value: object, choices: type[Choice]) -> Choice:
    if value is False and "off" in list(choices):  # YAML reads off as false
        value = "off"
    try:
        return choices(str(value).lower())
    except ValueError:
        raise SettingsError(f"{member} {str(value)[:40]!r} is not known: choose {', '.join(choices)}") from None
