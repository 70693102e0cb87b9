"""The edge to Rekognition: one call in, one answer or one classified failure out. No retries in here, no limits, no metrics.

CallFailed.kind     what it means                                   what the worker does
throttled           more calls than the quota                       slows all workers down
denied              credentials or permission, the same each time   holds all calls back for a while
picture             this picture will never be accepted             fails this frame
no_face             there is no face in it that could be searched   fails this frame
absent              no such collection, user or face                fails this frame
exists              there is such a collection already              fails this frame
conflict            another change of it is under way, or was made  fails this frame
full                the account or the collection is full           fails this frame
server              5xx: may work the next time                     retries frames of policy `every`
timeout             no answer in time; counts as spent              retries frames of policy `every`
connection          the endpoint cannot be reached                  retries frames of policy `every`
answer              something answered that is not Rekognition      retries frames of policy `every`
request             the request is wrong: a fault of this program   fails this frame
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)
from botocore.parsers import ResponseParserError

from pipeline.broker import is_loopback
from pipeline.entities import OURS, Frame, Operation, S3Object
from pipeline.errors import ProviderError, redact
from pipeline.provider import Provider
from workers.timed_http import forget_last_call, last_call, time_calls

_KINDS = {
    "ProvisionedThroughputExceededException": "throttled",
    "ThrottlingException": "throttled",
    "LimitExceededException": "throttled",
    "AccessDeniedException": "denied",
    "UnrecognizedClientException": "denied",
    "InvalidSignatureException": "denied",
    "IncompleteSignatureException": "denied",
    "MissingAuthenticationTokenException": "denied",
    "InvalidClientTokenId": "denied",
    "ExpiredTokenException": "denied",
    "OptInRequired": "denied",
    "SubscriptionRequiredException": "denied",
    "ImageTooLargeException": "picture",
    "InvalidImageFormatException": "picture",
    "InvalidS3ObjectException": "picture",
    "ResourceNotFoundException": "absent",
    "ResourceAlreadyExistsException": "exists",
    "ConflictException": "conflict",
    "IdempotentParameterMismatchException": "conflict",
    "ServiceQuotaExceededException": "full",
    "InternalServerError": "server",
    "ServiceUnavailableException": "server",
}
# Amazon and the local server word it differently, and both call it InvalidParameterException.
_NO_FACE = re.compile(r"\bno faces? (in|was found in|were found in) ", re.IGNORECASE)
RETRYABLE = frozenset({"throttled", "server", "timeout", "connection", "answer"})
_FIRST_SERVER_STATUS = 500
_ANSWERED: Mapping[str, str] = {  # a member of each answer; '' where an answer is empty
    Operation.DETECT_FACES: "FaceDetails",
    Operation.DETECT_LABELS: "Labels",
    Operation.COMPARE_FACES: "FaceMatches",
    Operation.SEARCH_FACES_BY_IMAGE: "FaceMatches",
    Operation.INDEX_FACES: "FaceRecords",
    Operation.SEARCH_FACES: "FaceMatches",
    Operation.CREATE_COLLECTION: "CollectionArn",
    Operation.DESCRIBE_COLLECTION: "FaceCount",
    Operation.CREATE_USER: "",
    Operation.DELETE_USER: "",
    Operation.LIST_USERS: "Users",
    Operation.ASSOCIATE_FACES: "UserStatus",
    Operation.DISASSOCIATE_FACES: "UserStatus",
    Operation.LIST_FACES: "Faces",
    Operation.DELETE_FACES: "DeletedFaces",
}
_OF_A_PICTURE = frozenset(
    {Operation.DETECT_FACES, Operation.DETECT_LABELS, Operation.SEARCH_FACES_BY_IMAGE, Operation.INDEX_FACES}
)

_ADVICE = {
    "denied": "check AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, which are what requests are signed with",
    "connection": "check that a server listens there, and the network",
    "timeout": "check the network, or wait longer with REKSTREAM_READ_TIMEOUT",
}


class CallFailed(Exception):  # it is the outcome of a call, not a fault of the program
    """A call that gave no answer: `kind` says what to do, `code` is Rekognition's or the library's own name for it."""

    def __init__(self, kind: str, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.kind = kind
        self.code = code
        self.message = message

    @property
    def advice(self) -> str:
        """What somebody who made the call by hand can do, where trying again alone does not help."""
        return _ADVICE.get(self.kind, "try again")


@dataclass(frozen=True, slots=True)
class Answer:
    """Rekognition's response, and the seconds from the body's last byte to the first of the answer."""

    response: Mapping[str, Any]
    service_seconds: float


class Rekognition(Protocol):
    """Whoever sees what is in pictures."""

    def call(self, operation: str, request: Mapping[str, Any]) -> Answer:
        """Return what an operation answers to a request (`request_of`); raises CallFailed."""
        ...


class BotoRekognition:
    """Rekognition through boto3, one client for all threads, each call sent exactly once.

    Raises ProviderError when the client cannot be made. Only for AWS itself are credentials looked for that must exist.
    """

    def __init__(self, provider: Provider, connections: int, connect_timeout: float, read_timeout: float) -> None:
        self._client = _client("rekognition", provider, connections, connect_timeout, read_timeout)
        time_calls(self._client)

    def call(self, operation: str, request: Mapping[str, Any]) -> Answer:
        """Return what an operation answers to a request (`request_of`); raises CallFailed."""
        if operation not in _ANSWERED:
            raise CallFailed("request", "UnknownOperation", f"this worker does not know {operation}: it is older than who asks")
        forget_last_call()
        started = time.monotonic()
        try:
            response = getattr(self._client, xform_name(operation))(**request)
        except (BotoCoreError, ClientError, ResponseParserError, ValueError, TypeError, AttributeError, KeyError) as error:
            raise classify(error) from error
        expected = _ANSWERED[operation]
        if not isinstance(response, dict) or (expected and response.get(expected) is None):
            raise CallFailed("answer", "NotRekognition", f"the answer holds no {expected}: is this a Rekognition endpoint?")
        sent_at, answered_at = last_call()
        return Answer(_plain(response), answered_at - sent_at if sent_at else time.monotonic() - started)

    def detect_faces_of(self, image: Mapping[str, Any], attributes: Sequence[str]) -> Answer:
        """Return what DetectFaces says of an Image, which may lie on S3; raises CallFailed."""
        return self.call(Operation.DETECT_FACES, {"Image": image, "Attributes": list(attributes)})

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def request_of(frame: Frame) -> tuple[dict[str, Any], int]:
    """Return what to call the frame's operation with, and how many bytes of pictures that sends."""
    source = _image(frame.place or frame.jpeg)
    size = len(frame.jpeg)
    options = {name: value for name, value in frame.options.items() if not name.startswith(OURS)}
    if frame.operation == Operation.DETECT_FACES:
        return {"Image": source, "Attributes": list(frame.attributes), **options}, size
    if frame.operation == Operation.COMPARE_FACES:
        size += len(frame.target) if isinstance(frame.target, bytes) else 0
        return {"SourceImage": source, "TargetImage": _image(frame.target), **options}, size
    if frame.operation in _OF_A_PICTURE:
        return {"Image": source, **options}, size
    return options, 0


