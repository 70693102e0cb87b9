from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.settings import DashboardSettings
from pipeline.broker import Broker
from tests.conftest import Valkey
from tests.dashboard.support import LOCAL, Api, dashboard


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test's own dashboard tick faster, and notice sooner that it is stopped."""
    monkeypatch.setattr("dashboard.live.BLOCK_SECONDS", 0.05)
    monkeypatch.setattr("dashboard.parts.STATS_SECONDS", 0.2)


@pytest.fixture
def settings(tmp_path: Path) -> DashboardSettings:
    return DashboardSettings(data=tmp_path / "data", provider=LOCAL, port=0, version="1.2.3")


@pytest.fixture
def api(session_valkey: Valkey, broker: Broker, settings: DashboardSettings) -> Iterator[Api]:
    """The real API over a real server that is empty."""
    with dashboard(session_valkey.url, settings) as running:
        yield running
