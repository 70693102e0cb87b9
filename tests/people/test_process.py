"""The people process: answers questions, hears each result once, through kills and a Redis that comes and goes."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
import redis

from dashboard.settings import DashboardSettings
from people import process as process_module
from people.house import PeopleSettings, Room
from people.process import PeopleProcess
from people.register import Register
from people.rooms import ROOMS, TABLES
from pipeline import keys
from pipeline.broker import Broker
from pipeline.entities import Result
from pipeline.errors import PeopleAway, RekstreamError, StorageError
from pipeline.presence import living
from pipeline.requests import Requests
from tests.conftest import Valkey, wait_until
from tests.dashboard.support import LOCAL, Producer, Worker, dashboard
from tests.people.support import people_process


class Ear(Room):
    """Writes down what it hears, and fails when it is told to."""

    tables: ClassVar[tuple[str, ...]] = ("CREATE TABLE IF NOT EXISTS heard (id TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT",)
    fails: ClassVar[bool] = False

    def hear(self, results: Sequence[Result]) -> None:
        for result in results:
            self.house.database.execute("INSERT INTO heard VALUES (?, ?)", result.id, result.seq)
        if self.fails:
            raise ValueError("told to fail")

    def heard(self) -> list[int]:
        return [seq for (seq,) in self.house.database.rows("SELECT seq FROM heard ORDER BY id")]


class Deaf(Ear):
    tables: ClassVar[tuple[str, ...]] = ()
    fails: ClassVar[bool] = True

    def hear(self, results: Sequence[Result]) -> None:
        self.house.database.execute("INSERT INTO heard VALUES ('nobody sees this', 0)")
        raise ValueError("told to fail")


@pytest.fixture
def _with_ear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "ROOMS", (*ROOMS, Deaf, Ear))
    monkeypatch.setattr(process_module, "TABLES", (*TABLES, *Ear.tables))


def test_a_question_over_http_is_answered_by_the_people_process(session_valkey: Valkey, broker: Broker, tmp_path: Path) -> None:
    with dashboard(session_valkey.url, DashboardSettings(data=tmp_path, provider=LOCAL, port=0)) as api:
        away = api.http.get("/api/people")
        assert (away.status_code, away.json()["error"]["code"]) == (503, "PeopleAway")
        assert "rekstream people" in away.json()["error"]["message"]
        with people_process(broker, tmp_path):
            wait_until(lambda: api.http.get("/api/people").is_success)
            assert api.get("/api/people")["people"] == []
            (present,) = living(broker.scripts, "people")
            assert "rekstream_people_requests_total" in httpx.get(f"http://{present.metrics}/metrics").text
        assert api.http.get("/api/people").status_code == 503
    assert living(broker.scripts, "people") == []


def test_errors_travel_by_name(broker: Broker, tmp_path: Path) -> None:
    requests = Requests(broker)
    with pytest.raises(PeopleAway, match="not running"):
        requests.ask("people.list")
    with people_process(broker, tmp_path):
        wait_until(lambda: _is_served(requests))
        with pytest.raises(RekstreamError, match=r"does not know 'people\.sing'"):
            requests.ask("people.sing")
    assert list(broker.scripts.scan_iter("rekstream:re*:*")) == []  # no question is left in Redis


def _is_served(requests: Requests) -> bool:
    try:
        return bool(requests.ask("people.list"))
    except PeopleAway:
        return False


def test_a_process_whose_threads_are_all_busy_is_not_said_to_be_away(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.answering.AT_ONCE", 0)
    monkeypatch.setattr("pipeline.requests.SERVING_SECONDS", 0.2)
    monkeypatch.setattr("pipeline.service.RENEW_SECONDS", 0.05)
    with people_process(broker, tmp_path):
        wait_until(lambda: broker.scripts.exists(keys.serving("people")))
        with pytest.raises(PeopleAway, match="did not answer"):
            Requests(broker).ask("people.list", seconds=0.5)
        with pytest.raises(PeopleAway, match="did not answer"):
            Requests(broker).ask("people.list", seconds=0.1)


@pytest.mark.usefixtures("_with_ear")
def test_each_result_is_heard_once_also_by_the_next_process(broker: Broker, tmp_path: Path) -> None:
    """A room that fails takes nothing from the others, and nothing of what it wrote stays."""
    producer = Producer(broker, "door")
    with Worker(broker) as worker:
        producer.offer()
        worker.wait_for(1)
        with people_process(broker, tmp_path) as process:
            ear = process.rooms[-1]
            assert isinstance(ear, Ear)
            wait_until(lambda: ear.heard() == [1])
            producer.offer()
            wait_until(lambda: ear.heard() == [1, 2])
        producer.offer()
        worker.wait_for(3)
        with people_process(broker, tmp_path) as process:
            again = process.rooms[-1]
            assert isinstance(again, Ear)
            wait_until(lambda: again.heard() == [1, 2, 3])


@pytest.mark.parametrize("passing", [redis.ConnectionError("away"), redis.TimeoutError("slow"), StorageError("full")], ids=str)
@pytest.mark.usefixtures("_with_ear")
def test_what_passes_loses_no_result(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, passing: Exception
) -> None:
    """A room that meets a Redis that is away, or a full disk, hears the same results again, and the others hear them once."""
    troubles = [passing, passing]

    def hear(_: Room, __: Sequence[Result]) -> None:
        if troubles:
            raise troubles.pop()

    monkeypatch.setattr(Deaf, "hear", hear)
    monkeypatch.setattr("people.follower.PAUSE_SECONDS", 0.01)
    with people_process(broker, tmp_path) as process, Worker(broker):
        ear = process.rooms[-1]
        assert isinstance(ear, Ear)
        Producer(broker, "door").offer()
        wait_until(lambda: ear.heard() == [1])
    assert troubles == []


@pytest.mark.usefixtures("_with_ear")
def test_an_entry_that_cannot_be_read_stops_nothing(broker: Broker, tmp_path: Path) -> None:
    broker.scripts.xadd(keys.RESULTS, {"nonsense": "x"})
    producer = Producer(broker, "door")
    with people_process(broker, tmp_path) as process, Worker(broker):
        ear = process.rooms[-1]
        assert isinstance(ear, Ear)
        producer.offer()
        wait_until(lambda: ear.heard() == [1])
        broker.scripts.xadd(keys.RESULTS, {"nonsense": "x"})
        producer.offer()
        wait_until(lambda: ear.heard() == [1, 2])


def test_one_process_serves_and_another_waits_until_it_is_gone(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Two would pay for everything twice; one of this machine that died is followed at once."""
    monkeypatch.setattr("pipeline.service.RENEW_SECONDS", 0.05)
    other = {"name": "another", "host": "elsewhere", "pid": 7}
    broker.scripts.set(keys.owner("people"), json.dumps(other))
    with people_process(broker, tmp_path):
        assert "process 7 on elsewhere serves this system" in caplog.text
        assert not _is_served(Requests(broker))
        here = other | {"host": socket.gethostname(), "pid": _dead_pid()}
        broker.scripts.set(keys.owner("people"), json.dumps(here))
        wait_until(lambda: _is_served(Requests(broker)))
    assert broker.scripts.get(keys.owner("people")) is None


