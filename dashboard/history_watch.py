"""Tells pages when the history stands still, why, and when it goes on."""

from __future__ import annotations

from collections.abc import Iterable

from dashboard.notices import Level, NoticeBoard
from pipeline.presence import Process

LOOK_SECONDS = 2.0


class HistoryWatch:
    """Writes on the board what changed from one look to the next: a sentence is told once."""

    def __init__(self, board: NoticeBoard) -> None:
        self._board = board
        self._why = ""
        self._lost = 0

    def look(self, processes: Iterable[Process]) -> None:
        """Compare; `processes` are the history processes that live."""
        for process in processes:
            self._look_at_why(str(process.details.get("why", "")))
            self._look_at_lost(int(process.details.get("lost", 0)))

    def _look_at_why(self, why: str) -> None:
        if why and not self._why:
            self._board.tell(Level.BAD, "history", f"{why}; results wait for ten minutes, and live analysis goes on")
        elif self._why and not why:
            self._board.tell(Level.INFO, "history", "results are written to the history again")
        self._why = why

    def _look_at_lost(self, lost: int) -> None:
        if lost > self._lost:
            what = "1 result is" if lost - self._lost == 1 else f"{lost - self._lost:,} results are"
            text = f"{what} missing in the history: Redis dropped them before they could be written"
            self._board.tell(Level.WARN, "history", text)
        self._lost = lost
