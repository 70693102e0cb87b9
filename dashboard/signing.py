"""Requests to a local Rekognition server that answers signed ones only (AWS Signature Version 4)."""

from __future__ import annotations

from collections.abc import Generator

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


class Signing(httpx.Auth):
    """Signs each request with an access key, as boto3 does."""

    requires_request_body = True

    def __init__(self, access_key: str, secret_key: str, region: str) -> None:
        self._signer = SigV4Auth(Credentials(access_key, secret_key), "rekognition", region)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the signature's headers."""
        same = AWSRequest(request.method, str(request.url), {"Host": request.headers["Host"]}, request.content)
        self._signer.add_auth(same)
        request.headers.update(dict(same.headers.items()))
        yield request