def account_of(provider: Provider) -> str:
    """Return the AWS account that would pay; raises ProviderError with what to do when the credentials do not work."""
    try:
        identity = _client("sts", provider, 1, 5.0, 10.0).get_caller_identity()
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise ProviderError(
            "there are no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
            "or run `aws configure`"
        ) from error
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        raise ProviderError(
            f"AWS does not accept the credentials ({code}): check AWS_PROFILE, or the access key and its expiry"
        ) from error
    except BotoCoreError as error:
        raise ProviderError(f"AWS in {provider.region!r} cannot be reached ({_first_line(error)})") from error
    return str(identity["Account"])


def classify(error: Exception) -> CallFailed:
    """Return the failure that an exception of botocore stands for."""
    if isinstance(error, ClientError):
        return _from_response(error)
    name = type(error).__name__
    if isinstance(error, ReadTimeoutError | ConnectTimeoutError):
        return CallFailed("timeout", name, _first_line(error))
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return CallFailed("denied", name, _first_line(error))
    if isinstance(error, HTTPClientError | BotoConnectionError):
        return CallFailed("connection", name, _first_line(error))
    if isinstance(error, BotoCoreError):
        return CallFailed("request", name, _first_line(error))
    return CallFailed("answer", name, "the answer is not Rekognition's JSON")


def _image(picture: bytes | S3Object) -> dict[str, Any]:
    """Return a picture as Rekognition's Image."""
    if isinstance(picture, bytes):
        return {"Bytes": picture}
    version = {"Version": picture.version} if picture.version else {}
    return {"S3Object": {"Bucket": picture.bucket, "Name": picture.name, **version}}


def _from_response(error: ClientError) -> CallFailed:
    about = error.response.get("Error", {})
    code = str(about.get("Code", "Unknown")).split("#")[-1]
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    message = redact(str(about.get("Message", "")))
    kind = _KINDS.get(code) or ("server" if status >= _FIRST_SERVER_STATUS else "request")
    if code == "InvalidParameterException" and _NO_FACE.search(message):
        kind = "no_face"
    return CallFailed(kind, code, message)


def _plain(response: Mapping[str, Any]) -> dict[str, Any]:
    """Return a response as JSON has it: without the SDK's metadata, moments (of collections) as seconds since 1970."""
    members = {name: value for name, value in response.items() if name != "ResponseMetadata"}
    return {name: value.timestamp() if isinstance(value, datetime) else value for name, value in members.items()}


def _client(service: str, provider: Provider, connections: int, connect: float, read: float) -> Any:
    try:
        session: Any = boto3.Session(region_name=provider.region)
        return session.client(
            service,
            endpoint_url=provider.endpoint_url if service == "rekognition" else None,
            config=Config(
                retries={"total_max_attempts": 1},
                connect_timeout=connect,
                read_timeout=read,
                max_pool_connections=connections,
                tcp_keepalive=True,
                parameter_validation=False,
                proxies={} if _is_here(provider.endpoint_url) else None,
            ),
            **_keys(provider, session),
        )
    except ProfileNotFound as error:
        raise ProviderError(f"AWS_PROFILE cannot be used ({_first_line(error)}): correct it, or unset it") from error
    except (BotoCoreError, ValueError) as error:
        raise ProviderError(f"Rekognition cannot be called: {_first_line(error)}") from error


def _keys(provider: Provider, session: Any) -> dict[str, str]:
    """Return what to sign with, nothing where boto3 shall look for credentials itself."""
    if provider.keys and not provider.paid:
        return {"aws_access_key_id": provider.keys[0], "aws_secret_access_key": provider.keys[1]}
    if provider.paid or (provider.name == "endpoint" and session.get_credentials()):
        return {}
    return {"aws_access_key_id": "local", "aws_secret_access_key": "local"}  # invented: it signs, and nobody checks


def _is_here(url: str | None) -> bool:
    """Say whether an endpoint is on this machine, where no proxy of the environment has a place."""
    return url is not None and is_loopback(urlsplit(url).hostname or "")


def _first_line(error: Exception) -> str:
    return redact(str(error).strip().split("\n", maxsplit=1)[0])
