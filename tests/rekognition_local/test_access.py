"""Who is answered: anybody on this machine without keys, and with keys only who signs with them."""

import http.client
import json
import socket
import time

import boto3
import pytest
from botocore import UNSIGNED
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from pipeline.errors import SettingsError
from rekognition_local.access import CLOCK_SKEW_SECONDS, Request, SignedAccess, access_for
from rekognition_local.protocol import ServiceError
from rekognition_local.server import Server, ServerSettings
from tests.rekognition_local.conftest import client_for

LIST = {"X-Amz-Target": "RekognitionService.ListCollections"}
KEY, SECRET = "AKIAMADEUPFORTESTS", "a secret / with + odd = characters"
EMPTY = {"ListCollections": lambda _params: {"CollectionIds": []}, "DetectFaces": lambda _params: {"FaceDetails": []}}


@pytest.fixture(scope="module")
def signed():
    """A server that others could reach, where signatures are asked for."""
    with Server(ServerSettings(host="0.0.0.0", access_key=KEY, secret_key=SECRET), EMPTY) as server:
        yield server.url.replace("0.0.0.0", "127.0.0.1")


def _code(client):
    with pytest.raises(ClientError) as raised:
        client.list_collections()
    client.close()
    return raised.value.response["Error"]["Code"]


def test_who_signs_with_the_key_is_answered(signed):
    client = client_for(signed, KEY, SECRET)
    assert client.list_collections()["CollectionIds"] == []
    assert client.detect_faces(Image={"Bytes": b"x" * 500_000})["FaceDetails"] == []
    client.close()


@pytest.mark.parametrize(
    ("key", "secret", "code"),
    [(KEY, "another secret", "InvalidSignatureException"), ("AKIASOMEBODYELSE", SECRET, "UnrecognizedClientException")],
)
def test_another_key_or_secret_is_refused(signed, key, secret, code):
    assert _code(client_for(signed, key, secret)) == code


def test_a_refusal_reaches_a_client_that_sends_a_large_picture(signed):
    client = client_for(signed, "AKIASOMEBODYELSE", SECRET)
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        client.detect_faces(Image={"Bytes": b"x" * 5_000_000})
    client.close()


def test_who_does_not_sign_is_refused(signed):
    config = Config(signature_version="UNSIGNED".lower(), retries={"total_max_attempts": 1})

    client = boto3.client(
        "rekognition", "us-east-1", endpoint_url=signed, config=config.merge(Config(signature_version=UNSIGNED))
    )
    assert _code(client) == "MissingAuthenticationTokenException"


def _exchange(url, method, path, headers=None, body=b""):
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    answer = response.status, json.loads(response.read())
    connection.close()
    return answer


def test_everybody_may_ask_whether_it_is_up_and_nothing_else(signed):
    assert _exchange(signed, "GET", "/healthz") == (200, {"status": "ok"})
    for method, path in (("GET", "/stats"), ("GET", "/rehearsal"), ("PUT", "/rehearsal")):
        status, body = _exchange(signed, method, path)
        assert (status, body["__type"]) == (400, "MissingAuthenticationTokenException")


