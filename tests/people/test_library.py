"""The library: a collection that others made is adopted, another provider is noticed, a face just seen is enrolled."""

from __future__ import annotations

import logging
import uuid
from dataclasses import replace
from pathlib import Path

import pytest

from people.adoption import Adoption
from pipeline.cameras import CameraRegistry
from pipeline.entities import Camera, Purpose
from pipeline.presence import Presence, living
from pipeline.tracks import Faces, FaceView
from tests.conftest import wait_until
from tests.people.conftest import Chain, People, running
from tests.rekognition_local.people import crowd, picture
from tests.vision.scenes import ASTRONAUT, HOPPER


def _index(chain: Chain, collection: str, image: bytes, **members: str) -> str:
    answer = chain.rekognition.index_faces(CollectionId=collection, Image={"Bytes": image}, MaxFaces=1, **members)
    return str(answer["FaceRecords"][0]["Face"]["FaceId"])


@pytest.fixture
def made_elsewhere(chain: Chain) -> str:
    """A collection that boto3 made: a user of two faces, a face with its picture's name, one with neither."""
    collection = f"test-{uuid.uuid4().hex[:8]}"
    chain.rekognition.create_collection(CollectionId=collection)
    hers = [_index(chain, collection, picture(HOPPER)), _index(chain, collection, picture(HOPPER, "light"))]
    chain.rekognition.create_user(CollectionId=collection, UserId="Grace_Hopper")
    chain.rekognition.associate_faces(CollectionId=collection, UserId="Grace_Hopper", FaceIds=hers)
    _index(chain, collection, picture(ASTRONAUT), ExternalImageId="Eileen_Collins.jpg")
    _index(chain, collection, crowd(1, 80))
    return collection


def test_a_collection_made_elsewhere_is_adopted(
    chain: Chain, made_elsewhere: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running(chain, tmp_path, made_elsewhere) as people:
        wait_until(lambda: len(people.api.get("/api/people")["people"]) == 2)
        eileen, grace = people.api.get("/api/people")["people"]
        assert (grace["name"], len(grace["faces"]), grace["enrolled"]) == ("Grace Hopper", 2, True)
        assert (eileen["name"], len(eileen["faces"]), eileen["enrolled"]) == ("Eileen Collins", 1, True)
        sent = {"image": ("a.jpg", picture(HOPPER, "dark"), "image/jpeg")}
        assert people.api.http.post(f"/api/people/{grace['id']}/faces", files=sent).status_code == 201
        assert people.users() == ["Grace_Hopper"]  # its own user got the face
        done = people.api.http.post(f"/api/people/{grace['id']}/forget").json()
        assert (done["removed"]["faces"], done["removed"]["users"], set(done["remaining"].values())) == (3, 1, {0})
        assert people.api.http.delete(f"/api/people/{eileen['id']}").status_code == 204
        assert len(people.faces()) == 1  # nobody's: it is not ours to delete
    assert "2 people are new here" in caplog.text
    assert "1 faces of collection" in caplog.text
    with running(chain, tmp_path, made_elsewhere) as people:
        next(room for room in people.process.rooms if isinstance(room, Adoption)).look()
        assert people.api.get("/api/people")["people"] == []  # who was forgotten does not come back


def test_another_provider_knows_nobody_and_it_is_said_who_must_be_enrolled_again(
    chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What the old provider keeps of somebody who is forgotten meanwhile is deleted once it answers again."""
    collection = f"test-{uuid.uuid4().hex[:8]}"
    caplog.set_level(logging.WARNING)
    with running(chain, tmp_path, collection) as people:
        grace = people.add("Grace Hopper", picture(HOPPER)).json()
    with monkeypatch.context() as patch:
        patch.setattr("people.calls.Calls.scope", lambda _: "aws-123456789012|eu-west-1")
        with running(chain, tmp_path, f"{collection}-there") as people:
            chain.rekognition.create_collection(CollectionId=people.collection)
            told = people.api.get("/api/people")
            sentence = (
                "1 person was enrolled with the local Rekognition server, and has to be enrolled again with "
                "AWS account 123456789012 in eu-west-1: vectors of one provider mean nothing to another"
            )
            assert (told["again"], told["sentence"]) == (1, sentence)
            assert sentence in caplog.text
            assert (told["people"][0]["elsewhere"], told["people"][0]["enrolled"]) == (1, False)
            done = people.api.http.post(f"/api/people/{grace['id']}/forget").json()
            assert done["unreachable"] == ["the local Rekognition server"]
            _index(chain, people.collection, picture(ASTRONAUT), ExternalImageId="Eileen_Collins")
            next(room for room in people.process.rooms if isinstance(room, Adoption)).look()
            assert [person["name"] for person in people.api.get("/api/people")["people"]] == ["Eileen Collins"]
    assert len(chain.rekognition.list_faces(CollectionId=collection)["Faces"]) == 1
    with running(chain, tmp_path, collection) as people:
        wait_until(lambda: people.faces() == [] and people.users() == [])
        assert [person["elsewhere"] for person in people.api.get("/api/people")["people"]] == [1]


def test_a_face_just_seen_is_enrolled(people: People) -> None:
    view = FaceView("door", captured_at=1.0, weight=1.0, height=200.0, jpeg=picture(HOPPER))
    Faces(people.chain.broker.scripts).keep("door-1", view)
    answer = people.api.http.post("/api/people", json={"name": "Grace Hopper", "track": "door-1"})
    assert answer.status_code == 201, answer.text
    assert len(people.faces()) == 1
    audience = Camera("hall", "demo", 1.0, purpose=Purpose.AUDIENCE)
    CameraRegistry(people.chain.broker.scripts).put([audience])
    Faces(people.chain.broker.scripts).keep("hall-1", replace(view, camera="hall"))
    Faces(people.chain.broker.scripts).keep("door-1", replace(view, jpeg=b""))
    for track, sentence in (
        ("hall-1", "as its purpose says"),
        ("door-1", "as privacy is on"),
        ("door-2", "kept for a quarter of an hour"),
    ):
        refused = people.api.http.post("/api/people/Grace Hopper/faces", json={"track": track})
        assert refused.status_code == 422
        assert sentence in refused.json()["error"]["message"]


def test_two_local_servers_are_not_mixed_up(people: People) -> None:
    """A second worker with a local server of its own would know other faces: nothing is enrolled until they share one."""
    endpoint = "http://127.0.0.1:9"
    details = {"alive": 1, "scope": "local|us-east-1", "endpoint": endpoint}
    other = Presence(people.chain.broker.scripts, "worker", "1", details=lambda: details)
    other.start()
    wait_until(lambda: len(living(people.chain.broker.scripts, "worker")) == 2)
    refused = people.add("Grace Hopper", picture(HOPPER))
    other.stop()
    assert refused.status_code == 502
    assert "the workers ask 2 local Rekognition servers" in refused.json()["error"]["message"]
    assert people.api.get("/api/people")["people"] == []
