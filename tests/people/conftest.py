"""A chain of real parts for a file of tests: Valkey, the local Rekognition server, a worker; people and API for each test."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from dashboard.settings import DashboardSettings
from people.process import PeopleProcess
from pipeline.broker import Broker
from pipeline.provider import Provider
from rekognition_local.server import Server
from tests.conftest import Valkey, wait_until
from tests.dashboard.support import Api, dashboard
from tests.people.support import people_process, working


@dataclass(frozen=True, slots=True)
class Chain:
    """Where the parts are; `rekognition` is a boto3 client of the local server."""

    redis_url: str
    broker: Broker
    provider: Provider
    rekognition: Any


@dataclass(frozen=True, slots=True)
class People:
    """One test's people: a process, an API, a folder and a collection of its own."""

    chain: Chain
    process: PeopleProcess
    api: Api
    data: Path
    collection: str

    def add(self, name: str, *pictures: bytes, **members: str) -> Any:
        if not pictures:
            return self.api.http.post("/api/people", json={"name": name, **members})
        files = [("image", (f"{n}.jpg", picture, "image/jpeg")) for n, picture in enumerate(pictures)]
        return self.api.http.post("/api/people", data={"name": name, **members}, files=files, timeout=60)

    def faces(self) -> list[dict[str, Any]]:
        """Return what the collection really holds."""
        return [dict(face) for face in self._listed("list_faces", "Faces")]

    def users(self) -> list[str]:
        return [str(user["UserId"]) for user in self._listed("list_users", "Users")]

    def _listed(self, operation: str, member: str) -> list[dict[str, Any]]:
        try:
            return list(getattr(self.chain.rekognition, operation)(CollectionId=self.collection)[member])
        except self.chain.rekognition.exceptions.ResourceNotFoundException:
            return []  # no collection yet


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with ExitStack() as stack:
        valkey = Valkey()
        stack.callback(valkey.close)
        valkey.start()
        url = stack.enter_context(Server()).url
        provider = Provider("local", "us-east-1", url)
        broker = Broker(valkey.url)
        stack.callback(broker.close)
        client = boto3.client(
            *("rekognition", "us-east-1"),
            endpoint_url=url,
            aws_access_key_id="made",
            aws_secret_access_key="up",
            config=Config(retries={"total_max_attempts": 1}),
        )
        stack.callback(client.close)
        stack.enter_context(working(broker, provider))
        yield Chain(valkey.url, broker, provider, client)


@contextmanager
def running(chain: Chain, data: Path, collection: str, **settings: Any) -> Iterator[People]:
    """Run the people process and the API over a folder until the end of the with-block."""
    with (
        people_process(chain.broker, data, chain.provider, collection=collection, **settings) as process,
        dashboard(chain.redis_url, DashboardSettings(data=data, provider=chain.provider, port=0)) as api,
    ):
        wait_until(lambda: api.http.get("/api/people").is_success)
        yield People(chain, process, api, data, collection)


@pytest.fixture(scope="module", autouse=True)
def _hasty() -> Iterator[None]:
    """Let the tests' own processes notice sooner that they are stopped."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("dashboard.live.BLOCK_SECONDS", "people.follower.BLOCK_SECONDS", "pipeline.answering.TAKE_SECONDS"):
            patch.setattr(name, 0.05)
        yield


@pytest.fixture(scope="module")
def home(chain: Chain, _hasty: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    """People for all tests of a file."""
    with running(chain, tmp_path_factory.mktemp("people"), f"test-{uuid.uuid4().hex[:8]}") as found:
        yield found


@pytest.fixture
def people(home: People) -> Iterator[People]:
    """People with nobody among them."""
    yield home
    for person in home.api.get("/api/people")["people"]:
        assert home.api.http.delete(f"/api/people/{person['id']}").status_code == 204
    assert home.faces() == []
