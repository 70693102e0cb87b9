from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from rekognition_local.server import Server


def client_for(url: str, **options: Any) -> Any:
    """A real boto3 client that tries once."""
    config = Config(retries={"total_max_attempts": 1}, max_pool_connections=64, **options)
    return boto3.client(
        "rekognition",
        "us-east-1",
        endpoint_url=url,
        aws_access_key_id="made",
        aws_secret_access_key="up",
        config=config,
    )


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture(scope="session")
def client(server: Server) -> Any:
    return client_for(server.url)
