"""Collections through boto3: made, filled, listed in pages, searched, emptied, on real pictures."""

import base64
import uuid
from datetime import UTC, datetime

import pytest

from tests.rekognition_local.people import ASTRONAUT_NAME, HOPPER_NAME, NOBODY, both, crowd, empty, picture
from tests.vision.scenes import ASTRONAUT, HOPPER


@pytest.fixture
def collection(client):
    name = f"test-{uuid.uuid4()}"
    client.create_collection(CollectionId=name)
    yield name
    client.delete_collection(CollectionId=name)


def _index(client, collection, data, name=None, **options):
    named = {"ExternalImageId": name} if name else {}
    return client.index_faces(CollectionId=collection, Image={"Bytes": data}, **named, **options)


def _face_ids(answer):
    return [record["Face"]["FaceId"] for record in answer["FaceRecords"]]


def _listed(client, collection, **options):
    return [face["FaceId"] for face in client.list_faces(CollectionId=collection, **options)["Faces"]]


def test_a_collection_is_described_as_it_is(client, collection):
    made = client.describe_collection(CollectionId=collection)
    assert (made["FaceCount"], made["UserCount"], made["FaceModelVersion"]) == (0, 0, "1.0")
    assert made["CollectionARN"].endswith(f":collection/{collection}")
    assert abs((datetime.now(UTC) - made["CreationTimestamp"]).total_seconds()) < 60
    _index(client, collection, picture(HOPPER))
    client.create_user(CollectionId=collection, UserId="grace")
    counted = client.describe_collection(CollectionId=collection)
    assert (counted["FaceCount"], counted["UserCount"]) == (1, 1)


def test_a_collection_may_be_made_with_tags_which_are_not_kept(client):
    name = f"tagged-{uuid.uuid4()}"
    made = client.create_collection(CollectionId=name, Tags={"Größe": "groß und schön", "owner": "a.b@example.org"})
    assert made["StatusCode"] == 200
    client.delete_collection(CollectionId=name)


def test_one_picture_has_another_image_id_in_each_collection(client, collection):
    other = f"other-{uuid.uuid4()}"
    client.create_collection(CollectionId=other)
    ids = {_index(client, name, picture(HOPPER))["FaceRecords"][0]["Face"]["ImageId"] for name in (collection, other)}
    assert len(ids) == 2
    client.delete_collection(CollectionId=other)


def test_a_collection_exists_once(client, collection):
    with pytest.raises(client.exceptions.ResourceAlreadyExistsException, match=collection):
        client.create_collection(CollectionId=collection)


def test_collections_are_listed_in_pages_each_once(client):
    names = sorted(f"page-{number}" for number in range(7))
    for name in names:
        client.create_collection(CollectionId=name)
    pages = list(client.get_paginator("list_collections").paginate(PaginationConfig={"PageSize": 2}))
    assert len(pages) >= 4
    listed = [name for page in pages for name in page["CollectionIds"] if name.startswith("page-")]
    assert listed == names
    for name in names:
        client.delete_collection(CollectionId=name)


def test_what_is_deleted_is_gone(client, collection):
    doomed = f"doomed-{uuid.uuid4()}"
    client.create_collection(CollectionId=doomed)
    (face,) = _face_ids(_index(client, doomed, picture(HOPPER)))
    client.delete_collection(CollectionId=doomed)
    for call in (
        lambda: client.describe_collection(CollectionId=doomed),
        lambda: client.delete_collection(CollectionId=doomed),
        lambda: client.list_faces(CollectionId=doomed),
        lambda: client.search_faces(CollectionId=doomed, FaceId=face),
        lambda: _index(client, doomed, picture(HOPPER)),
    ):
        with pytest.raises(client.exceptions.ResourceNotFoundException, match=doomed):
            call()


def test_faces_are_indexed_with_their_details_the_largest_first(client, collection):
    answer = _index(client, collection, both(larger=ASTRONAUT), "pair:1", DetectionAttributes=["ALL"])
    first, second = answer["FaceRecords"]
    assert first["Face"]["BoundingBox"]["Width"] > second["Face"]["BoundingBox"]["Width"]
    assert first["Face"]["ImageId"] == second["Face"]["ImageId"]
    assert first["Face"]["ExternalImageId"] == "pair:1"
    assert first["FaceDetail"]["BoundingBox"] == first["Face"]["BoundingBox"]
    assert "AgeRange" in first["FaceDetail"]
    assert answer["UnindexedFaces"] == []
    assert _listed(client, collection) == _face_ids(answer)


