"""Whatever a request holds, the answer is of the operation's shape or a modelled error: never a 500, never silence."""

import base64
import http.client
import json
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rekognition_local.images import MAX_BYTES
from rekognition_local.protocol import service_model
from tests.rekognition_local.people import HOPPER_NAME, NOBODY, both, picture
from tests.rekognition_local.shapes import check_answer
from tests.vision.scenes import ASTRONAUT, HOPPER, jpeg, png, portrait

COLLECTION = "requests"
PICTURE = {"Bytes": base64.b64encode(picture(HOPPER, "small")).decode()}
HERE = {"CollectionId": COLLECTION}
RIGHT = {
    "DetectFaces": {"Image": PICTURE, "Attributes": ["SMILE"]},
    "CompareFaces": {"SourceImage": PICTURE, "TargetImage": PICTURE, "SimilarityThreshold": 80, "QualityFilter": "AUTO"},
    "DescribeCollection": HERE,
    "ListCollections": {"MaxResults": 2},
    "IndexFaces": HERE | {"Image": PICTURE, "ExternalImageId": "a", "MaxFaces": 1, "DetectionAttributes": ["DEFAULT"]},
    "ListFaces": HERE | {"MaxResults": 2, "FaceIds": [NOBODY]},
    "DeleteFaces": HERE | {"FaceIds": [NOBODY]},
    "SearchFaces": HERE | {"FaceId": NOBODY, "MaxFaces": 3, "FaceMatchThreshold": 50.5},
    "SearchFacesByImage": HERE | {"Image": PICTURE, "MaxFaces": 3, "FaceMatchThreshold": 50},
    "ListUsers": HERE | {"MaxResults": 2},
    "DeleteUser": HERE | {"UserId": "ghost", "ClientRequestToken": "token"},
    "AssociateFaces": HERE | {"UserId": "grace", "FaceIds": [NOBODY], "UserMatchThreshold": 75},
    "DisassociateFaces": HERE | {"UserId": "grace", "FaceIds": [NOBODY]},
    "SearchUsers": HERE | {"UserId": "grace", "MaxUsers": 2},
    "SearchUsersByImage": HERE | {"Image": PICTURE, "QualityFilter": "LOW"},
    "DetectLabels": {"Image": PICTURE, "MaxLabels": 5, "Features": ["GENERAL_LABELS"], "MinConfidence": 50},
}
GENERAL = {"SerializationException", "InvalidParameterException"}

wrong = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=40),
    st.sampled_from(["", "ALL", "../..", "a" * 5000, "\0", "null", "' OR 1=1 --"]),
    st.lists(st.text(max_size=5), max_size=3),
    st.dictionaries(st.sampled_from(["Bytes", "S3Object", "Bucket", "Name", "x"]), st.text(max_size=9), max_size=3),
    st.just({"S3Object": {"Bucket": "photos", "Name": "a.jpg"}}),
    st.binary(max_size=200).map(lambda data: {"Bytes": base64.b64encode(data).decode()}),
)


@pytest.fixture(scope="module", autouse=True)
def collection(client):
    client.create_collection(CollectionId=COLLECTION)
    client.create_user(CollectionId=COLLECTION, UserId="grace")
    client.index_faces(CollectionId=COLLECTION, Image={"Bytes": picture(HOPPER)}, ExternalImageId=HOPPER_NAME)
    yield
    client.delete_collection(CollectionId=COLLECTION)


