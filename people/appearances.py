"""When something that is waited for begins to be seen: in so many looks running, and not for a while before.

What is known of it stands in people.sqlite, written in the transaction of what is made of it: a kill changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from people.database import Database

TABLES = (
    """CREATE TABLE IF NOT EXISTS appearances (
    watch TEXT NOT NULL, camera TEXT NOT NULL, subject TEXT NOT NULL, seen_at REAL NOT NULL, streak INTEGER NOT NULL,
    PRIMARY KEY (watch, camera, subject)
) STRICT""",
    "CREATE INDEX IF NOT EXISTS appearances_that_begin ON appearances (watch, camera) WHERE streak = 1",
)


@dataclass(frozen=True, slots=True)
class Look:
    """What one result showed of what a watch waits for: how sure, by track ('' where there is none)."""

    captured_at: float
    result: str
    found: Mapping[str, float]


class Appearances:
    """Remembers what was seen; every method belongs inside a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begun(self, watch: str, camera: str, look: Look, gap: float, *, twice: bool) -> list[str]:
        """Return the tracks on which it begins with this look: seen once, or `twice` running, and not for `gap` seconds before.

        A look that was overtaken by a newer one, or is taken once more, says nothing.
        """
        begun = [track for track in look.found if self._note(watch, camera, track, look.captured_at, gap) == 1 + twice]
        if twice:
            self._break(watch, camera, look)
        return begun

    def expire(self, before: float) -> None:
        """Forget what was not seen since a time."""
        self._database.execute("DELETE FROM appearances WHERE seen_at < ?", before)

    def erase(self, camera: str, since: float, until: float) -> None:
        """Forget what a camera saw last between two times."""
        self._database.execute(
            "DELETE FROM appearances WHERE camera = ? AND seen_at >= ? AND seen_at < ?", camera, since, until
        )

    def _note(self, watch: str, camera: str, track: str, at: float, gap: float) -> int:
        """Note that something was seen, and return in how many looks running by now; 0 when that is no news."""
        query = "SELECT seen_at, streak FROM appearances WHERE watch = ? AND camera = ? AND subject = ?"
        ((seen_at, streak),) = self._database.rows(query, watch, camera, track) or [(0.0, 0)]
        if at <= seen_at:
            return 0
        running = streak + 1 if at - seen_at <= gap else 1
        row = (watch, camera, track, at, running)
        self._database.execute("INSERT OR REPLACE INTO appearances VALUES (?, ?, ?, ?, ?)", *row)
        return int(running)

    def _break(self, watch: str, camera: str, look: Look) -> None:
        """Let what was seen once and is not there now count for nothing."""
        query = "SELECT subject FROM appearances WHERE watch = ? AND camera = ? AND streak = 1 AND seen_at < ?"
        for (track,) in self._database.rows(query, watch, camera, look.captured_at):
            if track not in look.found:
                drop = "DELETE FROM appearances WHERE watch = ? AND camera = ? AND subject = ?"
                self._database.execute(drop, watch, camera, track)