def test_the_same_picture_under_the_same_name_is_not_kept_twice(client, collection):
    first = _index(client, collection, picture(HOPPER), HOPPER_NAME)
    again = _index(client, collection, picture(HOPPER), HOPPER_NAME)
    assert _face_ids(again) == _face_ids(first)
    other = _index(client, collection, picture(HOPPER), "another_name")
    assert _face_ids(other) != _face_ids(first)
    assert len(_listed(client, collection)) == 2


def test_the_smallest_faces_go_when_there_are_more_than_asked_for(client, collection):
    answer = _index(client, collection, both(larger=HOPPER), MaxFaces=1)
    (kept,), (left,) = answer["FaceRecords"], answer["UnindexedFaces"]
    assert left["Reasons"] == ["EXCEEDS_MAX_FACES"]
    assert kept["Face"]["BoundingBox"]["Width"] > left["FaceDetail"]["BoundingBox"]["Width"]
    assert len(_listed(client, collection)) == 1


def test_faces_below_the_quality_bar_are_told_and_not_kept(client, collection):
    answer = _index(client, collection, crowd(4, 36), QualityFilter="HIGH")
    assert answer["FaceRecords"] == []
    assert len(answer["UnindexedFaces"]) == 4
    assert all("SMALL_BOUNDING_BOX" in face["Reasons"] for face in answer["UnindexedFaces"])
    assert _listed(client, collection) == []


def test_a_picture_of_nobody_indexes_nothing(client, collection):
    answer = _index(client, collection, empty())
    assert (answer["FaceRecords"], answer["UnindexedFaces"]) == ([], [])


def test_no_more_than_a_hundred_faces_of_a_picture_are_indexed(client, collection):
    answer = _index(client, collection, crowd(110), QualityFilter="NONE", MaxFaces=4000)
    assert 90 <= len(answer["FaceRecords"]) + len(answer["UnindexedFaces"]) <= 100


def test_faces_are_listed_in_pages_in_order(client, collection):
    ids = _face_ids(_index(client, collection, crowd(9)))
    pages = list(client.get_paginator("list_faces").paginate(CollectionId=collection, PaginationConfig={"PageSize": 4}))
    assert [len(page["Faces"]) for page in pages] == [4, 4, 1]
    assert [face["FaceId"] for page in pages for face in page["Faces"]] == ids
    assert set(_listed(client, collection, FaceIds=[ids[3], NOBODY, ids[0]])) == {ids[0], ids[3]}


def test_a_token_is_of_one_list_with_one_filter(client, collection):
    ids = _face_ids(_index(client, collection, crowd(3)))
    token = client.list_faces(CollectionId=collection, MaxResults=1)["NextToken"]
    with pytest.raises(client.exceptions.InvalidPaginationTokenException):
        client.list_faces(CollectionId=collection, FaceIds=ids, NextToken=token)


@pytest.mark.parametrize("number", ["abc", "-1", "9" * 40, ""])
def test_a_token_with_another_place_in_it_is_refused(client, collection, number):
    _index(client, collection, crowd(3))
    token = client.list_faces(CollectionId=collection, MaxResults=1)["NextToken"]
    mark = base64.urlsafe_b64decode(token).decode().partition("/")[0]
    forged = base64.urlsafe_b64encode(f"{mark}/{number}".encode()).decode()
    with pytest.raises(client.exceptions.InvalidPaginationTokenException):
        client.list_faces(CollectionId=collection, NextToken=forged)


@pytest.mark.parametrize("token", ["rubbish", "cnViYmlzaA==", "%%%", "é"])
def test_a_token_that_is_none_is_refused(client, collection, token):
    with pytest.raises(client.exceptions.InvalidPaginationTokenException, match="begin again without"):
        client.list_faces(CollectionId=collection, NextToken=token)


