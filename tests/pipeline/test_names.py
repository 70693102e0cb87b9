"""Names are put into results when these are read: what changed since holds for those that came before, too."""

from __future__ import annotations

import json

from pipeline import keys
from pipeline.broker import Broker
from pipeline.entities import Result
from pipeline.names import NAME_SECONDS, Names, TrackName

GRACE = {"Id": "p_1", "Name": "Grace Hopper", "Similarity": 99.1}


def result(*tracks: object) -> Result:
    faces = [{"Confidence": 99.0} | ({"Track": track} if track else {}) for track in tracks]
    return Result("1-0", "door", 1, 0.0, 0.5, 1280, 720, "local", response={"FaceDetails": faces, "Other": 1})


def test_a_face_carries_the_person_or_the_group_that_its_track_is(broker: Broker) -> None:
    names = Names(broker.scripts)
    names.write({"door-1": TrackName(person=GRACE), "door-2": TrackName(unknown={"Id": "u_12", "Visits": 4})})
    (named,) = names.into([result("door-1", "door-2", "door-3", None)])
    assert [(face.get("Person"), face.get("Unknown")) for face in named.response["FaceDetails"]] == [
        (GRACE, None),
        (None, {"Id": "u_12", "Visits": 4}),
        (None, None),
        (None, None),
    ]
    assert named.response["Other"] == 1


def test_a_name_that_is_taken_back_is_in_no_result_any_more(broker: Broker) -> None:
    names = Names(broker.scripts)
    names.write({"door-1": TrackName(person=GRACE)})
    before = result("door-1")
    assert "Person" in names.into([before])[0].response["FaceDetails"][0]
    names.write({"door-1": TrackName()})
    assert names.into([before]) == [before]
    assert broker.scripts.keys("*door-1*") == []


def test_a_name_lasts_longer_than_results_and_not_for_ever(broker: Broker) -> None:
    Names(broker.scripts).write({"door-1": TrackName(person=GRACE)})
    assert 600 < int(broker.scripts.ttl(keys.name("door-1"))) <= NAME_SECONDS  # type: ignore[arg-type]  # not async


def test_a_batch_is_one_question_however_many_faces(broker: Broker) -> None:
    """Else a page of a thousand results would ask two thousand times."""
    names = Names(broker.scripts)
    names.write({f"door-{number}": TrackName(person=GRACE) for number in range(5)})
    before = _commands(broker)
    batch = [result(*(f"door-{(number + face) % 7}" for face in range(2))) for number in range(100)]
    found = names.into(batch)
    assert _commands(broker) - before == 2  # MGET, and INFO itself
    assert sum("Person" in face for one in found for face in one.response["FaceDetails"]) > 100


def test_results_without_tracks_ask_nothing(broker: Broker) -> None:
    names = Names(broker.scripts)
    before = _commands(broker)
    for strange in (result(None), result(17), Result("1-0", "door", 1, 0, 0, 1, 1, "", response={"FaceDetails": "none"})):
        assert names.into([strange]) == [strange]
    assert _commands(broker) - before == 1


def test_what_is_no_name_is_none(broker: Broker) -> None:
    broker.scripts.set(keys.name("door-1"), "no JSON")
    broker.scripts.set(keys.name("door-2"), json.dumps(["nor", "this"]))
    found = Names(broker.scripts).into([result("door-1", "door-2")])
    assert ["Person" in face for face in found[0].response["FaceDetails"]] == [False, False]


def _commands(broker: Broker) -> int:
    return int(broker.scripts.info("stats")["total_commands_processed"])  # type: ignore[index]  # not async
