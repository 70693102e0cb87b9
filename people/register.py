"""The people who are known: their names, and why they may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from people.house import Answer, Room
from pipeline.requests import Request


class Register(Room):
    """Who is known."""

    tables: ClassVar[tuple[str, ...]] = (
        """CREATE TABLE IF NOT EXISTS people (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL UNIQUE COLLATE NOCASE,
            consent TEXT NOT NULL,
            legal_basis TEXT NOT NULL,
            added REAL NOT NULL
        ) STRICT""",
    )

    def answers(self) -> Mapping[str, Answer]:
        """Return what is answered about people."""
        return {"people.list": self._list}

    def _list(self, _: Request) -> Mapping[str, Any]:
        rows = self.house.database.rows("SELECT id, name FROM people ORDER BY name")
        return {"people": [{"id": person, "name": name} for person, name in rows]}
