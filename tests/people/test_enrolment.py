"""Enrolment: good pictures become faces of people, bad ones are refused with a sentence, and nothing is left half done."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from people.calls import Picture
from people.enrolment import Enrolment
from people.register import Register
from pipeline import keys
from pipeline.errors import UnknownPerson
from tests.people.conftest import People
from tests.rekognition_local.people import both, empty, picture
from tests.vision.scenes import ASTRONAUT, HOPPER, background, jpeg, place, portrait


def _changed(name: str, **how: float) -> bytes:
    """A portrait that is blurred, darkened or made small."""
    rgb = portrait(name)
    if "blur" in how:
        rgb = cv2.GaussianBlur(rgb, (0, 0), how["blur"])
    if "light" in how:
        rgb = (rgb * how["light"]).astype(np.uint8)
    if "height" in how:
        scene = background(640, 480)
        place(scene, name, (320, 240), int(how["height"]), closeup=True)
        rgb = scene
    return jpeg(np.ascontiguousarray(rgb))


def test_a_person_of_several_pictures_is_one_user_with_several_faces(people: People) -> None:
    answer = people.add("Grace Hopper", picture(HOPPER), picture(HOPPER, "mirrored"), consent="2026-11-01", legal_basis="staff")
    assert answer.status_code == 201, answer.text
    grace = answer.json()
    assert (grace["name"], grace["consent"], grace["legal_basis"], grace["enrolled"]) == (
        "Grace Hopper",
        "2026-11-01",
        "staff",
        True,
    )
    assert answer.headers["location"] == f"/api/people/{grace['id']}"
    assert {face["FaceId"] for face in people.faces()} == {face["id"] for face in grace["faces"]}
    assert {face["UserId"] for face in people.faces()} == set(people.users()) == {grace["id"]}
    assert "Grace" not in json.dumps(people.faces())  # no name goes to Rekognition
    assert people.api.get("/api/people")["people"] == [{name: grace[name] for name in grace if name != "refused"}]
    told = json.loads(people.chain.broker.scripts.get(keys.PEOPLE))
    assert told["collection"] == people.collection
    assert (told["people"], told["show"]) == (1, 80.0)
    kept = {key.split(b":")[1] for key in people.chain.broker.scripts.keys("rekstream:*photo-*")}
    assert kept <= {b"counts"}  # no picture stays in Redis


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        (empty(), "there is no face in the picture"),
        (both(HOPPER), "there are 2 faces in the picture"),
        (_changed(HOPPER, height=44), "pixels high, 50 are needed"),
        (_changed(HOPPER, blur=9), "the face is blurred (sharpness "),
        (_changed(HOPPER, light=0.2), "the face is too dark (brightness "),
    ],
    ids=["nobody", "two", "small", "blurred", "dark"],
)
def test_a_bad_picture_is_refused_with_its_value_and_adds_nobody(people: People, sent: bytes, sentence: str) -> None:
    answer = people.add("Grace Hopper", sent)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "EnrolmentRefused"), answer.text
    assert sentence in answer.json()["error"]["message"]
    assert people.api.get("/api/people")["people"] == []


def test_who_is_somebody_else_already_is_refused_by_name(people: People) -> None:
    grace = people.add("Grace Hopper", picture(HOPPER)).json()
    again = people.add("Eileen Collins", picture(HOPPER, "light"))
    assert again.status_code == 422
    assert "the face is Grace Hopper's already (100.0 % alike)" in again.json()["error"]["message"]
    assert [person["id"] for person in people.api.get("/api/people")["people"]] == [grace["id"]]
    assert len(people.faces()) == 1
    same_name = people.add("grace hopper", picture(ASTRONAUT))
    assert (same_name.status_code, same_name.json()["error"]["code"]) == (409, "PersonExists")


def test_a_face_unlike_the_persons_others_is_refused_and_leaves_nothing(people: People) -> None:
    grace = people.add("Grace Hopper", picture(HOPPER)).json()
    sent = {"image": ("a.jpg", picture(ASTRONAUT), "image/jpeg")}
    unlike = people.api.http.post(f"/api/people/{grace['id']}/faces", files=sent)
    assert unlike.status_code == 422
    assert "the face is not like Grace Hopper's other pictures" in unlike.json()["error"]["message"]
    assert [face["FaceId"] for face in people.faces()] == [grace["faces"][0]["id"]]


def test_who_was_forgotten_meanwhile_does_not_come_back(people: People) -> None:
    """A picture that waited while somebody was forgotten adds nobody."""
    enrolment = next(room for room in people.process.rooms if isinstance(room, Enrolment))
    register = next(room for room in people.process.rooms if isinstance(room, Register))
    people.add("Grace Hopper")
    before = register.find("Grace Hopper")
    assert people.api.http.delete(f"/api/people/{before.id}").status_code == 204
    with pytest.raises(UnknownPerson, match="was forgotten meanwhile"):
        enrolment.enrol(before, Picture(picture(HOPPER), 1, 1))
    assert register.all() == []


def test_of_several_pictures_the_good_ones_are_taken_and_the_others_told(people: People) -> None:
    answer = people.add("Grace Hopper", picture(HOPPER), empty(), picture(HOPPER, "dark"))
    assert answer.status_code == 201
    assert len(answer.json()["faces"]) == 2
    (refused,) = answer.json()["refused"]
    assert refused["picture"] == 2
    assert "no face" in refused["message"]
    nobody = people.add("Eileen Collins", empty(), both(HOPPER))
    assert nobody.status_code == 422
    assert [person["name"] for person in people.api.get("/api/people")["people"]] == ["Grace Hopper"]


def test_people_change_and_lose_faces(people: People) -> None:
    grace = people.add("Grace Hopper", picture(HOPPER), picture(HOPPER, "light")).json()
    path = f"/api/people/{grace['id']}"
    changed = people.api.http.patch(path, json={"name": "Admiral Hopper", "consent": "2026-10-01"})
    assert (changed.json()["name"], changed.json()["consent"]) == ("Admiral Hopper", "2026-10-01")
    for body, sentence in (
        ({"consent": "soon"}, "write the day it was given"),
        ({"consent": "2199-01-01"}, "yet to come"),
        ({"name": " "}, "write a name"),
        ({"hat": "no"}, "no member 'hat'"),
    ):
        refused = people.api.http.patch(path, json=body)
        assert refused.status_code == 422
        assert sentence in refused.json()["error"]["message"]
    for face in grace["faces"]:
        assert people.api.http.delete(f"{path}/faces/{face['id']}").status_code == 204
    assert (people.faces(), people.users()) == ([], [])
    assert people.api.get(path)["enrolled"] is False
    unknown = people.api.http.get("/api/people/Admiral Hoper")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "UnknownPerson")
    assert "did you mean 'Admiral Hopper'?" in unknown.json()["error"]["message"]


def test_all_that_is_kept_of_somebody_can_be_asked_for(people: People) -> None:
    """Which is itself written down."""
    grace = people.add("Grace Hopper", picture(HOPPER), consent="2026-11-01").json()
    answer = people.api.http.get("/api/people/Grace Hopper/export")
    assert "attachment" in answer.headers["content-disposition"]
    kept = answer.json()
    assert (kept["id"], kept["consent"], kept["visits"], kept["alerts"]) == (grace["id"], "2026-11-01", [], [])
    assert [entry["what"] for entry in kept["audit"]] == ["export", "enrol"]


def test_what_was_done_stands_in_the_audit_log_without_names(people: People) -> None:
    grace = people.add("Grace Hopper", picture(HOPPER)).json()
    people.api.get(f"/api/people/{grace['id']}")
    people.api.get(f"/api/people/{grace['id']}")
    log = people.api.get("/api/audit", person=grace["id"])["audit"]
    assert [(entry["what"], entry["times"], entry["who"]) for entry in log] == [
        ("view", 2, "this machine"),
        ("enrol", 1, "this machine"),
    ]
    assert "Grace" not in json.dumps(people.api.get("/api/audit"))
    assert people.api.http.get("/api/audit?limit=0").status_code == 422
