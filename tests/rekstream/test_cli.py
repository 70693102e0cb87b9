"""The command line: what is wrong ends in one sentence and exit code 2, and the one-shots do their one thing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import redis
from moto.server import ThreadedMotoServer

from pipeline.broker import Broker
from pipeline.presence import living
from pipeline.settings import load
from rekstream import environment
from rekstream.embedded import program
from rekstream.local import DEMO_FOLDER, free_port
from rekstream.session import Session
from tests.cameras.process import CameraProcess
from tests.conftest import Valkey, wait_until
from tests.endpoint import Endpoint
from tests.rekstream.running import run

PORTRAIT = DEMO_FOLDER / "astronaut.png"


def picture(side: int, suffix: str = ".jpg") -> bytes:
    return cv2.imencode(suffix, cv2.resize(cv2.imread(str(PORTRAIT)), (side, side)))[1].tobytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["up", "--fps", "fast"], "'--fps'"),
        (["up", "--fps", "0"], "fps 0: frames a second must lie between 0.01 and 60"),
        (["up", "--fps", "-1"], "fps -1: frames a second"),
        (["up", "--fps", "1000"], "fps 1000: frames a second"),
        (["up", "--attributes", "smirk"], "there is no attribute 'smirk'"),
        (["up", "gopher://x"], "gopher://"),
        (["up", "no-such-file.mp4"], "no-such-file.mp4"),
        (["up", "--config", "none.yml"], "none.yml cannot be read"),
        (["up", "--budget", "lots"], "budget 'lots'"),
        (["up", "--aws", "demo"], "there are no AWS credentials: set AWS_PROFILE"),
        (["up", "--redis", "redis://127.0.0.1:1"], "does not answer"),
        (["up", "--redis", "redis://192.0.2.1"], "needs a password"),
        (["up", "--redis", "gopher://x"], "gopher://x"),
        (["up", "--output", "/no/such/folder/x.jsonl", "demo"], "cannot be written"),
        (["work"], "no Redis is named"),
        (["camera", "list", "--server", "http://127.0.0.1:1"], "no rekstream answers"),
        (["camera", "check", "rtsp://u:hush@127.0.0.1:9/x"], "nothing listens at rtsp://u:***@127.0.0.1:9/x"),
        (["photo", "nothing.jpg"], "nothing.jpg cannot be read"),
        (["photo", "s3://bucket"], "names no S3 object"),
        (["local-rekognition", "--latency", "slow"], "slow"),
        (["conjure"], "conjure"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(arguments: list[str], words: str, tmp_path: Path) -> None:
    code, printed, error = run(*arguments, cwd=tmp_path)
    assert code == 2
    assert printed == ""
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert words in error
    assert "hush" not in error


def test_a_folder_without_pictures_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    code, _, error = run("up", "empty", cwd=tmp_path)
    assert (code, "no picture in the folder" in error) == (2, True)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("cut.jpg", picture(300)[:5000], "cut off"),
        ("empty.jpg", b"", "empty"),
        ("narrow.jpg", picture(79), "79 x 79 pixels"),
        ("large.png", b"\x89PNG\r\n\x1a\n" + bytes(6_000_000), "6,000,008 bytes"),
        ("moving.gif", b"GIF89a" + bytes(500), "neither JPEG nor PNG"),
        ("text.jpg", b"this is no picture at all", "neither JPEG nor PNG"),
    ],
)
def test_a_picture_that_rekognition_would_refuse_is_not_sent(name: str, data: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    code, _, error = run("photo", name, cwd=tmp_path)
    assert (code, error.count("\n")) == (2, 1)
    assert words in error
    assert name in error


def test_a_photo_is_analysed_with_the_attributes_asked_for_and_its_boxes_drawn(tmp_path: Path) -> None:
    boxes = tmp_path / "boxes.jpg"
    code, printed, error = run("photo", str(PORTRAIT), "--json", "--attributes", "smile,gender", "--save", str(boxes))
    assert (code, error) == (0, "")
    (face,) = json.loads(printed)["FaceDetails"]
    assert face["Smile"]["Value"] is True
    assert "AgeRange" not in face
    drawn, plain = cv2.imread(str(boxes)), cv2.imread(str(PORTRAIT))
    assert drawn.shape == plain.shape
    assert np.abs(drawn.astype(int) - plain).max() > 50


def test_a_bad_picture_among_good_ones_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"nothing")
    code, printed, error = run("photo", "bad.jpg", str(PORTRAIT), cwd=tmp_path)
    assert code == 2
    assert "bad.jpg" in error
    assert "1 face" in printed


def test_a_photo_on_s3_is_named_to_the_service() -> None:
    with Endpoint() as endpoint:
        code, printed, _ = run("photo", "s3://bucket/a/b.jpg", "--endpoint-url", endpoint.url)
        assert (code, "1 face" in printed) == (0, True)
        assert endpoint.bodies[0]["Image"] == {"S3Object": {"Bucket": "bucket", "Name": "a/b.jpg"}}


def test_camera_check_says_what_a_camera_is_and_how_large_its_faces_are(camera: CameraProcess) -> None:
    code, printed, error = run("camera", "check", camera.url("main", "admin:s3cret!"))
    assert (code, error) == (0, "")
    assert re.search(r"H\.264, 640 x 360 at [23]\d(\.\d)? frames a second", printed)
    assert "px high" in printed
    assert "s3cret" not in printed
    code, _, error = run("camera", "check", camera.url("main", "admin:wrong"))
    assert (code, "password" in error, "wrong" not in error.replace("wrong password", "")) == (2, True, True)
    code, _, error = run("camera", "check", camera.url("other", "admin:s3cret!"))
    assert (code, "other" in error) == (2, True)


def test_config_check_names_the_cameras(tmp_path: Path) -> None:
    (tmp_path / "rekstream.yml").write_text("cameras: {door: demo, yard: demo}")
    assert run("config", "check", cwd=tmp_path)[:2] == (0, "rekstream.yml is right: 2 cameras (door, yard)\n")


@pytest.fixture
def aws() -> Iterator[str]:
    """AWS's STS, as moto plays it."""
    server = ThreadedMotoServer("127.0.0.1", free_port("127.0.0.1", 0), verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


def test_aws_says_account_price_and_budget_before_anything_is_sent(aws: str, tmp_path: Path) -> None:
    """Nothing listens where Rekognition is, so the sentence is all that comes; no call can be paid here."""
    told = {
        "AWS_ENDPOINT_URL_STS": aws,
        "AWS_ENDPOINT_URL_REKOGNITION": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    options = ["up", *["demo"] * 8, "--aws", "--for", "1", "--port", "0", "--data", str(tmp_path)]
    code, _, said = run(*options, env=told, cwd=tmp_path)
    assert code == 0
    one_line = " ".join(said.split())
    assert (
        "AWS account 123456789012, us-east-1, at most 100 calls a second: 8 cameras x 1/s = 28.80 dollars an hour" in one_line
    )
    assert "never more than the budget of 1/day" in one_line


def test_credentials_that_lie_around_are_not_consent(tmp_path: Path) -> None:
    told = {"AWS_ACCESS_KEY_ID": "AKIAREAL", "AWS_SECRET_ACCESS_KEY": "real"}
    code, _, said = run("up", "demo", "--for", "1", "--port", "0", "--data", str(tmp_path), env=told, cwd=tmp_path)
    assert code == 0
    assert "nothing is sent anywhere, nothing is paid" in said


# --- a Redis that cannot be used ---


def redis_server(tmp_path: Path, *options: str) -> tuple[subprocess.Popen[bytes], int]:
    port = free_port("127.0.0.1", 0)
    command = [program(), "--port", str(port), "--save", "", "--dir", str(tmp_path), *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment.of_server())
    return process, port


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--requirepass", "x"], 2, "asks for a password"),
        (["--cluster-enabled", "yes"], 2, "is a cluster"),
        (["--maxmemory-policy", "allkeys-lru"], 0, "may evict keys (maxmemory-policy allkeys-lru)"),
    ],
)
def test_a_redis_that_does_not_fit_is_told(options: list[str], code: int, words: str, tmp_path: Path) -> None:
    process, port = redis_server(tmp_path, *options)
    try:
        wait_until(lambda: answers(port))
        found, _, error = run(
            "up", "demo", "--redis", f"redis://127.0.0.1:{port}", "--for", "0.5", "--port", "0", "--data", str(tmp_path)
        )
        assert found == code
        assert words in " ".join(error.split())
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    try:
        return bool(redis.Redis(port=port).ping())
    except redis.AuthenticationError:
        return True
    except redis.RedisError:
        return False


