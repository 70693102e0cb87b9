"""What waits a moment for others in the history does not, in its tests."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("history.writer.GATHER_SECONDS", 0.0)
    monkeypatch.setattr("history.writer.FIRST_PAUSE", 0.02)
    monkeypatch.setattr("history.writer.BLOCK_SECONDS", 0.05)
    monkeypatch.setattr("pipeline.answering.TAKE_SECONDS", 0.05)
