"""Both databases for the tests of the history, and no waiting for others in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.history.postgresql import PostgreSQL


@pytest.fixture(scope="session")
def session_postgresql() -> Iterator[PostgreSQL]:
    server = PostgreSQL()
    server.start()
    yield server
    server.close()


@pytest.fixture
def postgresql(session_postgresql: PostgreSQL) -> PostgreSQL:
    """A PostgreSQL that is empty at the start of each test."""
    session_postgresql.empty()
    return session_postgresql


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """Where the history is kept: a test that asks for it runs on both databases, and has to come to the same answers."""
    if request.param == "sqlite":
        return ""
    server = request.getfixturevalue("postgresql")
    assert isinstance(server, PostgreSQL)
    return server.url


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("history.writer.GATHER_SECONDS", 0.0)
    monkeypatch.setattr("history.writer.FIRST_PAUSE", 0.02)
    monkeypatch.setattr("history.writer.BLOCK_SECONDS", 0.05)
    monkeypatch.setattr("pipeline.answering.TAKE_SECONDS", 0.05)
