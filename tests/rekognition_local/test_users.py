"""Users: several faces under one id, associated only where they are alike, and searched as one."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from rekognition_local.store import TOKENS_LAST_SECONDS
from rekognition_local.users import MOST_FACES
from tests.rekognition_local.people import NOBODY, both, crowd, empty, picture
from tests.vision.scenes import ASTRONAUT, HOPPER

CHANGES = ("", "dark", "soft", "small")


@pytest.fixture
def collection(client):
    name = f"test-{uuid.uuid4()}"
    client.create_collection(CollectionId=name)
    for user in ("grace", "eileen", "nobody"):
        client.create_user(CollectionId=name, UserId=user)
    yield name
    client.delete_collection(CollectionId=name)


@pytest.fixture
def faces(client, collection):
    """Ids of faces by portrait."""
    return {name: [_index(client, collection, picture(name, change)) for change in CHANGES] for name in (HOPPER, ASTRONAUT)}


@pytest.fixture
def people(client, collection, faces):
    for user, name in (("grace", HOPPER), ("eileen", ASTRONAUT)):
        client.associate_faces(CollectionId=collection, UserId=user, FaceIds=faces[name])
    return collection


def _index(client, collection, data):
    (record,) = client.index_faces(CollectionId=collection, Image={"Bytes": data})["FaceRecords"]
    return record["Face"]["FaceId"]


def _statuses(client, collection):
    return {user["UserId"]: user["UserStatus"] for user in client.list_users(CollectionId=collection)["Users"]}


def test_a_user_is_active_while_it_has_faces(client, collection, faces):
    assert set(_statuses(client, collection).values()) == {"CREATED"}
    answer = client.associate_faces(CollectionId=collection, UserId="grace", FaceIds=faces[HOPPER])
    assert [face["FaceId"] for face in answer["AssociatedFaces"]] == faces[HOPPER]
    assert (answer["UserStatus"], answer["UnsuccessfulFaceAssociations"]) == ("ACTIVE", [])
    assert _statuses(client, collection) == {"grace": "ACTIVE", "eileen": "CREATED", "nobody": "CREATED"}
    answer = client.disassociate_faces(CollectionId=collection, UserId="grace", FaceIds=faces[HOPPER])
    assert [face["FaceId"] for face in answer["DisassociatedFaces"]] == faces[HOPPER]
    assert answer["UserStatus"] == "CREATED"


def test_users_are_listed_in_pages_in_the_order_they_were_made(client, collection):
    pages = list(client.get_paginator("list_users").paginate(CollectionId=collection, PaginationConfig={"PageSize": 2}))
    assert [[user["UserId"] for user in page["Users"]] for page in pages] == [["grace", "eileen"], ["nobody"]]


def test_faces_of_a_user_can_be_listed_and_say_whose_they_are(client, people, faces):
    listed = client.list_faces(CollectionId=people, UserId="eileen")["Faces"]
    assert [(face["FaceId"], face["UserId"]) for face in listed] == [(face, "eileen") for face in faces[ASTRONAUT]]


def test_another_persons_face_is_not_associated(client, collection, faces):
    client.associate_faces(CollectionId=collection, UserId="grace", FaceIds=faces[HOPPER][:1])
    mixed = [faces[HOPPER][1], faces[ASTRONAUT][0]]
    answer = client.associate_faces(CollectionId=collection, UserId="grace", FaceIds=mixed)
    assert answer["AssociatedFaces"] == [{"FaceId": mixed[0]}]
    (failure,) = answer["UnsuccessfulFaceAssociations"]
    assert (failure["FaceId"], failure["Reasons"]) == (mixed[1], ["LOW_MATCH_CONFIDENCE"])
    assert failure["Confidence"] < 75
    everybody = client.associate_faces(CollectionId=collection, UserId="grace", FaceIds=mixed, UserMatchThreshold=0)
    assert everybody["AssociatedFaces"] == [{"FaceId": mixed[1]}]  # the other one is there already, and passed over


def test_a_face_belongs_to_one_user(client, people, faces):
    stolen, missing = faces[HOPPER][0], NOBODY
    expected = [
        {"FaceId": missing, "Reasons": ["FACE_NOT_FOUND"]},
        {"FaceId": stolen, "UserId": "grace", "Reasons": ["ASSOCIATED_TO_A_DIFFERENT_USER"]},
    ]
    answer = client.associate_faces(CollectionId=people, UserId="eileen", FaceIds=[stolen, missing])
    assert (answer["AssociatedFaces"], answer["UnsuccessfulFaceAssociations"]) == ([], expected)
    answer = client.disassociate_faces(CollectionId=people, UserId="eileen", FaceIds=[stolen, missing])
    assert (answer["DisassociatedFaces"], answer["UnsuccessfulFaceDisassociations"]) == ([], expected)


def test_a_users_face_cannot_be_deleted_until_it_is_given_back(client, people, faces):
    face = faces[HOPPER][0]
    answer = client.delete_faces(CollectionId=people, FaceIds=[face])
    assert answer["UnsuccessfulFaceDeletions"] == [
        {"FaceId": face, "UserId": "grace", "Reasons": ["ASSOCIATED_TO_AN_EXISTING_USER"]}
    ]
    client.disassociate_faces(CollectionId=people, UserId="grace", FaceIds=[face])
    assert client.delete_faces(CollectionId=people, FaceIds=[face])["DeletedFaces"] == [face]


def test_a_user_has_a_hundred_faces_at_most(client, collection):
    records = client.index_faces(CollectionId=collection, Image={"Bytes": crowd(100)}, QualityFilter="NONE")["FaceRecords"]
    more = client.index_faces(CollectionId=collection, Image={"Bytes": crowd(60, 70)}, QualityFilter="NONE")["FaceRecords"]
    ids = [record["Face"]["FaceId"] for record in records + more]
    assert len(ids) > MOST_FACES
    rest = {"CollectionId": collection, "UserId": "grace", "UserMatchThreshold": 0}
    client.associate_faces(FaceIds=ids[:60], **rest)
    with pytest.raises(client.exceptions.ServiceQuotaExceededException, match=f"the most is {MOST_FACES}"):
        client.associate_faces(FaceIds=ids[60 : MOST_FACES + 1], **rest)
    client.associate_faces(FaceIds=ids[60:MOST_FACES], **rest)
    assert len(client.list_faces(CollectionId=collection, UserId="grace")["Faces"]) == MOST_FACES


@pytest.mark.parametrize(("name", "user"), [(HOPPER, "grace"), (ASTRONAUT, "eileen")])
def test_a_picture_finds_the_user(client, people, name, user):
    answer = client.search_users_by_image(CollectionId=people, Image={"Bytes": both(larger=name)})
    (match,) = answer["UserMatches"]
    assert match["User"] == {"UserId": user, "UserStatus": "ACTIVE"}
    assert match["Similarity"] > 90
    assert (answer["SearchedFace"]["FaceDetail"]["BoundingBox"]["Left"] < 0.5) == (name == HOPPER)
    (other,) = answer["UnsearchedFaces"]
    assert other["Reasons"] == ["FACE_NOT_LARGEST"]


def test_a_picture_of_nobody_finds_nobody_and_is_no_error(client, people):
    answer = client.search_users_by_image(CollectionId=people, Image={"Bytes": empty()})
    assert (answer["UserMatches"], answer["UnsearchedFaces"]) == ([], [])
    assert "SearchedFace" not in answer


def test_a_face_below_the_bar_is_not_searched_and_told_why(client, people):
    picture_of_small = {"Bytes": crowd(1, 36)}
    answer = client.search_users_by_image(CollectionId=people, Image=picture_of_small, QualityFilter="HIGH")
    assert answer["UserMatches"] == []
    assert "SMALL_BOUNDING_BOX" in answer["UnsearchedFaces"][0]["Reasons"]


def test_users_are_found_by_a_face_and_by_another_user(client, people, faces):
    by_face = client.search_users(CollectionId=people, FaceId=faces[HOPPER][0])
    assert by_face["SearchedFace"] == {"FaceId": faces[HOPPER][0]}
    assert [match["User"]["UserId"] for match in by_face["UserMatches"]] == ["grace"]
    by_user = client.search_users(CollectionId=people, UserId="grace", UserMatchThreshold=0)
    assert by_user["SearchedUser"] == {"UserId": "grace"}
    assert [match["User"]["UserId"] for match in by_user["UserMatches"]] == ["eileen"]
    assert client.search_users(CollectionId=people, UserId="nobody")["UserMatches"] == []


@pytest.mark.parametrize("params", [{}, {"UserId": "grace", "FaceId": NOBODY}])
def test_users_are_searched_by_one_thing(client, people, params):
    with pytest.raises(client.exceptions.InvalidParameterException, match="one of the two"):
        client.search_users(CollectionId=people, **params)


def test_a_deleted_user_is_found_no_more_and_its_faces_stay(client, people, faces):
    client.search_users_by_image(CollectionId=people, Image={"Bytes": picture(HOPPER)})
    client.delete_user(CollectionId=people, UserId="grace")
    assert client.search_users_by_image(CollectionId=people, Image={"Bytes": picture(HOPPER)})["UserMatches"] == []
    assert client.describe_collection(CollectionId=people)["FaceCount"] == 8
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="no user grace"):
        client.delete_user(CollectionId=people, UserId="grace")
    assert client.delete_faces(CollectionId=people, FaceIds=faces[HOPPER])["DeletedFaces"] == faces[HOPPER]


def test_a_user_exists_once(client, collection):
    with pytest.raises(client.exceptions.ConflictException, match="grace exists already"):
        client.create_user(CollectionId=collection, UserId="grace")


def test_a_call_sent_again_with_its_token_is_done_once(client, collection, faces):
    token = {"ClientRequestToken": f"again-{uuid.uuid4()}"}
    for _ in range(2):
        client.create_user(CollectionId=collection, UserId="ada", **token)
    with pytest.raises(client.exceptions.IdempotentParameterMismatchException, match="other parameters"):
        client.create_user(CollectionId=collection, UserId="bertha", **token)
    token = {"ClientRequestToken": f"again-{uuid.uuid4()}"}
    answers = [
        client.associate_faces(CollectionId=collection, UserId="ada", FaceIds=faces[HOPPER], **token)["AssociatedFaces"]
        for _ in range(2)
    ]
    assert answers[0] == answers[1] != []


def test_a_token_ends_with_its_collection(client):
    again = {"CollectionId": f"remade-{uuid.uuid4()}", "UserId": "ada", "ClientRequestToken": f"set-up-{uuid.uuid4()}"}
    for _ in range(2):
        client.create_collection(CollectionId=again["CollectionId"])
        client.create_user(**again)
        assert len(client.list_users(CollectionId=again["CollectionId"])["Users"]) == 1
        client.delete_collection(CollectionId=again["CollectionId"])


def test_a_token_is_forgotten_after_a_day(client, collection, monkeypatch):
    token = {"ClientRequestToken": f"old-{uuid.uuid4()}"}
    client.create_user(CollectionId=collection, UserId="ada", **token)
    now = time.time()
    monkeypatch.setattr("rekognition_local.store.time.time", lambda: now + TOKENS_LAST_SECONDS + 1)
    with pytest.raises(client.exceptions.ConflictException):
        client.create_user(CollectionId=collection, UserId="ada", **token)


def test_associating_and_searching_at_once_never_wait_for_each_other_for_ever(client, people, faces):
    image = {"Bytes": picture(HOPPER, "small")}

    def change(_):
        client.disassociate_faces(CollectionId=people, UserId="grace", FaceIds=faces[HOPPER][1:])
        client.associate_faces(CollectionId=people, UserId="grace", FaceIds=faces[HOPPER][1:])

    def search(_):
        client.search_users_by_image(CollectionId=people, Image=image)
        client.search_users(CollectionId=people, UserId="eileen")
        client.search_faces(CollectionId=people, FaceId=faces[ASTRONAUT][0])

    with ThreadPoolExecutor(6) as pool:
        for _ in [*pool.map(change, range(60)), *pool.map(search, range(60))]:
            pass
        done = [pool.submit(step, 0) for _ in range(40) for step in (change, search)]
        assert [one.result(timeout=60) for one in done] == [None] * 80


@pytest.mark.parametrize("operation", ["associate_faces", "disassociate_faces"])
def test_a_user_that_is_not_there_is_named(client, collection, operation):
    with pytest.raises(client.exceptions.ResourceNotFoundException, match="no user ghost"):
        getattr(client, operation)(CollectionId=collection, UserId="ghost", FaceIds=[NOBODY])