def test_a_token_of_another_list_is_refused(client, collection):
    _index(client, collection, crowd(3))
    token = client.list_faces(CollectionId=collection, MaxResults=1)["NextToken"]
    with pytest.raises(client.exceptions.InvalidPaginationTokenException):
        client.list_users(CollectionId=collection, NextToken=token)


def test_deleted_faces_are_found_no_more(client, collection):
    (first,) = _face_ids(_index(client, collection, picture(HOPPER), HOPPER_NAME))
    (second,) = _face_ids(_index(client, collection, picture(HOPPER, "dark"), HOPPER_NAME))
    assert {match["Face"]["FaceId"] for match in _found(client, collection, HOPPER)} == {first, second}
    answer = client.delete_faces(CollectionId=collection, FaceIds=[first, NOBODY])
    assert answer["DeletedFaces"] == [first]
    assert answer["UnsuccessfulFaceDeletions"] == [{"FaceId": NOBODY, "Reasons": ["FACE_NOT_FOUND"]}]
    assert [match["Face"]["FaceId"] for match in _found(client, collection, HOPPER)] == [second]
    with pytest.raises(client.exceptions.InvalidParameterException, match=first):
        client.search_faces(CollectionId=collection, FaceId=first)


def _found(client, collection, name, **options):
    return client.search_faces_by_image(CollectionId=collection, Image={"Bytes": picture(name, "light")}, **options)[
        "FaceMatches"
    ]


@pytest.fixture
def people(client, collection):
    for change in ("", "dark", "soft", "small"):
        _index(client, collection, picture(HOPPER, change), HOPPER_NAME)
    _index(client, collection, picture(ASTRONAUT), ASTRONAUT_NAME)
    return collection


@pytest.mark.parametrize(("name", "known_as", "count"), [(HOPPER, HOPPER_NAME, 4), (ASTRONAUT, ASTRONAUT_NAME, 1)])
def test_a_picture_finds_the_person_and_nobody_else(client, people, name, known_as, count):
    matches = _found(client, people, name)
    assert [match["Face"]["ExternalImageId"] for match in matches] == [known_as] * count
    similar = [match["Similarity"] for match in matches]
    assert similar == sorted(similar, reverse=True)
    assert all(80 <= one <= 100 for one in similar)


def test_at_most_so_many_matches_come_and_they_are_the_nearest(client, people):
    everything = _found(client, people, HOPPER)
    assert _found(client, people, HOPPER, MaxFaces=2) == everything[:2]


def test_a_threshold_is_kept(client, people):
    assert len(_found(client, people, HOPPER, FaceMatchThreshold=0)) == 5
    assert _found(client, people, HOPPER, FaceMatchThreshold=100) == []


def test_only_the_largest_face_of_a_picture_is_searched(client, people):
    for larger, known_as in ((HOPPER, HOPPER_NAME), (ASTRONAUT, ASTRONAUT_NAME)):
        answer = client.search_faces_by_image(CollectionId=people, Image={"Bytes": both(larger)})
        assert {match["Face"]["ExternalImageId"] for match in answer["FaceMatches"]} == {known_as}
        assert (answer["SearchedFaceBoundingBox"]["Left"] < 0.5) == (larger == HOPPER)


def test_a_picture_without_a_face_cannot_be_searched(client, people):
    with pytest.raises(client.exceptions.InvalidParameterException, match="no face was found in Image"):
        client.search_faces_by_image(CollectionId=people, Image={"Bytes": empty()})


def test_a_face_finds_others_like_it_and_not_itself(client, people):
    face = client.list_faces(CollectionId=people)["Faces"][0]
    answer = client.search_faces(CollectionId=people, FaceId=face["FaceId"])
    assert answer["SearchedFaceId"] == face["FaceId"]
    assert len(answer["FaceMatches"]) == 3
    assert face["FaceId"] not in {match["Face"]["FaceId"] for match in answer["FaceMatches"]}
    assert len(client.search_faces(CollectionId=people, FaceId=face["FaceId"], MaxFaces=1)["FaceMatches"]) == 1


def test_a_face_that_is_not_there_is_named(client, people):
    with pytest.raises(client.exceptions.InvalidParameterException, match=NOBODY):
        client.search_faces(CollectionId=people, FaceId=NOBODY)
