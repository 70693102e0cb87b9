"""kill -9 of the people process in the middle: no face without a person, nobody half forgotten."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.errors import PeopleAway
from pipeline.requests import Requests
from tests.conftest import wait_until
from tests.people.conftest import Chain, running
from tests.people.support import sent
from tests.rekognition_local.people import picture
from tests.vision.scenes import ASTRONAUT, HOPPER


@contextmanager
def _mortal(chain: Chain, folder: Path, collection: str, step: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a people process that dies after Rekognition has answered `step`."""
    command = [sys.executable, "-m", "tests.people.enrolling", chain.redis_url, str(folder), collection, step]
    with subprocess.Popen(command) as process:
        try:
            yield process
        finally:
            process.kill()


def _ask_until_it_dies(chain: Chain, process: subprocess.Popen[bytes], what: str, members: dict[str, object]) -> None:
    requests = Requests(chain.broker)
    wait_until(lambda: _is_served(requests), 20)
    with pytest.raises(PeopleAway, match="did not answer"):
        requests.ask(what, members, seconds=1)
    assert process.wait(10) == -9
    requests.close()


def _is_served(requests: Requests) -> bool:
    try:
        return "people" in requests.ask("people.list")
    except PeopleAway:
        return False


@pytest.mark.parametrize("step", ["DetectFaces", "AssociateFaces"])
def test_an_enrolment_that_was_killed_leaves_no_orphan(chain: Chain, tmp_path: Path, step: str) -> None:
    """The next process deletes the face and the user; the same picture can be enrolled then."""
    collection = f"test-{uuid.uuid4().hex[:8]}"
    with _mortal(chain, tmp_path, collection, step) as process:
        told = {"name": "Grace Hopper", "pictures": [sent(picture(HOPPER))]}
        _ask_until_it_dies(chain, process, "people.add", told)
    if step != "DetectFaces":
        assert len(chain.rekognition.list_faces(CollectionId=collection)["Faces"]) == 1
    with running(chain, tmp_path, collection) as people:
        wait_until(lambda: people.faces() == [] and people.users() == [] and people.api.get("/api/people")["people"] == [])
        assert people.add("Grace Hopper", picture(HOPPER)).status_code == 201


def test_a_forgetting_that_was_killed_is_finished_by_the_next_process(chain: Chain, tmp_path: Path) -> None:
    collection = f"test-{uuid.uuid4().hex[:8]}"
    with running(chain, tmp_path, collection) as people:
        for name, portrait in (("Grace Hopper", HOPPER), ("Eileen Collins", ASTRONAUT)):
            assert people.add(name, picture(portrait)).status_code == 201
    with _mortal(chain, tmp_path, collection, "DeleteFaces") as process:
        _ask_until_it_dies(chain, process, "people.forget", {"person": "Grace Hopper"})
    with running(chain, tmp_path, collection) as people:
        wait_until(lambda: [person["name"] for person in people.api.get("/api/people")["people"]] == ["Eileen Collins"])
        assert len(people.faces()) == len(people.users()) == 1
