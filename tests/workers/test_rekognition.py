"""The edge to Rekognition: one call is one request, and each way to fail has its name."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters

import pipeline.entities
from pipeline.entities import Frame, S3Object
from pipeline.errors import ProviderError
from pipeline.provider import Provider
from pipeline.settings import load
from rekognition_local.protocol import Operation
from rekognition_local.server import Server
from rekstream import environment
from tests.endpoint import Endpoint
from tests.rekognition_local.people import empty, picture
from tests.vision.scenes import HOPPER
from workers import rekognition
from workers.rekognition import BotoRekognition, CallFailed, request_of
from workers.timed_http import time_calls


def client_of(url: str, read_timeout: float = 5.0) -> BotoRekognition:
    return BotoRekognition(Provider("endpoint", "us-east-1", url), 4, 1.0, read_timeout)


@pytest.fixture(autouse=True)
def _no_credentials_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as server:
        yield server


def test_an_answer_is_rekognitions_own_without_the_sdks_metadata(endpoint: Endpoint) -> None:
    answer = client_of(endpoint.url).detect_faces_of({"Bytes": b"jpeg"}, ["ALL"])
    assert set(answer.response) == {"FaceDetails"}
    assert answer.response["FaceDetails"][0]["Smile"]["Value"] is True


def test_the_request_is_what_botocores_service_model_describes(endpoint: Endpoint) -> None:
    client_of(endpoint.url).detect_faces_of({"Bytes": b"jpeg"}, ["SMILE", "EMOTIONS"])
    shape = botocore.session.get_session().get_service_model("rekognition").operation_model("DetectFaces").input_shape
    validate_parameters(endpoint.bodies[0], shape)
    assert endpoint.bodies[0] == {"Image": {"Bytes": "anBlZw=="}, "Attributes": ["SMILE", "EMOTIONS"]}


JPEG = Frame("photo-1", 1, 0.0, b"jpeg", 80, 80)
ON_S3 = S3Object("photos", "a.jpg", "v1")


@pytest.mark.parametrize(
    ("frame", "sent"),
    [
        (replace(JPEG, attributes=("SMILE",)), 4),
        (replace(JPEG, jpeg=b"", place=ON_S3), 0),
        (replace(JPEG, operation="DetectLabels", options={"MinConfidence": 70.0, "MaxLabels": 5}), 4),
        (replace(JPEG, operation="CompareFaces", target=b"another", options={"SimilarityThreshold": 80.0}), 11),
        (replace(JPEG, operation="CompareFaces", target=S3Object("photos", "b.jpg")), 4),
        (replace(JPEG, operation="SearchFacesByImage", options={"CollectionId": "staff", "_Track": "door-1"}), 4),
        (replace(JPEG, operation="IndexFaces", options={"CollectionId": "staff", "ExternalImageId": "p_1"}), 4),
        (replace(JPEG, jpeg=b"", operation="CreateUser", options={"CollectionId": "staff", "UserId": "p_1", "_For": 1}), 0),
        (replace(JPEG, jpeg=b"", operation="ListFaces", options={"CollectionId": "staff"}), 0),
    ],
)
def test_what_a_frame_asks_is_a_request_of_the_service_model(frame: Frame, sent: int) -> None:
    request, sent_bytes = request_of(frame)
    shape = botocore.session.get_session().get_service_model("rekognition").operation_model(frame.operation).input_shape
    validate_parameters(request, shape)
    assert sent_bytes == sent


def test_every_operation_can_be_called() -> None:
    """A life of a collection on the local server, by each operation that there is."""
    with Server() as server:
        client = client_of(server.url)

        def ask(operation: str, picture: bytes = b"", **options: object) -> Mapping[str, Any]:
            frame = replace(JPEG, jpeg=picture, operation=operation, options={"CollectionId": "staff", **options})
            asked.add(operation)
            return client.call(operation, request_of(frame)[0]).response

        asked: set[str] = {"DetectFaces", "DetectLabels", "CompareFaces"}  # photos ask these
        assert ask("CreateCollection")["CollectionArn"].endswith("staff")
        face = ask("IndexFaces", picture(HOPPER), ExternalImageId="p_1")["FaceRecords"][0]["Face"]["FaceId"]
        assert ask("CreateUser", UserId="p_1") == {}
        assert ask("AssociateFaces", UserId="p_1", FaceIds=[face])["UserStatus"]
        assert [user["UserId"] for user in ask("ListUsers")["Users"]] == ["p_1"]
        about = ask("DescribeCollection")
        assert (about["FaceCount"], about["UserCount"]) == (1, 1)
        assert abs(json.loads(json.dumps(about))["CreationTimestamp"] - time.time()) < 60
        assert ask("SearchFacesByImage", picture(HOPPER, "light"))["FaceMatches"][0]["Face"]["FaceId"] == face
        assert ask("SearchFaces", FaceId=face)["FaceMatches"] == []
        assert ask("DisassociateFaces", UserId="p_1", FaceIds=[face])["UserStatus"]
        assert ask("ListFaces")["Faces"][0]["ExternalImageId"] == "p_1"
        assert ask("DeleteFaces", FaceIds=[face])["DeletedFaces"] == [face]
        assert ask("DeleteUser", UserId="p_1") == {}
        assert asked == set(pipeline.entities.Operation)
        client.close()


@pytest.mark.parametrize(
    ("operation", "options", "kind"),
    [
        ("CreateCollection", {}, "exists"),
        ("DescribeCollection", {"CollectionId": "nowhere"}, "absent"),
        ("CreateUser", {"UserId": "p_1"}, "conflict"),
        ("DeleteUser", {"UserId": "p_2"}, "absent"),
        ("SearchFacesByImage", {}, "no_face"),
        ("ListFaces", {"MaxResults": -1}, "request"),
    ],
)
def test_what_a_collection_refuses_has_its_kind(staff: str, operation: str, options: dict[str, Any], kind: str) -> None:
    frame = replace(JPEG, jpeg=empty(), operation=operation, options={"CollectionId": "staff", **options})
    with pytest.raises(CallFailed) as failure:
        client_of(staff).call(operation, request_of(frame)[0])
    assert failure.value.kind == kind


def test_amazons_words_for_no_face_are_known() -> None:
    words = {"Error": {"Code": "InvalidParameterException", "Message": "There are no faces in the image. Should be one."}}
    assert rekognition.classify(ClientError(words, "SearchFacesByImage")).kind == "no_face"


@pytest.fixture(scope="module")
def staff() -> Iterator[str]:
    """The URL of a server with one collection and one user."""
    with Server() as server:
        client = client_of(server.url)
        client.call("CreateCollection", {"CollectionId": "staff"})
        client.call("CreateUser", {"CollectionId": "staff", "UserId": "p_1"})
        yield server.url
        client.close()


def test_an_operation_of_a_newer_version_fails_its_frame_with_a_sentence() -> None:
    with pytest.raises(CallFailed, match="this worker does not know DetectText") as failure:
        client_of("http://127.0.0.1:9").call("DetectText", {})
    assert failure.value.kind == "request"


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        ("throttled", "throttled"),
        ("denied", "denied"),
        ("picture", "picture"),
        ("server", "server"),
        ("gateway", "server"),
        ("malformed", "answer"),
        ("other", "answer"),
        ("list", "answer"),
        ("odd", "answer"),
        ("reset", "connection"),
    ],
)
def test_each_fault_has_its_kind_and_is_not_repeated(behaviour: str, kind: str) -> None:
    with Endpoint(lambda number: behaviour) as endpoint:
        with pytest.raises(CallFailed) as failure:
            client_of(endpoint.url).detect_faces_of({"Bytes": b"jpeg"}, ["ALL"])
        assert failure.value.kind == kind
        assert len(endpoint.calls) == 1


def test_a_silent_service_is_given_up_after_the_read_timeout() -> None:
    with Endpoint(lambda number: "silent") as endpoint:
        started = time.monotonic()
        with pytest.raises(CallFailed) as failure:
            client_of(endpoint.url, read_timeout=0.3).detect_faces_of({"Bytes": b"jpeg"}, ["ALL"])
        assert failure.value.kind == "timeout"
        assert time.monotonic() - started < 3


def test_nobody_there_is_a_connection_failure() -> None:
    with pytest.raises(CallFailed) as failure:
        client_of("http://127.0.0.1:9").detect_faces_of({"Bytes": b"jpeg"}, ["ALL"])
    assert failure.value.kind == "connection"


def test_sending_and_waiting_are_told_apart() -> None:
    """A reader that takes the body slowly shows as upload; the service time is only what comes after the last byte."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)

    def read_slowly() -> None:
        connection, _ = listener.accept()
        data, deadline = b"", time.monotonic() + 20
        while b"\r\n\r\n" not in data and time.monotonic() < deadline:
            data += connection.recv(1024)
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        got = len(body)
        while got < length:
            time.sleep(0.005)
            got += len(connection.recv(8 * 1024))
        time.sleep(0.1)
        text = b'{"FaceDetails": []}'
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(text) + text)
        connection.close()

    thread = threading.Thread(target=read_slowly)
    thread.start()
    started = time.monotonic()
    answer = client_of(f"http://127.0.0.1:{listener.getsockname()[1]}").detect_faces_of({"Bytes": b"x" * 1_000_000}, ["ALL"])
    whole = time.monotonic() - started
    thread.join()
    listener.close()
    assert answer.service_seconds < whole / 2
    assert whole - answer.service_seconds > 0.4


