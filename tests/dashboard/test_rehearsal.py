"""A rehearsal goes through the dashboard to the local server and back, and is never mistaken for real slowness."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from dashboard.settings import DashboardSettings
from pipeline.broker import Broker
from pipeline.provider import Provider
from rekognition_local.rehearsal import Rehearsal
from rekognition_local.server import Server, ServerSettings
from tests.conftest import Valkey
from tests.dashboard.support import Api, dashboard, until


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(operations={}) as running:
        yield running


@pytest.fixture
def beside(
    session_valkey: Valkey, broker: Broker, settings: DashboardSettings, server: Server, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Api]:
    """A dashboard that knows the local server."""
    monkeypatch.setattr("dashboard.parts.LOOK_SECONDS", 0.05)
    local = Provider("local", "us-east-1", server.url)
    with dashboard(session_valkey.url, replace(settings, provider=local)) as running:
        yield running


def test_what_is_asked_for_is_rehearsed_and_told_until_it_is_off(beside: Api, server: Server) -> None:
    asked = {"latency": 0.5, "latency_sigma": 0.2, "tps": {"DetectFaces": 10}}
    answer = beside.http.put("/api/rehearsal", json=asked)
    assert answer.status_code == 200
    assert answer.json() == Rehearsal.from_json(asked).to_json() == server._service.stage.rehearsal.to_json()
    assert beside.get("/api/rehearsal") == answer.json()
    assert beside.get("/api/stats")["rehearsal"] == answer.json()
    off = beside.http.put("/api/rehearsal", json={"off": True})
    assert off.json() == Rehearsal().to_json()
    assert beside.get("/api/stats")["rehearsal"] is None


def test_a_rehearsal_that_others_asked_for_is_told_too(beside: Api, server: Server) -> None:
    server.rehearse(Rehearsal(errors=0.5))
    assert until(lambda: beside.get("/api/stats")["rehearsal"])["errors"] == 0.5
    server.rehearse(Rehearsal())
    until(lambda: beside.get("/api/stats")["rehearsal"] is None)


def test_a_server_that_asks_for_signatures_gets_them(
    session_valkey: Valkey, broker: Broker, settings: DashboardSettings
) -> None:
    """As between containers: the dashboard knows the key, and another key is refused."""
    asked = {"errors": 0.25}
    with Server(ServerSettings(access_key="ours", secret_key="made up / with + signs"), {}) as server:
        told = Provider("local", "eu-west-1", server.url, keys=("ours", "made up / with + signs"))
        with dashboard(session_valkey.url, replace(settings, provider=told)) as api:
            assert api.http.put("/api/rehearsal", json=asked).json()["errors"] == 0.25
            assert api.get("/api/rehearsal")["errors"] == 0.25
        with dashboard(session_valkey.url, replace(settings, provider=replace(told, keys=("ours", "another")))) as api:
            assert api.http.put("/api/rehearsal", json=asked).status_code == 409


def test_what_the_server_refuses_is_refused_with_its_sentence(beside: Api) -> None:
    answer = beside.http.put("/api/rehearsal", json={"errors": 7})
    assert answer.status_code == 422
    assert answer.json()["error"]["message"] == "errors is 7; the most is 1"


def test_a_server_that_went_away_rehearses_nothing(beside: Api, server: Server) -> None:
    server.rehearse(Rehearsal(latency=0.1))
    until(lambda: beside.get("/api/stats")["rehearsal"])
    server.__exit__(None, None, None)
    until(lambda: beside.get("/api/stats")["rehearsal"] is None)
    answer = beside.http.get("/api/rehearsal")
    assert answer.status_code == 503
    assert "does not answer: is it running?" in answer.json()["error"]["message"]
    server.__enter__()


@pytest.mark.parametrize(
    ("provider", "sentence"),
    [
        (Provider("aws", "eu-west-1"), "only the local server rehearses, and here aws eu-west-1 answers"),
        (Provider("local", "us-east-1"), "set REKSTREAM_LOCAL_URL"),
    ],
)
def test_where_there_is_no_local_server_nothing_is_rehearsed(
    session_valkey: Valkey, settings: DashboardSettings, broker: Broker, provider: Provider, sentence: str
) -> None:
    with dashboard(session_valkey.url, replace(settings, provider=provider)) as api:
        for answer in (api.http.get("/api/rehearsal"), api.http.put("/api/rehearsal", json={"latency": 1})):
            assert answer.status_code == 409
            assert sentence in answer.json()["error"]["message"]
        assert api.get("/api/stats")["rehearsal"] is None
