"""Watches and alerts over the API and on the command line, with the real people process behind them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline import keys
from pipeline.broker import Broker
from rekstream import cli
from tests.dashboard.support import Api, Listener, camera, put_cameras, until
from tests.people.hooks import Hook, face, publish
from tests.people.support import people_process


@pytest.fixture(autouse=True)
def _people(broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run the people process, and let there be a camera."""
    put_cameras(broker, camera("door"))
    monkeypatch.setattr("pipeline.answering.TAKE_SECONDS", 0.05)
    monkeypatch.setattr("people.follower.BLOCK_SECONDS", 0.05)
    with people_process(broker, tmp_path / "people"):
        until(lambda: broker.scripts.exists(keys.serving("people")))
        yield


def smile(broker: Broker) -> None:
    now = time.time()
    for at in (now, now + 0.2):
        publish(broker, "door", at, FaceDetails=[face(track="door-1")])


def test_a_watch_is_added_tested_heard_of_judged_and_removed(api: Api, broker: Broker) -> None:
    """The alert is an event as it is made; no answer holds the URL."""
    with Hook() as hook, Listener(api) as listener:
        until(lambda: listener.of("stats"))
        body = {"who": "emotion=HAPPY", "notify": [f"{hook.url}/s3cret"], "cameras": ["door"], "cooldown": 5}
        added = api.http.post("/api/watches", json=body)
        watch = added.json()
        assert (added.status_code, watch["cooldown"], watch["cameras"]) == (201, 5.0, ["door"])
        assert api.get("/api/watches") == {"watches": [watch]}
        (tried,) = api.http.post(f"/api/watches/{watch['id']}/test").json()["receivers"]
        assert (tried["ok"], tried["answer"]) == (True, "it answered 200 OK")
        smile(broker)
        until(lambda: listener.of("alert"))
        hook.wait_for(2)
        (alert,) = until(lambda: api.get("/api/alerts")["alerts"])
        assert listener.of("alert")[0]["id"] == alert["id"]
        assert api.get("/api/alerts", watch="w_other") == api.get("/api/alerts", before=1.0) == {"alerts": []}
        for verdict in ("confirmed", "wrong", None):
            judged = api.http.patch(f"/api/alerts/{alert['id']}", json={"verdict": verdict}).json()
            assert judged["verdict"] == verdict
        assert "s3cret" not in json.dumps([watch, tried, alert, listener.events])
        assert api.http.delete(f"/api/watches/{watch['id']}").status_code == 204
        assert api.get("/api/watches") == {"watches": []}
        assert len(api.get("/api/alerts")["alerts"]) == 1


WRONG: list[tuple[str, str, object, int, str, str]] = [
    ("POST", "/api/watches", {"who": "Grace", "notify": ["https://h/"]}, 404, "UnknownPerson", "nobody called 'Grace'"),
    (
        "POST",
        "/api/watches",
        {"who": "unknown", "notify": ["slak://s3cret"]},
        422,
        "SettingsError",
        "did you mean slack://?",
    ),
    ("POST", "/api/watches", {"who": "unknown", "notify": "https://h/", "cameras": ["x"]}, 404, "UnknownCamera", "'x'"),
    ("DELETE", "/api/watches/w_1", None, 404, "UnknownWatch", "there is no watch 'w_1'"),
    ("POST", "/api/watches/w_1/test", None, 404, "UnknownWatch", "there is no watch 'w_1'"),
    ("PATCH", "/api/alerts/a_1", {"verdict": "wrong"}, 404, "UnknownAlert", "there is no alert 'a_1'"),
    ("PATCH", "/api/alerts/a_1", {"verdict": "maybe"}, 422, "SettingsError", "verdict 'maybe' is none"),
    ("PATCH", "/api/alerts/a_1", {}, 422, "SettingsError", "an alert changes by its verdict alone"),
    ("GET", "/api/alerts?limit=501", None, 422, "SettingsError", "limit"),
]


def test_what_cannot_be_is_one_sentence(api: Api) -> None:
    """Without the URL that it is about."""
    for method, path, body, status, code, says in WRONG:
        answer = api.http.request(method, path, json=body)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (status, code), answer.text
        assert says in error["message"]
        assert "s3cret" not in answer.text


def test_the_command_line_does_the_same(api: Api, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REKSTREAM_SERVER", api.url)

    def say(*words: str, stdin: str = "") -> str:
        done = CliRunner().invoke(cli.app, words, input=stdin, catch_exceptions=False)
        return f"{done.exit_code} {done.output}"

    assert say("watch", "list") == "0 there are no watches\n"
    assert say("alerts") == "0 there are no alerts\n"
    with Hook(lambda count: (200 if count > 1 else 500, 0.0)) as hook:
        added = say("watch", "add", "emotion=happy", "--camera", "door", "--notify", "-", stdin=f"{hook.url}/s3cret\n")
        name = added.split()[1]
        assert added == f"0 {name}  emotion=HAPPY  door, cooldown 60 s\n  to {hook.url[:-5]}/*** (receiver 1)\n"
        assert say("watch", "list") == added
        assert say("watch", "test", name).startswith(f"1 {hook.url[:-5]}/***  did not take it: it answered 500 Internal")
        assert say("watch", "test", name).startswith(f"0 {hook.url[:-5]}/***  took it: it answered 200 OK")
        smile(broker)
        hook.wait_for(3)
        until(lambda: "waiting" not in say("alerts"))
    alert = say("alerts").split()[1]
    assert "A face that looks happy (99.0 %) was seen by camera door" in say("alerts")
    assert say("alerts", "confirm", alert).endswith("  confirmed\n")
    assert say("alerts", "wrong", alert).endswith("  wrong\n")
    assert json.loads(say("alerts", "--json")[2:])[0]["verdict"] == "wrong"
    assert say("watch", "remove", name) == f"0 {name} is removed\n"