@pytest.mark.parametrize("path", ["/healthz", "//healthz", "/healthz?x=1", "/healthz/", "/", "/HEALTHZ"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_no_path_and_method_lead_around_the_signature(signed, method, path):
    connection = http.client.HTTPConnection(signed.removeprefix("http://"))
    connection.request(method, path, b"{}", LIST)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    assert response.status in (400, 501)
    assert b"CollectionIds" not in body


def test_a_stranger_who_sends_much_gets_the_answer_all_the_same(signed):
    """Its body is read and thrown away: closing before would reset the connection, and the answer with it."""
    with socket.create_connection(signed.removeprefix("http://").split(":")) as raw:
        raw.sendall(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 30000000\r\n\r\n" + b"x" * 30_000_000)
        raw.settimeout(10)
        assert b"MissingAuthenticationTokenException" in raw.recv(2000)


def test_a_rehearsal_can_be_changed_with_a_signature(signed):
    body = b'{"errors": 0.0}'
    request = AWSRequest("PUT", f"{signed}/rehearsal", data=body)
    SigV4Auth(Credentials(KEY, SECRET), "rekognition", "us-east-1").add_auth(request)
    status, answer = _exchange(signed, "PUT", "/rehearsal", dict(request.headers.items()), body)
    assert (status, answer["errors"]) == (200, 0.0)


def _request(**changes):
    request = AWSRequest("POST", "http://here:9000/", data=b"{}", headers={"Host": "here:9000", "X-Amz-Target": "T"})
    SigV4Auth(Credentials(KEY, SECRET), changes.pop("service", "rekognition"), "eu-west-1").add_auth(request)
    headers = {name.lower(): value for name, value in request.headers.items()} | changes.pop("headers", {})
    return Request(changes.get("method", "POST"), changes.get("path", "/"), headers, changes.get("sent", b"{}"))


def _refusal(request, clock=time.time):
    with pytest.raises(ServiceError) as raised:
        SignedAccess(KEY, SECRET, clock).check(request)
    return f"{raised.value.code}: {raised.value}"


def test_a_signature_of_botocores_is_right():
    SignedAccess(KEY, SECRET).check(_request())


@pytest.mark.parametrize(
    "changes",
    [
        {"sent": b'{"changed": 1}'},
        {"method": "PUT"},
        {"path": "/stats"},
        {"path": "/?a=b"},
        {"headers": {"host": "there:9000"}},
        {"headers": {"x-amz-target": "RekognitionService.DeleteCollection"}},
    ],
)
def test_a_signature_fits_one_request_only(changes):
    assert _refusal(_request(**changes)).startswith("InvalidSignatureException: the signature does not fit")


@pytest.mark.parametrize("said", ["UNSIGNED-PAYLOAD", "0" * 64])
def test_a_hash_that_was_signed_must_be_the_bodys(said):
    headers = {"Host": "here:9000", "X-Amz-Target": "T", "X-Amz-Content-SHA256": said}
    request = AWSRequest("POST", "http://here:9000/", data=b"{}", headers=headers)
    SigV4Auth(Credentials(KEY, SECRET), "rekognition", "eu-west-1").add_auth(request)
    sent = {name.lower(): value for name, value in request.headers.items()}
    assert "is not the hash of the body" in _refusal(Request("POST", "/", sent, b"{}"))


def test_a_signature_without_a_host_is_refused():
    request = _request()
    headers = {name: value for name, value in request.headers.items() if name != "host"}
    assert "the header host must be signed" in _refusal(Request("POST", "/", headers, b"{}"))


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"x-amz-surprise": "1"}, "the header x-amz-surprise must be signed"),
        ({"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}, "must be signed"),
        ({"x-amz-date": "yesterday"}, "X-Amz-Date is 'yesterday'"),
        ({"x-amz-date": "20200101T000000Z"}, "is not of the day"),
        ({"authorization": "AWS4-HMAC-SHA256 nonsense"}, "IncompleteSignatureException"),
        ({"authorization": "Bearer abc"}, "IncompleteSignatureException"),
    ],
)
def test_what_is_wrong_with_a_signature_is_said(headers, words):
    assert words in _refusal(_request(headers=headers))


def test_a_signature_for_another_service_is_refused():
    assert "for the service 's3'" in _refusal(_request(service="s3"))


@pytest.mark.parametrize("seconds", [-CLOCK_SKEW_SECONDS - 5, CLOCK_SKEW_SECONDS + 5])
def test_an_old_signature_is_refused(seconds):
    assert "more than 5 minutes from this server's clock" in _refusal(_request(), lambda: time.time() + seconds)


@pytest.mark.parametrize(
    ("host", "key", "secret", "words"),
    [
        ("0.0.0.0", None, None, "others could reach"),
        ("10.0.0.7", None, None, "--access-key and --secret-key"),
        ("127.0.0.1", "key", None, "needs its secret key"),
        ("127.0.0.1", None, "secret", "needs its secret key"),
        ("127.0.0.1", "", "", "may not be empty"),
    ],
)
def test_beyond_loopback_both_keys_are_needed(host, key, secret, words):
    with pytest.raises(SettingsError, match=words):
        access_for(host, key, secret)


def test_a_secret_is_not_shown():
    assert SECRET not in repr(ServerSettings(access_key=KEY, secret_key=SECRET))


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "10.0.0.7"])
def test_a_page_that_leads_a_browser_here_under_another_name_is_refused(server, host):
    status, body = _exchange(
        server.url, "POST", "/", {"Host": host, "X-Amz-Target": "RekognitionService.ListCollections"}, b"{}"
    )
    assert (status, body["__type"]) == (400, "AccessDeniedException")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:80", "[::1]:8000"])
def test_this_machine_has_several_names(server, host):
    status, _ = _exchange(server.url, "POST", "/", LIST | {"Host": host}, b"{}")
    assert status == 200