@pytest.mark.parametrize(
    ("shared", "words"),
    [
        ({"provider": "aws", "region": "eu-west-1"}, "costs money: say --aws to join it"),
        ({"provider": "endpoint", "region": "eu-west-1"}, "name one for here with --endpoint-url"),
    ],
)
def test_joining_a_system_is_not_consent_to_pay(shared: dict[str, str], words: str, broker: Broker) -> None:
    broker.scripts.set("rekstream:shared", json.dumps(shared))
    code, _, error = run("work", "--redis", broker.address, env={"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"})
    assert (code, error.count("\n")) == (2, 1)
    assert words in error


def test_a_redis_that_goes_on_is_left_as_it_was(tmp_path: Path, broker: Broker) -> None:
    """No camera, no password, no waiting picture of ours stays in a Redis that others use."""
    code, _, _ = run("up", "demo", "--redis", broker.address, "--for", "3", "--port", "0", "--data", str(tmp_path))
    assert code == 0
    left = [key.decode() for key in broker.scripts.scan_iter("rekstream:*")]
    assert not {"rekstream:cameras", "rekstream:shared"} & set(left)
    assert not [key for key in left if key.startswith(("rekstream:box:", "rekstream:process:"))]


def test_aws_without_a_camera_shows_no_demo(tmp_path: Path, aws: str) -> None:
    told = {"AWS_ENDPOINT_URL_STS": aws, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    code, _, error = run("up", "--aws", "--data", str(tmp_path), env=told, cwd=tmp_path)
    assert (code, "the demo is not shown" in error) == (2, True)


def test_a_worker_joins_as_the_system_was_set_up(own_valkey: Valkey, tmp_path: Path) -> None:
    """`work --redis` alone takes the region and the limit from what `up` told everybody."""
    broker = Broker(own_valkey.url)
    broker.scripts.set("rekstream:shared", json.dumps({"provider": "local", "region": "eu-west-1", "tps": 7, "newer": 1}))
    with Endpoint() as endpoint:
        worker = subprocess.Popen(
            [sys.executable, "-m", "rekstream", "work", "--redis", own_valkey.url, "--endpoint-url", endpoint.url],
            env=environment.of_server(),
        )
        try:
            wait_until(lambda: living(broker.scripts, "worker"), 20)
            details = living(broker.scripts, "worker")[0].details
            assert details["provider"] == f"endpoint {endpoint.url}"
            assert details["threads"] == 8
        finally:
            worker.terminate()
            worker.wait(10)
    broker.close()


def test_a_password_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("open sesame")
    path.chmod(0o644)
    code, _, said = run("up", "demo", "--host", "0.0.0.0", "--password-file", str(path), cwd=tmp_path)
    assert (code, said.count("\n")) == (2, 1)
    assert "can be read by others: chmod 600" in said


def test_up_with_a_password_gives_itself_a_token(tmp_path: Path) -> None:
    """Its own table asks the API too; children are told the token through the environment."""
    path = tmp_path / "password"
    path.write_text("open sesame")
    path.chmod(0o600)
    given = {"password_file": path, "data": tmp_path}
    plans = [Session(["demo"], None, given, None)._plan() for _ in range(2)]
    tokens = {environment.of_children(plan.settings)["REKSTREAM_TOKEN"] for plan in plans}
    assert len(tokens) == 2
    assert min(map(len, tokens)) > 40
    told = environment.of_children(plans[0].settings)
    assert told["REKSTREAM_PASSWORD_FILE"] == str(path)
    assert "open sesame" not in told.values()


def test_the_address_of_prometheus_reaches_the_dashboard_whole_and_is_shown_without_its_password() -> None:
    """From the flag, rekstream.yml or the environment, through the environment of the part."""
    settings = load(prometheus="http://me:s3cret@10.0.0.9:9090/prometheus")
    assert environment.of_children(settings)["REKSTREAM_PROMETHEUS"] == "http://me:s3cret@10.0.0.9:9090/prometheus"
    assert "s3cret" not in repr(settings)
