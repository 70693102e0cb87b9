"""Results come out as they went in, oldest first, and a broken one breaks nothing."""

from __future__ import annotations

import json

from pipeline import keys
from pipeline.broker import Broker
from pipeline.names import Names, TrackName
from tests.dashboard.support import FACE, Api, Listener, Producer, Worker, until


def publish(broker: Broker, camera: str, **members: object) -> str:
    body = {"seq": 1, "captured_at": 1000.0, "width": 640, "height": 360, "provider": "local", "FaceDetails": []} | members
    entry = {"camera": camera, "published_at": "1000.5", "result": json.dumps(body)}
    return broker.scripts.xadd(keys.RESULTS, entry).decode()


def test_newest_results_come_oldest_first_and_next_goes_on(api: Api, broker: Broker) -> None:
    """Without `after` come the newest `limit`; with `next` of one answer come only later ones."""
    ids = [publish(broker, "a", seq=number) for number in range(5)]
    first = api.get("/api/results", limit=3)
    assert [result["id"] for result in first["results"]] == ids[2:]
    assert first["next"] == ids[-1]
    assert api.get("/api/results", after=first["next"]) == {"results": [], "next": ids[-1]}
    later = publish(broker, "b", seq=9)
    following = api.get("/api/results", after=first["next"])
    assert [result["id"] for result in following["results"]] == [later]
    assert api.get("/api/results", after=ids[0], limit=2)["next"] == ids[2]


def test_results_of_one_camera(api: Api, broker: Broker) -> None:
    """`camera` leaves the others out, with and without `after`."""
    for number in range(600):
        publish(broker, "busy", seq=number)
        if number in (0, 599):
            publish(broker, "calm", seq=number)
    assert [result["seq"] for result in api.get("/api/results", camera="calm")["results"]] == [0, 599]
    assert [result["seq"] for result in api.get("/api/results", camera="calm", after="0", limit=1)["results"]] == [0]
    assert api.get("/api/results", camera="nobody") == {"results": [], "next": api.get("/api/results")["next"]}


def test_empty_stream(api: Api) -> None:
    """Nothing there is an empty list and an id that can be sent back."""
    nothing = api.get("/api/results")
    assert nothing == {"results": [], "next": "0-0"}
    assert api.get("/api/results", after=nothing["next"]) == nothing


def test_members_of_a_newer_version_pass_through(api: Api, broker: Broker) -> None:
    """What this version does not know is shown as it came."""
    publish(broker, "a", PeopleSeen=[{"Name": "x"}], stages={"dream": 0.5, "service": 0.1})
    (result,) = api.get("/api/results")["results"]
    assert result["PeopleSeen"] == [{"Name": "x"}]
    assert result["stages"] == {"dream": 0.5, "service": 0.1}
    assert result["age_seconds"] == 0.5


def test_broken_entries_are_skipped_and_counted(api: Api, broker: Broker) -> None:
    """Entries that cannot be read do not break the list, whatever is wrong with them; each counts once."""
    good = publish(broker, "a")
    for entry in (
        {"camera": "a", "published_at": "1", "result": "no json"},
        {"camera": "a", "published_at": "1", "result": "[]"},
        {"camera": "a", "published_at": "1", "result": '{"seq": "NaN"}'},
        {"camera": "a", "published_at": "x", "result": "{}"},
        {"nonsense": "1"},
    ):
        broker.scripts.xadd(keys.RESULTS, entry)
    publish(broker, "a", Odd=float("nan"))
    last = publish(broker, "a")
    for _ in range(2):
        assert [result["id"] for result in api.get("/api/results")["results"]] == [good, last]
    assert api.get("/api/results", after=good)["next"] == last
    assert api.get("/api/stats")["results_skipped"] == 6


def test_results_are_rekognitions_under_our_envelope(api: Api, broker: Broker) -> None:
    """What a worker finished is what the API shows."""
    with Worker(broker):
        Producer(broker, "porch").offer()
        (result,) = until(lambda: api.get("/api/results")["results"])
    assert result["camera"] == "porch"
    assert result["FaceDetails"] == [FACE]
    assert result["error"] is None
    assert 0 <= result["age_seconds"] < 5
    assert set(result["stages"]) == {"encode", "queue", "limit", "upload", "service", "publish"}


def test_bad_parameters_are_named(api: Api) -> None:
    """A bad parameter is a 422 whose sentence names it and its value."""
    for params, expected in (
        ({"after": "yesterday"}, "after 'yesterday'"),
        ({"limit": "many"}, "limit 'many'"),
        ({"limit": "0"}, "limit '0'"),
    ):
        answer = api.http.get("/api/results", params=params)
        assert answer.status_code == 422
        assert answer.json()["error"]["message"].startswith(expected), answer.text


def test_names_are_those_of_now_also_in_results_that_came_before(api: Api, broker: Broker) -> None:
    """A name that comes late stands in earlier results; one that is taken back stands in none."""
    grace = {"Id": "p_1", "Name": "Grace Hopper", "Similarity": 99.1}
    publish(broker, "porch", FaceDetails=[FACE | {"Track": "porch-17"}, FACE])
    for who in (None, grace, None):
        Names(broker.scripts).write({"porch-17": TrackName(person=who)})
        for params in ({}, {"camera": "porch"}, {"after": "0-0"}):
            (result,) = api.get("/api/results", **params)["results"]
            assert [face.get("Person") for face in result["FaceDetails"]] == [who, None]


def test_live_results_carry_names(api: Api, broker: Broker) -> None:
    """What listeners get is what the list shows."""
    grace = {"Id": "p_1", "Name": "Grace Hopper", "Similarity": 99.1}
    Names(broker.scripts).write({"porch-17": TrackName(person=grace)})
    with Listener(api) as listener:
        until(lambda: listener.of("stats"))
        publish(broker, "porch", FaceDetails=[FACE | {"Track": "porch-17"}])
        (result,) = until(lambda: listener.of("result"))
    assert result["FaceDetails"][0]["Person"] == grace


def test_searches_and_labels_are_shown_to_those_who_ask_for_them_only(api: Api, broker: Broker) -> None:
    """They travel in mailboxes of their own, and are no camera's results."""
    for mailbox in ("porch", "porch:17", "porch:labels"):
        publish(broker, mailbox)
    assert [result["camera"] for result in api.get("/api/results")["results"]] == ["porch"]
    assert [result["camera"] for result in api.get("/api/results", camera="porch:labels")["results"]] == ["porch:labels"]
