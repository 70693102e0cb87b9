"""DetectFaces through boto3, as a user calls it: real pictures, real wire, answers in the shapes of the service model."""

import numpy as np
import pytest
from botocore.exceptions import ClientError

from rekognition_local.protocol import service_model
from tests.vision.scenes import (
    ASTRONAUT,
    FACES,
    HOPPER,
    background,
    jpeg,
    place,
    portrait,
    portrait_bytes,
    with_orientation,
)

OUTPUT = service_model().operation_model("DetectFaces").output_shape
ALWAYS = {"BoundingBox", "Confidence", "Quality", "Landmarks", "Pose"}
UNANSWERED = {"Eyeglasses", "Sunglasses", "Beard", "Mustache", "FaceOccluded", "EyeDirection"}


def _answer(client, picture, *attributes):
    response = client.detect_faces(Image={"Bytes": picture}, **({"Attributes": list(attributes)} if attributes else {}))
    meta = response.pop("ResponseMetadata")
    assert meta["HTTPStatusCode"] == 200
    return response


@pytest.mark.parametrize("attributes", [(), ("DEFAULT",), ("ALL",), ("SMILE", "AGE_RANGE"), ("BEARD",), ("ALL", "DEFAULT")])
@pytest.mark.parametrize("name", [HOPPER, ASTRONAUT])
def test_whatever_is_asked_for_there_is_one_face(client, name, attributes):
    response = _answer(client, portrait_bytes(name), *attributes)
    assert len(response["FaceDetails"]) == 1


def test_default_is_the_five_members_aws_documents(client):
    (face,) = _answer(client, portrait_bytes(HOPPER))["FaceDetails"]
    assert set(face) == ALWAYS
    assert [point["Type"] for point in face["Landmarks"]] == ["eyeLeft", "eyeRight", "mouthLeft", "mouthRight", "nose"]


def test_all_is_everything_but_what_no_model_here_can_tell(client):
    (face,) = _answer(client, portrait_bytes(HOPPER), "ALL")["FaceDetails"]
    shape = OUTPUT.members["FaceDetails"].member
    assert set(face) == set(shape.members) - UNANSWERED
    assert {point["Type"] for point in face["Landmarks"]} == set(shape.members["Landmarks"].member.members["Type"].enum)
    assert "CONFUSED" not in {emotion["Type"] for emotion in face["Emotions"]}


def test_what_is_asked_for_comes_with_the_default_members(client):
    (face,) = _answer(client, portrait_bytes(ASTRONAUT), "SMILE", "SUNGLASSES")["FaceDetails"]
    assert set(face) == ALWAYS | {"Smile"}
    assert face["Smile"]["Value"] is True


def test_boxes_are_fractions_where_the_faces_are(client):
    scene = background(1280, 720)
    place(scene, HOPPER, (300, 300), 200)
    place(scene, ASTRONAUT, (1000, 500), 100, closeup=True)
    faces = _answer(client, jpeg(scene))["FaceDetails"]
    middles = [
        ((box["Left"] + box["Width"] / 2) * 1280, (box["Top"] + box["Height"] / 2) * 720)
        for box in (face["BoundingBox"] for face in faces)
    ]
    assert middles == [pytest.approx((300, 300), abs=20), pytest.approx((1000, 500), abs=20)]
    width = FACES[HOPPER][2] * 200 / FACES[HOPPER][3]
    assert faces[0]["BoundingBox"]["Width"] * 1280 == pytest.approx(width, rel=0.2)


def test_a_picture_without_faces_has_an_empty_list(client):
    assert _answer(client, jpeg(background(640, 480))) == {"FaceDetails": []}


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"Image": {"Bytes": b"GIF89a......"}}, "InvalidImageFormatException"),
        ({"Image": {"Bytes": portrait_bytes(HOPPER)[:9000]}}, "InvalidImageFormatException"),
        ({"Image": {"Bytes": portrait_bytes(HOPPER) + b"\0" * 6_000_000}}, "ImageTooLargeException"),
        ({"Image": {"Bytes": jpeg(background(79, 79))}}, "InvalidParameterException"),
        ({"Image": {}}, "InvalidParameterException"),
        ({"Image": {"Bytes": portrait_bytes(HOPPER)}, "Attributes": ["FRECKLES"]}, "InvalidParameterException"),
        ({"Image": {"S3Object": {"Bucket": "photos", "Name": "x.jpg"}}}, "InvalidS3ObjectException"),
    ],
)
def test_an_error_reaches_boto3_as_the_exception_of_that_name(client, params, code):
    with pytest.raises(client.exceptions.from_code(code)) as raised:
        client.detect_faces(**params)
    meta = raised.value.response["ResponseMetadata"]
    assert meta["HTTPStatusCode"] == 400
    assert meta["RequestId"]
    assert raised.value.response["Error"]["Message"]


@pytest.mark.parametrize("operation", ["RecognizeCelebrities", "DetectText", "DetectModerationLabels", "StartFaceDetection"])
def test_an_operation_without_a_model_is_named_and_not_answered_with_a_guess(client, operation):
    picture = {"Bytes": portrait_bytes(HOPPER)}
    params = {"Video": {"S3Object": {"Bucket": "films", "Name": "a.mp4"}}} if "Start" in operation else {"Image": picture}
    with pytest.raises(ClientError, match=f"{operation} is not answered: the local server has no model for it") as raised:
        client._make_api_call(operation, params)
    assert raised.value.response["Error"]["Code"] == "UnknownOperationException"


def test_a_sideways_jpeg_is_read_as_its_exif_says_and_a_png_is_not_turned(client):
    upright = _answer(client, portrait_bytes(HOPPER))["FaceDetails"][0]
    (turned,) = _answer(client, with_orientation(jpeg(np.rot90(portrait(HOPPER))), 6))["FaceDetails"]
    assert turned["BoundingBox"]["Left"] == pytest.approx(upright["BoundingBox"]["Left"], abs=0.02)
    assert turned["Pose"]["Roll"] == pytest.approx(upright["Pose"]["Roll"], abs=3)