@pytest.fixture(scope="module")
def ask(server):
    """Send a body as it is, and return status, members and bytes of the answer."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=30)

    def exchange(operation, body):
        connection.request("POST", "/", body, {"X-Amz-Target": f"RekognitionService.{operation}"})
        response = connection.getresponse()
        data = response.read()
        assert response.getheader("x-amzn-requestid")
        return response.status, json.loads(data), data

    yield exchange
    connection.close()


def test_every_operation_that_is_answered_is_tried_here(client):
    with pytest.raises(Exception, match="it answers") as raised:
        client.detect_text(Image={"Bytes": picture(HOPPER)})
    answered = str(raised.value).partition("it answers ")[2].split(", ")
    assert set(answered) - set(RIGHT) == {"CreateCollection", "DeleteCollection", "CreateUser"}  # which make something


def _judge(operation, status, members, data):
    model = service_model().operation_model(operation)
    if status == 200:
        check_answer(model, data)
    else:
        modelled = {shape.name for shape in model.error_shapes} | GENERAL
        assert members["__type"] in modelled - {"InternalServerError"}, members
        assert members["Message"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_request_with_anything_wrong_in_it_has_a_modelled_error(ask, data):
    operation = data.draw(st.sampled_from(sorted(RIGHT)))
    members = dict(RIGHT[operation])
    known = sorted(service_model().operation_model(operation).input_shape.members)
    for name in data.draw(st.lists(st.sampled_from(known), min_size=1, max_size=3)):
        members[name] = data.draw(wrong)
    status, answer, body = ask(operation, json.dumps(members).encode())
    _judge(operation, status, answer, body)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=300), operation=st.sampled_from(sorted(RIGHT)))
def test_a_body_of_any_bytes_has_a_modelled_error(ask, body, operation):
    status, answer, data = ask(operation, body)
    _judge(operation, status, answer, data)


@pytest.mark.parametrize("operation", sorted(RIGHT))
def test_a_right_request_is_answered(ask, operation):
    status, answer, body = ask(operation, json.dumps(RIGHT[operation]).encode())
    missing = {"SearchFaces", "DeleteUser"}  # of a face and a user that are not there
    assert (status == 200) != (operation in missing), answer
    _judge(operation, status, answer, body)


@pytest.mark.parametrize("depth", [1000, 200_000])
def test_a_deeply_nested_request_is_refused(ask, depth):
    status, answer, _ = ask("DetectFaces", b'{"Image":' + b"[" * depth + b"]" * depth + b"}")
    assert (status, answer["__type"]) == (400, "SerializationException")


def _bomb_png(side):
    """A PNG of side x side that says so in a few hundred bytes, and would unpack to gigabytes."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _jpeg_of(width, height):
    data = bytearray(picture(HOPPER))
    start = data.index(b"\xff\xc0") + 5
    data[start : start + 4] = struct.pack(">HH", height, width)
    return bytes(data)


HOSTILE = {
    "png bomb": (_bomb_png(60_000), "ImageTooLargeException"),
    "jpeg bomb": (_jpeg_of(65_500, 65_500), "ImageTooLargeException"),
    "png without pixels": (_bomb_png(300)[:40], "InvalidImageFormatException"),
    "png that ends early": (png(portrait(ASTRONAUT))[:-5000], "InvalidImageFormatException"),
    "jpeg that ends early": (picture(HOPPER)[:-5000], "InvalidImageFormatException"),
    "only a beginning": (b"\xff\xd8\xff", "InvalidImageFormatException"),
    "a page": (b"<html>" * 100, "InvalidImageFormatException"),
    "too many bytes": (picture(HOPPER) + b"\0" * MAX_BYTES, "ImageTooLargeException"),
    "narrow": (jpeg(portrait(HOPPER)[:, :79]), "InvalidParameterException"),
}
TAKES_A_PICTURE = ("DetectFaces", "IndexFaces", "SearchFacesByImage", "SearchUsersByImage", "DetectLabels")


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("operation", TAKES_A_PICTURE)
def test_a_hostile_picture_is_refused_by_aws_name(ask, operation, kind):
    data, code = HOSTILE[kind]
    image = {"Image": {"Bytes": base64.b64encode(data).decode()}}
    status, answer, _ = ask(operation, json.dumps(RIGHT[operation] | image).encode())
    assert (status, answer["__type"]) == (400, code)


def test_sixty_four_clients_at_once_get_their_own_answers(client):
    calls = [
        (lambda: len(client.detect_faces(Image={"Bytes": both(HOPPER)})["FaceDetails"]), 2),
        (
            lambda: client.search_faces_by_image(**HERE, Image={"Bytes": picture(HOPPER)})["FaceMatches"][0]["Similarity"] > 90,
            True,
        ),
        (lambda: client.search_faces_by_image(**HERE, Image={"Bytes": picture(ASTRONAUT)})["FaceMatches"], []),
        (lambda: client.list_faces(**HERE, FaceIds=[NOBODY])["Faces"], []),
    ] * 16
    with ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(lambda call: call[0](), calls))
    assert answers == [expected for _, expected in calls]
