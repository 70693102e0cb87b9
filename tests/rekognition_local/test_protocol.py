"""Requests are checked against botocore's service model; what is wrong is an error under AWS's name."""

import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekognition_local.protocol import ServiceError, compiled, operation_named, parse, service_model

DETECT_FACES = "RekognitionService.DetectFaces"


def _parse(body, operation="DetectFaces"):
    return parse(operation_named(f"RekognitionService.{operation}"), json.dumps(body).encode())


def _refusal(body, operation="DetectFaces"):
    with pytest.raises(ServiceError) as raised:
        _parse(body, operation)
    return raised.value


def test_bytes_arrive_decoded_and_unknown_members_are_dropped_as_aws_does():
    picture = base64.b64encode(b"\xff\xd8\xffpicture").decode()
    call = _parse({"Image": {"Bytes": picture}, "Attributes": ["ALL"], "Surprise": 1})
    assert call.operation == "DetectFaces"
    assert call.params == {"Image": {"Bytes": b"\xff\xd8\xffpicture"}, "Attributes": ["ALL"]}


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({}, "InvalidParameterException", "Image is missing"),
        ({"Image": None}, "InvalidParameterException", "Image is missing"),
        ({"Image": {"Bytes": ""}}, "InvalidParameterException", "Image.Bytes is empty"),
        ({"Image": {"Bytes": "%%%"}}, "SerializationException", "Image.Bytes is not base64"),
        ({"Image": {"Bytes": "é"}}, "SerializationException", "Image.Bytes is not base64"),
        ({"Image": {"Bytes": 5}}, "SerializationException", "Image.Bytes is 5; it must be a base64 string"),
        ({"Image": []}, "SerializationException", "Image is []; it must be an object"),
        ({"Image": {}, "Attributes": "ALL"}, "SerializationException", "Attributes is 'ALL'; it must be a list"),
        ({"Image": {}, "Attributes": ["SMILE", "FRECKLES"]}, "InvalidParameterException", "Attributes[1] is 'FRECKLES'"),
        ({"Image": {"S3Object": {"Bucket": "ab"}}}, "InvalidParameterException", "Image.S3Object.Bucket has 2 characters"),
        ({"Image": {"S3Object": {"Bucket": "a/b/c"}}}, "InvalidParameterException", "does not match"),
        ([], "SerializationException", "the request is []; it must be an object"),
    ],
)
def test_a_wrong_member_is_named_with_its_value(body, code, words):
    error = _refusal(body)
    assert error.code == code
    assert words in str(error)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"FaceId": "x"}, "FaceId is 'x', which does not match"),
        ({"MaxFaces": 0}, "the least is 1"),
        ({"FaceMatchThreshold": 101}, "the most is 100"),
    ],
)
def test_other_operations_are_checked_the_same_way(members, words):
    usual = {"CollectionId": "people", "FaceId": "00000000-0000-0000-0000-000000000000"}
    assert words in str(_refusal(usual | members, "SearchFaces"))


def test_a_number_may_not_be_a_truth_value():
    assert _refusal({"CollectionId": "people", "MaxResults": True}, "ListFaces").code == "SerializationException"


def test_every_pattern_of_the_service_model_can_be_checked():
    model = service_model()
    patterns = {model.shape_for(name).metadata.get("pattern") for name in model.shape_names}
    assert len([compiled(pattern) for pattern in patterns if pattern]) > 20


@pytest.mark.parametrize("body", [b'{"a": NaN}', b'{"a": Infinity}', b'{"a": -Infinity}'])
def test_numbers_that_json_does_not_have_are_refused(body):
    with pytest.raises(ServiceError, match="no number that JSON has"):
        parse(operation_named(DETECT_FACES), body)


def test_a_request_of_very_many_members_is_refused_before_it_is_taken_apart():
    with pytest.raises(ServiceError, match="more than 50000 members"):
        parse(operation_named(DETECT_FACES), b'{"x": [' + b"1," * 60_000 + b"1]}")


def test_half_a_letter_is_no_text():
    assert _refusal({"Image": {"S3Object": {"Bucket": "abc", "Name": "a\ud800"}}}).code == "SerializationException"


def test_what_is_not_json_is_a_serialization_error():
    with pytest.raises(ServiceError, match="not JSON") as raised:
        parse(operation_named(DETECT_FACES), b'{"Image": ')
    assert raised.value.code == "SerializationException"


@pytest.mark.parametrize("target", [None, "", "DetectFaces", "RekognitionService.FindUnicorns", "DynamoDB_20120810.GetItem"])
def test_a_target_that_is_no_operation_is_unknown(target):
    with pytest.raises(ServiceError, match="no operation") as raised:
        operation_named(target)
    assert raised.value.code == "UnknownOperationException"


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("InvalidImageFormatException", 400),
        ("ImageTooLargeException", 400),
        ("InvalidParameterException", 400),
        ("InvalidS3ObjectException", 400),
        ("AccessDeniedException", 400),
        ("ProvisionedThroughputExceededException", 400),
        ("ThrottlingException", 500),
        ("InternalServerError", 500),
        ("UnknownOperationException", 400),
    ],
)
def test_errors_have_the_status_and_body_of_aws(code, status):
    error = ServiceError(code, "Because.")
    body = json.loads(error.body("request-1"))
    assert error.status == status
    assert body == {"__type": code, "Code": code, "Logref": "request-1", "Message": "Because."}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["Image", "Bytes", "S3Object", "x"]), inner),
    max_leaves=8,
)


@given(body=json_values, operation=st.sampled_from(sorted(service_model().operation_names)))
def test_any_json_is_a_call_or_a_service_error(body, operation):
    with contextlib.suppress(ServiceError):
        assert _parse(body, operation).operation == operation
