"""What happened, one sentence each: the last ones in memory, and told to whoever listens."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pipeline.errors import redact

MOST_NOTICES = 500


class Level(StrEnum):
    """How much a notice matters."""

    INFO = "info"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that happened: `at` is seconds since 1970 on Redis's clock, `kind` what it is about, `text` a sentence."""

    id: int
    at: float
    level: Level
    kind: str
    text: str
    camera: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the notice as the API shows it."""
        about = {} if self.camera is None else {"camera": self.camera}
        members = {"id": self.id, "at": round(self.at, 3), "level": str(self.level), "kind": self.kind}
        return {**members, **about, "text": self.text}


class NoticeBoard:
    """Keeps the last 500 notices and hands each to `publish`; safe for several threads.

    Ids rise, also from one dashboard to the next: they begin at the milliseconds since 1970.
    """

    def __init__(self, now: Callable[[], float], publish: Callable[[str, Mapping[str, Any]], None]) -> None:
        self._now = now
        self._publish = publish
        self._lock = threading.Lock()
        self._notices: deque[Notice] = deque(maxlen=MOST_NOTICES)
        self._last_id = int(now() * 1000)

    def tell(self, level: Level, kind: str, text: str, camera: str | None = None) -> None:
        """Put up a notice; passwords in it are hidden."""
        with self._lock:
            self._last_id += 1
            notice = Notice(self._last_id, self._now(), level, kind, redact(text), camera)
            self._notices.append(notice)
        self._publish("notice", notice.as_json())

    def after(self, last: int, limit: int) -> tuple[list[Notice], int]:
        """Return the newest `limit` notices that came after the id `last`, oldest first, and the id to go on from."""
        with self._lock:
            return [notice for notice in self._notices if notice.id > last][-limit:], self._last_id
