"""Every alert arrives at every receiver: through faults, dead and slow neighbours, restarts and kills; no secret is told."""

from __future__ import annotations

import io
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from moto.server import ThreadedMotoServer

from people import delivery, senders
from people.delivery import pause_after
from people.process import PeopleProcess
from pipeline import keys, logs
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.entities import Camera, Purpose
from pipeline.errors import SettingsError
from pipeline.happenings import Happening, HappeningListener
from pipeline.provider import Provider
from pipeline.requests import Requests
from pipeline.settings import environment
from pipeline.shared import Shared, SharedSettings
from pipeline.spending import Budget, Purse
from tests.conftest import wait_until
from tests.people.hooks import Hook, face, publish
from tests.people.support import people_process

CAMERAS = (Camera("door", "demo", 5.0), Camera("hall", "demo", 5.0, purpose=Purpose.AUDIENCE))
JPEG = b"\xff\xd8" + bytes(range(256))
SECRETS = ("s3cretuser", "s3cretpass", "s3cretpath", "s3crettoken")


@pytest.fixture(autouse=True)
def _cameras(broker: Broker) -> None:
    CameraRegistry(broker.scripts).put(CAMERAS)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(delivery, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr("pipeline.answering.TAKE_SECONDS", 0.05)
    monkeypatch.setattr("people.follower.BLOCK_SECONDS", 0.05)


@pytest.fixture
def process(broker: Broker, tmp_path: Path) -> Iterator[PeopleProcess]:
    with people_process(broker, tmp_path) as running:
        yield running


def ask(broker: Broker, what: str, **members: Any) -> dict[str, Any]:
    wait_until(lambda: broker.scripts.exists(keys.serving("people")))
    return Requests(broker).ask(what, members)


def watch(broker: Broker, *urls: str, who: str = "emotion=HAPPY", **members: Any) -> dict[str, Any]:
    return ask(broker, "watches.add", who=who, notify=list(urls), cooldown=0, **members)


def smile(broker: Broker, number: int, camera: str = "door") -> None:
    """Let one more face smile twice."""
    now = time.time()
    for at in (now, now + 0.2):
        publish(broker, camera, at, FaceDetails=[face(track=f"{camera}-{number}")])


def metric(process: PeopleProcess, name: str, **labels: str) -> float:
    return process.house.registry.get_sample_value(name, labels) or 0.0


def alerts(broker: Broker, **members: Any) -> list[dict[str, Any]]:
    return list(ask(broker, "alerts.list", limit=100, **members)["alerts"])


def test_a_webhook_gets_the_documented_body(broker: Broker, process: PeopleProcess) -> None:
    """With the best view of the face, its id in a header, and who calls."""
    broker.scripts.hset(keys.face("door-1"), mapping={"jpeg": JPEG})
    with Hook() as hook:
        made = watch(broker, hook.url.replace("http://", "json://me:key@") + "?+X-Token=abc&room=1")
        smile(broker, 1)
        (post,) = hook.wait_for(1)
    text = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text()
    documented = json.loads(text.partition("```json\n")[2].partition("```")[0])
    assert list(post.body) == list(documented)
    (alert,) = alerts(broker)
    assert post.body["alert"] == post.headers["Idempotency-Key"] == alert["id"]
    assert (post.path, post.headers["X-Token"], post.headers["User-Agent"]) == ("/hook?room=1", "abc", "rekstream/1")
    assert post.headers["Authorization"].startswith("Basic ")
    assert post.body["emotion"] == {"Type": "HAPPY", "Confidence": 99.0}
    assert post.body["text"].startswith("A face that looks happy (99.0 %) was seen by camera door at ")
    assert post.body["picture"] == "/9gAAQIDBAUG" + post.body["picture"][12:]
    assert (post.body["watch"], post.body["track"], post.body["test"]) == (made["id"], "door-1", False)
    wait_until(lambda: metric(process, "rekstream_alert_delay_seconds_count", kind="emotion") == 1)
    assert metric(process, "rekstream_alert_delay_seconds_sum", kind="emotion") < 5
    assert metric(process, "rekstream_alerts_total", kind="emotion") == 1
    assert metric(process, "rekstream_outbox_deliveries") == 0


def test_the_budget_is_told_of_once_a_step_and_period_through_a_restart(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("people.budget_alerts.LOOK_SECONDS", 0.05)
    purse, paying = Purse(broker.scripts), Provider("aws", "us-east-1")
    purse.seed(Budget(10.0, "month"), time.time(), 7.9)
    with Hook() as hook:
        with people_process(broker, tmp_path, paying):
            made = watch(broker, hook.url, who="budget")
            assert (made["who"], made["kind"], made["cameras"]) == ("budget", "budget", [])
            with pytest.raises(SettingsError, match="the budget is that of all cameras"):
                watch(broker, hook.url, who="budget", cameras=["door"])
            (tried,) = ask(broker, "watches.test", id=made["id"])["receivers"]
            assert tried["ok"]
            purse.seed(Budget(10.0, "month"), time.time(), 8.2)
            test, mostly = hook.wait_for(2)
        with people_process(broker, tmp_path, paying):
            purse.seed(Budget(10.0, "month"), time.time(), 8.5)
            purse.seed(Budget(10.0, "month"), time.time(), 9.9995)
            *_, spent = hook.wait_for(3)
            purse.seed(Budget(20.0, "month"), time.time(), 17.0)
            *_, raised = hook.wait_for(4)
            assert len(alerts(broker)) == 3
    assert test.body["text"].startswith("This is a test. 80% of the budget of 1 dollars is spent")
    assert mostly.body["text"].startswith("82% of the budget of 10 dollars is spent: it is that until 20")
    assert (mostly.body["camera"], mostly.body["picture"], mostly.body["budget"]["Step"]) == (None, None, 80)
    assert spent.body["text"].startswith("The budget of 10 dollars is spent: no paid call is made before 20")
    assert (spent.body["budget"]["Step"], raised.body["budget"]["LimitDollars"]) == (100, 20.0)


def test_the_frame_goes_along_where_there_is_no_view_of_a_face(broker: Broker, process: PeopleProcess) -> None:
    """The very one, or one of the same moments; none of another time."""
    about = json.dumps({"captured_at": time.time(), "width": 640, "height": 360})
    broker.scripts.hset(keys.newest("door"), mapping={"jpeg": JPEG, "meta": about, "seq": 1, "result_id": "1-1"})
    with Hook() as hook:
        watch(broker, hook.url)
        smile(broker, 1)
        assert hook.wait_for(1)[0].body["picture"]
        old = json.dumps({"captured_at": time.time() - 60, "width": 640, "height": 360})
        broker.scripts.hset(keys.newest("door"), "meta", old)
        smile(broker, 2)
        assert hook.wait_for(2)[1].body["picture"] is None


@pytest.mark.parametrize("camera", ["door", "hall"])
def test_no_picture_leaves_in_privacy_or_of_an_audience(broker: Broker, process: PeopleProcess, camera: str) -> None:
    SharedSettings(broker.scripts).write(Shared("local", "us-east-1", privacy=camera == "door"))
    broker.scripts.hset(keys.face(f"{camera}-1"), mapping={"jpeg": JPEG})
    with Hook() as hook:
        watch(broker, hook.url)
        smile(broker, 1, camera)
        assert hook.wait_for(1)[0].body["picture"] is None


def test_a_receiver_with_a_fault_is_tried_again_until_it_takes_it(broker: Broker, process: PeopleProcess) -> None:
    """The same alert by the same id, those behind it after it; what was the trouble is told meanwhile."""
    with Hook(lambda count: (500 if count <= 3 else 200, 0.0)) as hook:
        watch(broker, hook.url)
        smile(broker, 1)
        smile(broker, 2)
        posts = hook.wait_for(5)
    assert len({post.body["alert"] for post in posts[:4]}) == 1
    assert [post.body["track"] for post in posts[3:]] == ["door-1", "door-2"]
    wait_until(lambda: metric(process, "rekstream_deliveries_total", outcome="delivered") == 2)
    assert metric(process, "rekstream_deliveries_total", outcome="server") == 3
    newest, oldest = alerts(broker)
    assert oldest["deliveries"] == [{"receiver": 1, "state": "delivered", "attempts": 4, "trouble": ""}]
    assert newest["deliveries"][0]["attempts"] == 1


def test_a_message_that_is_refused_holds_up_no_other(broker: Broker, process: PeopleProcess) -> None:
    with Hook(lambda count: (413 if count == 1 else 200, 0.0)) as hook:
        watch(broker, hook.url)
        smile(broker, 1)
        hook.wait_for(1)
        smile(broker, 2)
        posts = hook.wait_for(3)
    assert sorted(post.body["track"] for post in posts) == ["door-1", "door-1", "door-2"]
    assert metric(process, "rekstream_deliveries_total", outcome="refused") == 1


def test_dead_and_slow_receivers_harm_no_other(broker: Broker, process: PeopleProcess) -> None:
    """While one is dead and one takes its time, twenty alerts reach the third at once."""
    with socket.socket() as nobody, Hook(lambda count: (200, 1.5)) as slow, Hook() as quick:
        nobody.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{nobody.getsockname()[1]}/s3cretpath"
        watch(broker, dead, slow.url, quick.url)
        began = time.monotonic()
        for number in range(20):
            smile(broker, number)
        posts = quick.wait_for(20)
        assert time.monotonic() - began < 4
        assert [post.body["track"] for post in posts] == [f"door-{number}" for number in range(20)]
        assert len(slow.posts) <= 3
        wait_until(lambda: ask(broker, "watches.list")["watches"][0]["notify"][2]["waiting"] == 0)
        shown, late, _ = ask(broker, "watches.list")["watches"][0]["notify"]
        assert (shown["waiting"], shown["trouble"]) == (20, "it cannot be reached (Connection refused)")
        assert (late["waiting"] > 15, late["trouble"]) == (True, None)
        assert metric(process, "rekstream_outbox_deliveries") > 35
        assert metric(process, "rekstream_outbox_oldest_seconds") > 0
        assert metric(process, "rekstream_deliveries_total", outcome="connection") >= 1


def test_a_receiver_that_answers_too_late_is_tried_again(
    broker: Broker, process: PeopleProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(senders, "ANSWER_SECONDS", 0.2)
    with Hook(lambda count: (200, 1.0 if count == 1 else 0.0)) as hook:
        watch(broker, hook.url)
        smile(broker, 1)
        first, second = hook.wait_for(2)
    assert first.body == second.body
    assert metric(process, "rekstream_deliveries_total", outcome="timeout") == 1


def test_what_waits_is_delivered_after_a_restart(broker: Broker, tmp_path: Path) -> None:
    """To a receiver that was dead before it, and comes back at the same address."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        port = place.getsockname()[1]
    with people_process(broker, tmp_path):
        watch(broker, f"http://127.0.0.1:{port}/hook")
        smile(broker, 1)
        wait_until(lambda: alerts(broker) and alerts(broker)[0]["deliveries"][0]["attempts"])
    broker.scripts.delete(keys.serving("people"))
    with Hook(port=port) as hook, people_process(broker, tmp_path):
        (post,) = hook.wait_for(1)
        wait_until(lambda: alerts(broker)[0]["deliveries"][0]["state"] == "delivered")
    assert post.body["track"] == "door-1"
    assert len(hook.posts) == 1


@pytest.mark.parametrize("status", [200, 500])
def test_nothing_goes_to_a_receiver_that_was_removed(broker: Broker, process: PeopleProcess, status: int) -> None:
    """Not even when the watch comes back with a corrected URL; nor does one that failed hold up the corrected one."""
    with Hook(lambda count: (status, 0.0)) as old, Hook() as new:
        removed = watch(broker, old.url)
        smile(broker, 1)
        old.wait_for(1)
        ask(broker, "watches.remove", id=removed["id"])
        added = watch(broker, new.url)
        assert added["notify"][0]["receiver"] > removed["notify"][0]["receiver"]
        before = len(old.posts)
        for number in (2, 3):
            smile(broker, number)
        assert [post.body["track"] for post in new.wait_for(2)] == ["door-2", "door-3"]
        assert {post.body["watch"] for post in old.posts} == {removed["id"]}
        assert len(old.posts) <= before + 1  # one was perhaps on its way


def test_two_processes_on_one_file_deliver_once(broker: Broker, tmp_path: Path) -> None:
    """The one that came later goes on when the other ends."""
    with Hook(lambda count: (200, 0.1)) as hook, ExitStack() as first, ExitStack() as second:
        first.enter_context(people_process(broker, tmp_path))
        watch(broker, hook.url)
        second.enter_context(people_process(broker, tmp_path))
        for number in range(4):
            smile(broker, number)
        hook.wait_for(4)
        wait_until(lambda: all(one["deliveries"][0]["state"] == "delivered" for one in alerts(broker)))
        first.close()
        smile(broker, 4)
        hook.wait_for(5)
        second.close()
    assert [post.body["track"] for post in hook.posts] == [f"door-{number}" for number in range(5)]


def test_a_delivery_is_given_up_after_a_day_and_counted(broker: Broker, process: PeopleProcess) -> None:
    with Hook(lambda count: (503, 0.0)) as hook:
        watch(broker, hook.url)
        smile(broker, 1)
        hook.wait_for(1)
        with process.house.database.transaction():
            process.house.database.execute("UPDATE deliveries SET since = since - ?", delivery.GIVE_UP_SECONDS)
        wait_until(lambda: metric(process, "rekstream_deliveries_total", outcome="given_up") == 1)
    (alert,) = alerts(broker)
    assert alert["deliveries"][0]["state"] == "given_up"
    assert alert["deliveries"][0]["trouble"] == "it answered 503 Service Unavailable"


def test_pauses_double_up_to_five_minutes_and_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "FIRST_PAUSE", 1.0)
    for failures, longest in ((1, 1), (2, 2), (5, 16), (9, 256), (10, 300), (10_000, 300)):
        found = {pause_after(failures) for _ in range(200)}
        assert longest / 2 <= min(found) < max(found) <= longest
        assert len(found) > 100


def test_a_test_says_what_each_receiver_answered(broker: Broker, process: PeopleProcess) -> None:
    """And nothing of it is kept."""
    with Hook(lambda count: (404, 0.0)) as refuses, Hook() as takes:
        made = watch(broker, refuses.url, takes.url)
        tried = ask(broker, "watches.test", id=made["id"])["receivers"]
        (post,) = takes.wait_for(1)
    assert [(one["ok"], one["answer"]) for one in tried] == [(False, "it answered 404 Not Found"), (True, "it answered 200 OK")]
    assert post.body["test"] is True
    assert post.body["text"].startswith("This is a test. ")
    assert alerts(broker) == []


def test_pages_are_told_of_an_alert_when_it_is_kept(broker: Broker, process: PeopleProcess) -> None:
    listener = HappeningListener(broker.jobs)
    listener.next(0.01)
    with Hook() as hook:
        watch(broker, hook.url)
        smile(broker, 1)
        hook.wait_for(1)
        told: list[Happening] = []
        wait_until(lambda: told.extend(filter(None, [listener.next(1)])) or [one for one in told if one.kind == "alert"])
    listener.close()
    (alert,) = alerts(broker)
    assert [one.what for one in told if one.kind == "alert"] == [alert | {"deliveries": []}]


def test_sns_gets_it_through_apprise(broker: Broker, process: PeopleProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """A topic of moto's SNS, which hands it on to a queue."""
    from apprise.plugins.sns import NotifySNS  # noqa: PLC0415  # its own class, whose address AWS's is

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    known = {"region_name": "us-east-1", "endpoint_url": f"http://{host}:{port}"}
    aws = {**known, "aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "s3cretpass"}
    sns: Any = boto3.client("sns", **aws)
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    begin = NotifySNS.__init__

    def here(self: Any, *args: Any, **kwargs: Any) -> None:
        begin(self, *args, **kwargs)
        self.notify_url = f"http://{host}:{port}/"

    monkeypatch.setattr(NotifySNS, "__init__", here)
    made = watch(broker, "sns://AKIAIOSFODNN7EXAMPLE/s3cretpass/us-east-1/#alerts")
    assert made["notify"][0]["url"] == "sns://***"
    smile(broker, 1)
    wait_until(lambda: metric(process, "rekstream_deliveries_total", outcome="delivered") == 1)
    from moto.core import DEFAULT_ACCOUNT_ID  # noqa: PLC0415  # beside its only use
    from moto.sns import sns_backends  # noqa: PLC0415

    ((_, text, _, *_),) = sns_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].topics[topic].sent_notifications
    assert "A face that looks happy" in text
    sns.close()
    server.stop()


def test_a_service_that_does_not_take_it_tells_why_without_secrets(
    broker: Broker, process: PeopleProcess, full_log: io.StringIO
) -> None:
    """Not in the answers, not in the fullest log, not in the metrics."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{nobody.getsockname()[1]}"
        urls = [f"{scheme}s3cretuser:s3cretpass@{place}/s3cretpath" for scheme in ("http://", "xml://", "form://")]
        made = watch(broker, *(f"{url}?+X-Token=s3crettoken" for url in urls))
        tried = ask(broker, "watches.test", id=made["id"])["receivers"]
        smile(broker, 1)
        wait_until(lambda: metric(process, "rekstream_deliveries_total", outcome="service") >= 2)
        told = json.dumps([made, tried, ask(broker, "watches.list"), alerts(broker)])
        with pytest.raises(Exception, match="watch w_") as refused:
            watch(broker, *(f"{url}?+X-Token=s3crettoken" for url in urls))
    assert "did not take it: A Connection error occurred" in tried[1]["answer"]
    from prometheus_client import generate_latest  # noqa: PLC0415  # beside its only use

    logged = full_log.getvalue()
    assert "receiver 1 (http://127.0.0.1:" in logged
    heard = [told, str(refused.value), generate_latest(process.house.registry).decode(), logged]
    assert [secret for secret in SECRETS for text in heard if secret in text] == []


@pytest.fixture
def full_log() -> Iterator[io.StringIO]:
    """Have everything logged as the program does it, until the end of the test."""
    root, text = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    logs.set_up("debug")
    handler = logging.StreamHandler(text)
    handler.setFormatter(logs.RedactingFormatter("%(levelname)s %(name)s: %(message)s"))
    root.handlers = [handler]
    yield text
    root.handlers = handlers
    root.setLevel(level)


PROGRAM = """
import signal, sys, threading
from pathlib import Path
from people.house import PeopleSettings
from people.process import run
from pipeline.broker import Broker
from pipeline.provider import Provider
run(Broker(sys.argv[1]), PeopleSettings(Path(sys.argv[2]), Provider("local", "us-east-1")), threading.Event())
"""


def test_a_kill_at_any_moment_loses_no_alert_and_makes_none_twice(broker: Broker, tmp_path: Path) -> None:
    """Alerts keep coming while the process is killed again and again; each is there once, and was received at least once."""
    chance = np.random.default_rng(11)
    url = str(broker.scripts.connection_pool.connection_kwargs["path"])
    program = [sys.executable, "-c", PROGRAM, f"unix://{url}", str(tmp_path)]
    env = {**environment(), "PYTHONPATH": os.pathsep.join(sys.path)}
    stop = threading.Event()
    smiled = []

    def smile_on() -> None:
        while not stop.wait(0.04):
            smile(broker, len(smiled))
            smiled.append(len(smiled))

    with Hook(lambda count: (200, 0.01)) as hook:
        running = subprocess.Popen(program, env=env)
        watch(broker, hook.url)
        thread = threading.Thread(target=smile_on)
        thread.start()
        for kill in range(3):
            hook.wait_for(len(hook.posts) + 3, 30)
            time.sleep(float(chance.uniform(0, 0.2)))
            if kill == 2:
                stop.set()
                thread.join()
            running.send_signal(signal.SIGKILL)
            running.wait()
            running = subprocess.Popen(program, env=env)
        wait_until(lambda: {post.body["track"] for post in hook.posts} == {f"door-{number}" for number in smiled}, 30)
        wait_until(
            lambda: all(a["deliveries"][0]["state"] == "delivered" for a in ask(broker, "alerts.list", limit=500)["alerts"])
        )
        kept = [alert["track"] for alert in ask(broker, "alerts.list", limit=500)["alerts"]]
        running.send_signal(signal.SIGKILL)
        running.wait()
    assert sorted(kept) == sorted(f"door-{number}" for number in smiled)[-500:]
    repeated = len(hook.posts) - len(smiled)
    assert repeated <= 3, "one at most for each kill"
    assert len({post.body["alert"] for post in hook.posts}) == len(smiled)
