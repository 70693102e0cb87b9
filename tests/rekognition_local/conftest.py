import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
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


@contextmanager
def serving(data: Path, *options: str, limit: int | None = None) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `rekstream local-rekognition` and yield the process and its URL; files of at most `limit` bytes if that is said."""
    program = sys.executable, "-W", "error", "-m", "rekstream", "local-rekognition"
    command = [*program, "--port", "0", "--data", str(data), *options]
    limited = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))) if limit else None
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=limited) as process:  # noqa: PLW1509 - one thread
        assert process.stdout is not None
        url = re.search(r"http://\S+?(?=:? )", process.stdout.readline())
        assert url is not None
        try:
            yield process, url[0]
        finally:
            process.kill()


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
