"""The rooms of the history process: whoever adds a room adds it here."""

from __future__ import annotations

from history.house import Recorder
from history.status import Status

ROOMS: tuple[type[Recorder], ...] = (Status,)
"""In the order in which they hear results."""
