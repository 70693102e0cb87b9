"""What all tests share: a real Valkey, and the rule that CI skips nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from pipeline.broker import Broker
from rekstream import environment
from rekstream.embedded import EmbeddedValkey

settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # so are two shared cores
settings.load_profile("busy")


class Valkey:
    """A real server on a unix socket that a test may kill, freeze and start again."""

    def __init__(self) -> None:
        self._place = EmbeddedValkey()
        self.url = self._place.url
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = self._place.part(environment.of_server()).command
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._place.wait_until_ready()

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.kill()
        self._place.remove()


@pytest.fixture(scope="session")
def session_valkey() -> Iterator[Valkey]:
    server = Valkey()
    server.start()
    yield server
    server.close()


@pytest.fixture
def broker(session_valkey: Valkey) -> Iterator[Broker]:
    """A Redis that is empty at the start of each test."""
    broker = Broker(session_valkey.url)
    broker.scripts.flushall()
    yield broker
    broker.close()


@pytest.fixture
def own_valkey() -> Iterator[Valkey]:
    """A server of the test's own, to be killed."""
    server = Valkey()
    server.start()
    yield server
    server.close()


@pytest.fixture
def short_tmp() -> Iterator[Path]:
    """A folder with a short name: the path of a unix socket has 107 characters at most."""
    folder = Path(tempfile.mkdtemp(prefix="rk-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in CI that skipped a test."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def wait_until(condition: object, seconds: float = 30.0) -> None:
    """Wait for something that no event tells; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.01)


LONGEST = ("tests/page", "tests/rekstream/test_up.py", "tests/rekstream/test_cli.py")
"""What takes longest, longest first: begun early, nobody waits for it at the end."""


class ByRoom(LoadScopeScheduling):  # type: ignore[misc]  # xdist's classes are not typed for mypy
    """Gives whole files to pytest's processes, and all of the page to one: their tests share what takes long to start.

    xdist's own `--dist loadgroup` does nothing with pytest 9.2: it names groups in ids of tests that are not read any more.
    """

    def _split_scope(self, nodeid: str) -> str:
        return _room_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByRoom:
    return ByRoom(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what takes longest come first."""
    items.sort(key=lambda item: _rank(_room_of(item.nodeid)))


def _room_of(nodeid: str) -> str:
    file = nodeid.partition("::")[0]
    return "tests/page" if file.startswith("tests/page/") else file


def _rank(room: str) -> int:
    return LONGEST.index(room) if room in LONGEST else len(LONGEST)
