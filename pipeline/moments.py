"""Moments as people write them: ago, as a day, as a time, or as seconds since 1970."""

from __future__ import annotations

import math
import re
from datetime import datetime

from pipeline.errors import SettingsError

_AGO = re.compile(r"(?P<many>\d{1,6}(?:\.\d+)?)\s*(?P<unit>[smhdw])")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_LAST = 253_402_300_799.0  # the end of the year 9999


def moment(text: str, now: float) -> float:
    """Return the seconds since 1970 of ``24h`` or ``7d`` (ago), ``2026-11-23``, ``2026-11-23 08:00``, ``now`` or seconds.

    Days and times without a zone are local ones. Raises SettingsError.
    """
    words = text.strip()
    found = _seconds(words, now)
    if found is None or not (math.isfinite(found) and 0 <= found <= _LAST):
        raise SettingsError(f"{text[:60]!r} is no moment: write 24h or 7d (ago), 2026-11-23, '2026-11-23 08:00' or now")
    return found


def _seconds(words: str, now: float) -> float | None:
    if words.lower() == "now":
        return now
    if match := _AGO.fullmatch(words.lower()):
        return now - float(match["many"]) * _UNITS[match["unit"]]
    try:
        return float(words)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(words).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