def test_an_acknowledgement_that_is_kept_back_is_no_upload() -> None:
    """Receivers delay the last one by 40 ms; the service time is all of the 30 ms that the service takes, each time."""
    operations: dict[str, Operation] = {"DetectFaces": lambda params: time.sleep(0.03) or {"FaceDetails": []}}
    with Server(operations=operations) as server:
        client = client_of(server.url)
        times = [client.detect_faces_of({"Bytes": b"x" * 150_000}, ["ALL"]).service_seconds for _ in range(60)]
        client.close()
    assert min(times) > 0.01  # it was under a millisecond in one of twenty calls


def test_the_private_hook_of_botocore_is_still_there() -> None:
    """`time_calls` reaches for the pool manager of the client's HTTP session."""
    client = boto3.client(
        "rekognition", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b", endpoint_url="http://x"
    )
    time_calls(client)
    pool = client._endpoint.http_session._manager.connection_from_url("http://127.0.0.1:1")
    assert "Timed" in pool.ConnectionCls.__name__


def test_the_local_server_never_sees_credentials_that_lie_around(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    local = BotoRekognition(Provider("local", "us-east-1", endpoint.url), 1, 1, 1)
    assert local._client._request_signer._credentials.access_key == "local"


def test_keys_of_a_local_server_elsewhere_are_signed_with_and_never_sent_to_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    told = {"access_key": "ours", "secret_key": "made up"}
    local = Provider.of(load(**told), "http://10.0.0.7:9000")
    endpoint = Provider.of(load(**told, endpoint_url="http://10.0.0.7:9000"))
    paid = Provider.of(load(**told, provider="aws"))
    keys = [BotoRekognition(provider, 1, 1, 1)._client._request_signer._credentials for provider in (local, endpoint, paid)]
    assert [found.access_key for found in keys] == ["ours", "ours", "AKIAREAL"]
    assert "made up" not in repr(local)
    assert environment.of_children(load(**told, endpoint_url="http://10.0.0.7:9000"))["REKSTREAM_SECRET_KEY"] == "made up"
    assert "REKSTREAM_SECRET_KEY" not in environment.of_children(load(**told))  # the server that `up` starts is on loopback
    assert Provider.of(load(access_key="ours")).keys is None


@pytest.mark.parametrize("name", ["aws", "local"])
def test_a_profile_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(ProviderError, match=r"AWS_PROFILE cannot be used .*nobody.*: correct it, or unset it"):
        BotoRekognition(Provider(name, "us-east-1"), 1, 1, 1)


def test_aws_without_credentials_says_what_to_do() -> None:
    with pytest.raises(ProviderError, match="there are no AWS credentials: set AWS_PROFILE"):
        rekognition.account_of(Provider("aws", "us-east-1"))
