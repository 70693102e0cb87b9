from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from rekognition_local.server import Server
from tests.rekognition_local.shapes import check_answer


def client_for(url: str, key: str = "made", secret: str = "up", **options: Any) -> Any:
    """A real boto3 client that tries once, and that fails a test whose answer is not of the service model's shape."""
    config = Config(retries={"total_max_attempts": 1}, max_pool_connections=64, **options)
    client = boto3.client(
        "rekognition", "us-east-1", endpoint_url=url, aws_access_key_id=key, aws_secret_access_key=secret, config=config
    )
    client.meta.events.register("after-call.rekognition", _check)
    return client


def _check(http_response: Any, model: Any, **_rest: object) -> None:
    if http_response.status_code == 200:
        check_answer(model, http_response.content)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture(scope="session")
def client(server: Server) -> Any:
    return client_for(server.url)
