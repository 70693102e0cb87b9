"""What a viewer may say on its socket: JSON, checked before anything is done with it."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboard.display import Painted
from dashboard.viewers import Mode
from pipeline.errors import SettingsError

MOST_CHARACTERS = 64 * 1024
MOST_WATCHED = 500
MOST_PAINTED = 500
MOST_ID_CHARACTERS = 64

_MEMBERS = {"watch", "rate", "ping", "painted"}
_MODES = tuple(Mode)


@dataclass(frozen=True, slots=True)
class Message:
    """One message: `watch` replaces what is watched (None leaves it), `ping` is to be sent back, `painted` was painted.

    `rate` is how many previews a second of each camera are wanted at most (None leaves it).
    """

    watch: Mapping[str, Mode] | None = None
    rate: float | None = None
    ping: str | float | None = None
    painted: tuple[Painted, ...] = ()


def read(text: str) -> Message:
    """Return what a message says; raises SettingsError. Members that are not known are left aside, if one is."""
    if len(text) > MOST_CHARACTERS:
        raise SettingsError(f"a message of {len(text):,} characters is too long: {MOST_CHARACTERS:,} are taken")
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        raise SettingsError(f"a message begins {text[:20]!r} and is no JSON") from None
    if not isinstance(members, dict) or not members.keys() & _MEMBERS:
        raise SettingsError("a message is an object with watch, rate, ping or painted")
    watch = _watch(members["watch"]) if "watch" in members else None
    rate = _rate(members["rate"]) if "rate" in members else None
    ping = _ping(members["ping"]) if "ping" in members else None
    return Message(watch, rate, ping, _painted(members["painted"]) if "painted" in members else ())


def _watch(value: Any) -> dict[str, Mode]:
    if not isinstance(value, dict) or not all(mode in _MODES for mode in value.values()):
        raise SettingsError('watch is an object of cameras with "preview" or "frame"')
    if len(value) > MOST_WATCHED:
        raise SettingsError(f"{len(value)} cameras cannot be watched at once, {MOST_WATCHED} can")
    return {camera: Mode(mode) for camera, mode in value.items() if len(camera) <= MOST_ID_CHARACTERS}


def _rate(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= sys.float_info.max:
        return float(value)  # an integer beyond that is no number to compute with
    raise SettingsError("rate is how many previews a second of each camera are wanted, above 0")


def _ping(value: Any) -> str | float:
    if isinstance(value, str) and len(value) <= MOST_ID_CHARACTERS:
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf:
        return value
    raise SettingsError("ping is a number or a short text")


def _painted(value: Any) -> tuple[Painted, ...]:
    if not isinstance(value, list) or len(value) > MOST_PAINTED:
        raise SettingsError(f"painted is a list of {MOST_PAINTED} at most")
    return tuple(_one_painted(each) for each in value)


def _one_painted(value: Any) -> Painted:
    camera, identity, at = (value.get(name) if isinstance(value, dict) else None for name in ("camera", "id", "at"))
    if not isinstance(camera, str) or not isinstance(identity, str) or not isinstance(at, int | float):
        raise SettingsError("painted holds objects with camera, id and at")
    return Painted(camera, identity, at)
