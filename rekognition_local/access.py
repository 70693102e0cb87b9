"""Who may call: anybody on this machine, or whoever signs requests with the server's key (AWS Signature Version 4)."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

from pipeline.errors import SettingsError
from rekognition_local.protocol import ServiceError

SERVICE = "rekognition"
CLOCK_SKEW_SECONDS = 300
"""How far a request's date may be from this machine's clock, as AWS has it."""

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=(?P<key>[^/\s,]+)/(?P<day>\d{8})/(?P<region>[^/\s,]+)/(?P<service>[^/\s,]+)/aws4_request"
    r"\s*,\s*SignedHeaders=(?P<headers>[a-z0-9;-]+)\s*,\s*Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Request:
    """What a request is judged by; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Access(Protocol):
    """Decides who is answered."""

    def check_caller(self, headers: Mapping[str, str]) -> None:
        """Raise the ServiceError for a caller that cannot be served, before its body is read."""

    def check(self, request: Request) -> None:
        """Raise the ServiceError for a request that is not answered."""


class LoopbackAccess:
    """Serves everybody on this machine, but no page of another site that a browser was led here by (DNS rebinding)."""

    def check_caller(self, headers: Mapping[str, str]) -> None:
        """Refuse a request that was meant for another host's name."""
        host = headers.get("host")
        if host is not None and not _names_loopback(host):
            raise ServiceError(
                "AccessDeniedException", f"this server answers on this machine only, as localhost or 127.0.0.1, not as {host!r}"
            )

    def check(self, request: Request) -> None:
        """Refuse nothing more."""


class SignedAccess:
    """Serves requests signed with one access key, checked with botocore's own signer."""

    def __init__(self, access_key: str, secret_key: str, clock: Callable[[], float] = time.time) -> None:
        self._credentials = Credentials(access_key, secret_key)
        self._clock = clock

    def check_caller(self, headers: Mapping[str, str]) -> None:
        """Refuse a request without a signature, or by another key."""
        self._signed(headers)

    def check(self, request: Request) -> None:
        """Refuse a request whose signature does not fit all of it, or is too old."""
        signed = self._signed(request.headers)
        names = frozenset(signed["headers"].split(";"))
        unsigned = {name for name in request.headers if name == "host" or name.startswith("x-amz-")} - names
        if unsigned or "host" not in names or "host" not in request.headers:
            raise _invalid(f"the header {min(unsigned or {'host'})} must be signed")
        date = request.headers.get("x-amz-date", "")
        self._check_date(date, signed["day"])
        digest = hashlib.sha256(request.body).hexdigest()
        if request.headers.get("x-amz-content-sha256", digest) != digest:
            raise _invalid("X-Amz-Content-SHA256 is not the hash of the body; over plain HTTP the body must be signed")
        if not hmac.compare_digest(self._signature(request, names, date, signed["region"]), signed["signature"]):
            raise _invalid(
                "the signature does not fit the request: check the secret access key, and that no proxy changes requests"
            )

    def _signed(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        text = headers.get("authorization")
        if text is None:
            raise ServiceError(
                "MissingAuthenticationTokenException", "this server needs requests signed with its access key (AWS SigV4)"
            )
        found = _AUTHORIZATION.fullmatch(text)
        if found is None:
            raise ServiceError("IncompleteSignatureException", "the Authorization header is not one of AWS4-HMAC-SHA256")
        if not hmac.compare_digest(found["key"].encode(), self._credentials.access_key.encode()):
            raise ServiceError("UnrecognizedClientException", f"this server does not know the access key {found['key'][:32]!r}")
        if found["service"] != SERVICE:
            raise _invalid(f"the signature is for the service {found['service'][:32]!r}, not {SERVICE!r}")
        return found.groupdict()

    def _check_date(self, date: str, day: str) -> None:
        try:
            signed_at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError as error:
            raise _invalid(f"X-Amz-Date is {date[:32]!r}; write it as 20261122T080000Z") from error
        if date[:8] != day:
            raise _invalid(f"X-Amz-Date {date} is not of the day {day} that was signed")
        if abs(self._clock() - signed_at.timestamp()) > CLOCK_SKEW_SECONDS:
            raise _invalid(
                f"the request was signed at {date}, more than {CLOCK_SKEW_SECONDS // 60} minutes from this server's clock"
            )

    def _signature(self, request: Request, names: frozenset[str], date: str, region: str) -> str:
        headers = {name: value for name, value in request.headers.items() if name in names}
        again = AWSRequest(request.method, f"http://{request.headers['host']}{request.path}", headers, request.body)
        again.context["timestamp"] = date
        signer = _AsSigned(self._credentials, SERVICE, region)
        return str(signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again))


class _AsSigned(SigV4Auth):
    """Signs the headers that the caller signed, not those that botocore would choose."""

    def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
        return request.headers


def access_for(host: str, access_key: str | None, secret_key: str | None) -> Access:
    """Return who is served at `host`; SettingsError where that would be anybody who reaches it."""
    if (access_key is None) != (secret_key is None):
        raise SettingsError("an access key needs its secret key: give both, or none on loopback")
    if access_key and secret_key:
        return SignedAccess(access_key, secret_key)
    if access_key is not None or secret_key is not None:
        raise SettingsError("the access key and the secret key may not be empty: give both, or none on loopback")
    if not is_loopback(host):
        raise SettingsError(
            f"at {host!r} others could reach the local Rekognition server: give it --access-key and --secret-key "
            "(or REKSTREAM_ACCESS_KEY and REKSTREAM_SECRET_KEY), or leave it at 127.0.0.1"
        )
    return LoopbackAccess()


def is_loopback(host: str) -> bool:
    """Return whether an address or name is this machine's own."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _names_loopback(host: str) -> bool:
    try:
        return is_loopback(urlsplit(f"//{host}").hostname or "")
    except ValueError:  # brackets that do not close
        return False


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidSignatureException", message)
