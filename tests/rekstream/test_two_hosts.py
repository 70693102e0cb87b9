"""Two hosts with addresses of their own (network namespaces), a Redis with a password between them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rekstream import environment
from rekstream.embedded import program

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root; .ci/run has it")

HERE, THERE = "10.213.0.1", "10.213.0.2"
PASSWORD = "between-hosts"
REDIS = f"redis://{HERE}:6379"
FETCH = "import sys, urllib.request; sys.stdout.write(urllib.request.urlopen(sys.argv[1], timeout=10).read().decode())"


class Host:
    """One network namespace and what runs in it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, *command: str, **told: str) -> subprocess.Popen[bytes]:
        variables = {f"REKSTREAM_{name.upper()}": value for name, value in told.items()}
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.name, *command],
            env={**environment.of_server(), **variables},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.running.append(process)
        return process

    def rekstream(self, *arguments: str, **told: str) -> subprocess.Popen[bytes]:
        return self.start(sys.executable, "-m", "rekstream", *arguments, redis=REDIS, redis_password=PASSWORD, **told)

    def fetch(self, url: str) -> str:
        command = ["ip", "netns", "exec", self.name, sys.executable, "-c", FETCH, url]
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout

    def close(self) -> None:
        for process in self.running:
            process.terminate()
        for process in self.running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def hosts() -> Iterator[tuple[Host, Host]]:
    """Two namespaces joined by a cable; gone afterwards."""
    tag = os.urandom(2).hex()
    first, second = Host(f"rk{tag}a"), Host(f"rk{tag}b")
    with contextlib.ExitStack() as undo:
        for host in (first, second):
            ip("netns", "add", host.name)
            undo.callback(ip, "netns", "del", host.name)
            undo.callback(host.close)
        ip("link", "add", f"v{tag}a", "netns", first.name, "type", "veth", "peer", "name", f"v{tag}b", "netns", second.name)
        for host, cable, address in ((first, f"v{tag}a", HERE), (second, f"v{tag}b", THERE)):
            ip("-n", host.name, "addr", "add", f"{address}/24", "dev", cable)
            ip("-n", host.name, "link", "set", cable, "up")
            ip("-n", host.name, "link", "set", "lo", "up")
        yield first, second


@pytest.fixture
def password_file() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "valkey.conf"
        path.write_text(f'requirepass {PASSWORD}\nbind {HERE}\nport 6379\nsave ""\ndir {folder}\n')
        yield path


def until(condition: Callable[[], Any], seconds: float = 40.0) -> Any:
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(subprocess.CalledProcessError):
            if found := condition():
                return found
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.2)


def test_a_worker_on_another_host_shares_the_load_and_the_limit(
    hosts: tuple[Host, Host], password_file: Path, tmp_path: Path
) -> None:
    here, there = hosts
    here.start(program(), str(password_file))
    here.rekstream("up", "demo", "demo", "demo", fps="10", tps="12", port="8080", data=str(tmp_path))

    def get(path: str) -> Any:
        return json.loads(here.fetch(f"http://127.0.0.1:8080{path}"))

    until(lambda: get("/api/stats")["rates"]["analysed"] > 5)
    second = there.rekstream("work")
    until(lambda: get("/api/stats")["workers"]["processes"] == 2)
    targets = {target for group in get("/prometheus/targets") for target in group["targets"]}
    theirs = next(target for target in targets if target.startswith(THERE))

    def calls_there() -> float:
        page = here.fetch(f"http://{theirs}/metrics")
        lines = [line for line in page.splitlines() if line.startswith("rekstream_api_calls_total{") and 'outcome="ok"' in line]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    until(lambda: calls_there() > 5)
    start, before = get("/api/stats"), calls_there()
    time.sleep(4)  # a span to measure a rate over
    end = get("/api/stats")
    seconds, calls = end["now"] - start["now"], end["frames"]["analysed"] - start["frames"]["analysed"]
    assert calls / seconds <= 12 * 1.15  # one limit for both
    assert 0.15 < (calls_there() - before) / calls < 0.85  # and both at work
    second.kill()
    second.wait()
    analysed = get("/api/stats")["frames"]["analysed"]
    until(lambda: get("/api/stats")["frames"]["analysed"] > analysed + 20, 10)
    frames = get("/api/stats")["frames"]
    ended = frames["analysed"] + frames["superseded"] + sum(frames["dropped"].values()) + sum(frames["failed"].values())
    assert frames["sampled"] == ended + frames["in_flight"]


def test_a_redis_beyond_loopback_needs_its_password(hosts: tuple[Host, Host], password_file: Path) -> None:
    here, there = hosts
    here.start(program(), str(password_file))
    for told, words in (({}, "needs a password"), ({"REKSTREAM_REDIS_PASSWORD": "wrong"}, "does not accept the password")):
        done = subprocess.run(
            ["ip", "netns", "exec", there.name, sys.executable, "-m", "rekstream", "work", "--redis", REDIS],
            env={**environment.of_server(), **told},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 2
        assert words in done.stderr
        assert done.stderr.count("\n") == 1
