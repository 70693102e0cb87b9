"""DetectFaces through boto3, as a user calls it: real pictures, real wire, answers in the shapes of the service model."""

import pytest
from botocore.exceptions import ClientError
from botocore.model import ListShape, Shape, StructureShape

from rekognition_local.protocol import service_model
from tests.vision.scenes import ASTRONAUT, FACES, HOPPER, background, jpeg, place, portrait_bytes

OUTPUT = service_model().operation_model("DetectFaces").output_shape
ALWAYS = {"BoundingBox", "Confidence", "Quality", "Landmarks", "Pose"}
UNANSWERED = {"Eyeglasses", "Sunglasses", "Beard", "Mustache", "FaceOccluded", "EyeDirection"}


def check_shape(shape: Shape, value: object, path: str = "response") -> None:
    """Fail unless every member is one of the shape's, of its type, and within its bounds."""
    if isinstance(shape, StructureShape):
        assert isinstance(value, dict), path
        assert set(value) <= set(shape.members), path
        for name, member in value.items():
            check_shape(shape.members[name], member, f"{path}.{name}")
    elif isinstance(shape, ListShape):
        assert isinstance(value, list), path
        for index, item in enumerate(value):
            check_shape(shape.member, item, f"{path}[{index}]")
    else:
        types = {"float": float, "integer": int, "boolean": bool, "string": str}
        assert type(value) is types[shape.type_name], path
        if getattr(shape, "enum", None):
            assert value in shape.enum, path
        if "min" in shape.metadata:
            assert value >= shape.metadata["min"], path
        if "max" in shape.metadata:
            assert value <= shape.metadata["max"], path


def _answer(client, picture, *attributes):
    response = client.detect_faces(Image={"Bytes": picture}, **({"Attributes": list(attributes)} if attributes else {}))
    meta = response.pop("ResponseMetadata")
    assert meta["HTTPStatusCode"] == 200
    return response


@pytest.mark.parametrize("attributes", [(), ("DEFAULT",), ("ALL",), ("SMILE", "AGE_RANGE"), ("BEARD",), ("ALL", "DEFAULT")])
@pytest.mark.parametrize("name", [HOPPER, ASTRONAUT])
def test_an_answer_has_the_shape_of_the_service_model(client, name, attributes):
    response = _answer(client, portrait_bytes(name), *attributes)
    check_shape(OUTPUT, response)
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


def test_an_operation_that_is_not_written_yet_is_named(client):
    with pytest.raises(ClientError, match="CompareFaces is not answered by this local server yet") as raised:
        client.compare_faces(SourceImage={"Bytes": b"a"}, TargetImage={"Bytes": b"b"})
    assert raised.value.response["Error"]["Code"] == "UnknownOperationException"
