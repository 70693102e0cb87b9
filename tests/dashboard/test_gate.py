"""What the API tells of gates, masks and labels."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from dashboard.settings import DashboardSettings
from pipeline import keys
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.checks import Checks, SourceCheck
from pipeline.entities import Camera, CameraState, CameraStatus, Frame, Operation, Policy, Saved
from pipeline.jobs import QUEUE_KEY, JobQueue
from pipeline.ledger import Ledger
from pipeline.mailbox import Mailbox
from pipeline.provider import Provider
from pipeline.spending import Budget
from tests.conftest import Valkey
from tests.dashboard.support import Api, Producer, dashboard, until
from tests.dashboard.test_cameras import URL, add, refusal
from tests.dashboard.test_checks import producer

__all__ = ["producer"]  # a fixture

MASK = [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0]]


def test_what_a_gate_saves_is_no_loss(api: Api, broker: Broker) -> None:
    """It is told apart from what was dropped in figures a second, and no bottleneck; the counters name its causes."""
    add(api, id="door", url=URL)
    producer = Producer(broker, "door")
    until(lambda: "door" in api.get("/api/stats")["cameras"])
    for _ in range(30):
        for cause in Saved:
            producer.drop(cause)
    stats = until(lambda: (found := api.get("/api/stats"))["rates"]["saved"] and found)
    assert stats["rates"]["dropped"] == stats["cameras"]["door"]["rates"]["dropped"] == 0
    assert stats["rates"]["saved"] <= stats["rates"]["sampled"]
    assert stats["cameras"]["door"]["frames"]["dropped"] == {"no_motion": 30, "no_face": 30, "still_face": 30}
    assert "superseded or dropped" not in stats["bottleneck"]["why"]


def test_the_status_tells_what_the_gate_sees(api: Api, broker: Broker) -> None:
    """And nothing where there is none."""
    add(api, id="door", url=URL, gate="face")
    seen = CameraStatus("door", CameraState.LIVE, since=1.0, gate_passed=0.1, gate_saved=4.9, gate_sees="nobody")
    CameraRegistry(broker.scripts).report(seen, 30)
    (shown,) = api.get("/api/cameras")["cameras"]
    assert shown["gate"] == "face"
    assert shown["status"]["gate"] == {"sees": "nobody", "passed": 0.1, "saved": 4.9}


def test_the_newest_labels_are_those_of_the_camera(api: Api, broker: Broker) -> None:
    """With their age; none after a failure, and none of a camera that was removed, whose mailbox is emptied too."""
    add(api, id="door", url=URL, labels="every 10s")
    labels = Labels(broker)
    labels.answer({"Labels": [{"Name": "Person", "Confidence": 98.123, "Parents": []}, {"Name": "Chair", "Confidence": 60.0}]})
    scene = until(lambda: api.get("/api/cameras")["cameras"][0]["scene"])
    assert scene["labels"] == [{"Name": "Person", "Confidence": 98.1}, {"Name": "Chair", "Confidence": 60.0}]
    assert 0 <= scene["age_seconds"] < 30
    labels.answer({"error": {"Code": "ThrottlingException", "Message": "slow down"}}, "failed:throttled")
    labels.answer({"Labels": []})
    until(lambda: api.get("/api/cameras")["cameras"][0]["scene"]["labels"] == [])
    labels.ask()
    api.http.delete("/api/cameras/door")
    assert not broker.scripts.exists(keys.box(keys.labels_mailbox("door")))
    add(api, id="door", url=URL)
    until(lambda: api.get("/api/cameras")["cameras"][0]["scene"] is None)


def test_a_browser_has_no_gate(api: Api) -> None:
    """It is refused in one sentence where it is asked for."""
    socket_camera = {"url": "browser:me", "gate": "face"}
    assert "no producer" in refusal(api, 422, **socket_camera) or "browser" in refusal(api, 422, **socket_camera)


def test_a_check_shows_nothing_of_what_is_masked(api: Api, broker: Broker, producer: None) -> None:
    """The masks of the camera go along with the question, or those that are being drawn."""
    add(api, id="door", url=URL, masks=[MASK])
    checks = Checks(broker)
    for body, masks in (({"id": "door"}, (MASK,)), ({"id": "door", "masks": []}, ()), ({"masks": [MASK, MASK]}, (MASK, MASK))):
        found = until_asked(api, checks, {"url": URL, **body})
        assert [[list(corner) for corner in mask] for mask in found] == list(masks)
    assert "masks 1 needs 3" in refusal(api, 422, path="/api/cameras/check", url=URL, masks=[[[0, 0]]])


def until_asked(api: Api, checks: Checks, body: dict[str, Any]) -> tuple[Any, ...]:
    """Ask for a check and return which masks the producer is told of."""
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(api.http.post("/api/cameras/check", json=body).status_code))
    thread.start()
    request = until(lambda: checks.take(0.5))
    checks.answer(request, SourceCheck(ok=True, sentence="seen"))
    thread.join()
    assert answers == [200]
    return request.masks


def test_labels_cost_what_they_cost(own_valkey: Valkey, settings: DashboardSettings) -> None:
    """What is asked besides faces is in the camera's dollars, without being a camera."""
    broker = Broker(own_valkey.url)
    paid = replace(settings, provider=Provider("aws", "us-east-1"), budget=Budget(1.0, "day"))
    with dashboard(own_valkey.url, paid) as api:
        CameraRegistry(broker.scripts).put([Camera("door", "demo", 1.0, labels=10.0)])
        Labels(broker).answer({"Labels": []})
        cost = until(lambda: (found := api.get("/api/stats")["cost"])["dollars_per_hour"] and found)
    assert cost["dollars_per_hour"] == pytest.approx(0.06)  # one call a minute
    assert set(cost["cameras"]) == {"door"}
    assert cost["cameras"]["door"]["dollars_per_hour"] == cost["dollars_per_hour"]
    broker.close()


class Labels:
    """The labels of a camera, asked as a producer asks them and answered as a worker does."""

    def __init__(self, broker: Broker) -> None:
        self._connection: Any = broker.scripts
        self._mailbox = Mailbox(broker.scripts, JobQueue(broker.jobs))
        self._ledger = Ledger()

    def ask(self) -> None:
        seconds, _ = self._connection.time()
        number = self._ledger.sample()
        frame = Frame(keys.labels_mailbox("door"), number, seconds, b"jpeg", 640, 360, operation=Operation.DETECT_LABELS)
        self._mailbox.offer(frame, self._ledger.statement(number), Policy.LATEST)

    def answer(self, result: dict[str, Any], outcome: str = "analysed") -> None:
        self.ask()
        token = self._connection.lpop(QUEUE_KEY).decode().rpartition("-")[2]
        taken = self._mailbox.take(keys.labels_mailbox("door"), token)
        assert taken is not None
        envelope = {"captured_at": taken.frame.captured_at, "width": 640, "height": 360, "provider": "local", "seq": 1}
        self._mailbox.finish(taken, outcome, envelope | {"operation": "DetectLabels"} | result)
