"""Erasing what a camera saw between two times: out of all rooms; the history asks for it when the data of a show go."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from people.audit import Audit
from people.house import Room, room_of
from pipeline.answering import Answer
from pipeline.errors import SettingsError
from pipeline.requests import Request


class Erasing(Room):
    """Answers people.erase."""

    def meet(self, rooms: Mapping[type[Room], Room]) -> None:
        """Get to know all rooms: each may have something to erase."""
        self._rooms = list(rooms.values())
        self._audit = room_of(rooms, Audit)

    def answers(self) -> Mapping[str, Answer]:
        """Return what is answered about erasing."""
        return {"people.erase": self._erase}

    def _erase(self, request: Request) -> Mapping[str, Any]:
        """Remove what tells of those whom `camera` saw from `since` to before `until`; answers how much of what."""
        camera, since, until = _asked(request)
        removed: Counter[str] = Counter()
        for room in self._rooms:
            removed.update(room.erase(camera, since, until))
        if removed.total():
            self._audit.note(request.who, "erase", "", f"{camera}: {removed['visits']} visits, {removed['alerts']} alerts")
            self.house.database.empty_log()
        return {"removed": dict(removed)}


def _asked(request: Request) -> tuple[str, float, float]:
    camera, *times = (request.members.get(name) for name in ("camera", "since", "until"))
    if not isinstance(camera, str) or not camera:
        raise SettingsError(f"camera {str(camera)[:40]!r}: name the one whose data go")
    for name, value in zip(("since", "until"), times, strict=True):
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            raise SettingsError(f"{name} {str(value)[:40]!r}: write seconds since 1970")
    since, until = map(float, times)  # type: ignore[arg-type]  # both are numbers by now
    if since >= until:
        raise SettingsError(f"since {since:.3f} does not lie before until {until:.3f}: there is nothing between them")
    return camera, since, until
