"""The AWS command line, as people use it: --endpoint-url, a file, a JSON answer, an exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rekognition_local.people import both, picture
from tests.vision.scenes import ASTRONAUT, HOPPER

AWS = Path(sys.executable).with_name("aws")


@pytest.fixture
def aws(server, tmp_path):
    """Run `aws rekognition …` against the server, and return its exit code and what it said."""
    files = {"hopper.jpg": picture(HOPPER), "astronaut.jpg": picture(ASTRONAUT), "both.jpg": both(HOPPER)}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": "made",
        "AWS_SECRET_ACCESS_KEY": "up",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_REKOGNITION": server.url,
    }

    def run(*arguments):
        done = subprocess.run(
            [AWS, "rekognition", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_a_file_is_read(aws):
    code, said = aws(
        "detect-faces", "--image-bytes", "fileb://hopper.jpg", "--attributes", "ALL", "--query", "FaceDetails[*].Pose"
    )
    assert code == 0, said
    assert len(json.loads(said)) == 1


def test_two_files_are_compared(aws):
    pictures = "--source-image-bytes", "fileb://astronaut.jpg", "--target-image-bytes", "fileb://both.jpg"
    code, said = aws("compare-faces", *pictures, "--query", "FaceMatches[*].Similarity")
    assert code == 0, said
    assert len(json.loads(said)) == 1


def test_a_collection_is_made_filled_and_searched(aws):
    here = "--collection-id", "from-the-command-line"
    assert aws("create-collection", *here)[0] == 0
    code, said = aws("index-faces", *here, "--image-bytes", "fileb://hopper.jpg", "--external-image-id", "Grace_Hopper")
    assert code == 0, said
    found = "FaceMatches[*].Face.ExternalImageId"
    code, said = aws("search-faces-by-image", *here, "--image-bytes", "fileb://both.jpg", "--query", found)
    assert (code, json.loads(said)) == (0, ["Grace_Hopper"])
    assert aws("delete-collection", *here)[0] == 0


def test_an_error_is_one_that_its_users_know(aws):
    code, said = aws("describe-collection", "--collection-id", "nowhere")
    assert code != 0
    assert "(ResourceNotFoundException) when calling the DescribeCollection operation: there is no collection nowhere" in said