def test_two_processes_never_share_a_folder(
    session_valkey: Valkey, own_valkey: Valkey, broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even for two systems: what one of them keeps and delivers the other would deliver again."""
    monkeypatch.setattr("pipeline.service.RENEW_SECONDS", 0.05)
    begun: list[str] = []
    monkeypatch.setattr(Register, "start", lambda room: begun.append(room.house.broker.address))
    with people_process(broker, tmp_path):
        other = Broker(own_valkey.url)
        stop = threading.Event()
        waiting = PeopleProcess(other, PeopleSettings(tmp_path, LOCAL), stop)
        waiting.start()
        assert begun == [broker.address]
        assert not _is_served(Requests(other))
        assert session_valkey.url == broker.address
    wait_until(lambda: _is_served(Requests(other)))
    assert begun == [broker.address, other.address]
    stop.set()
    waiting.shut_down()
    other.close()


def _dead_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


@pytest.mark.usefixtures("_with_ear")
def test_redis_may_go_and_come_back(own_valkey: Valkey, tmp_path: Path) -> None:
    """Results of a new server are heard from their beginning: ids of another one's stream mean nothing there."""
    broker = Broker(own_valkey.url)
    with people_process(broker, tmp_path) as process:
        ear = process.rooms[-1]
        assert isinstance(ear, Ear)
        with Worker(broker):
            Producer(broker, "door").offer()
            wait_until(lambda: ear.heard() == [1])
        own_valkey.kill()
        own_valkey.start()
        with Worker(broker):
            Producer(broker, "yard").offer()
            wait_until(lambda: ear.heard() == [1, 1])
        wait_until(lambda: _is_served(Requests(broker)))
    broker.close()
