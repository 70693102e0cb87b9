"""Quotas, slowness and errors are acted out as set, and can be changed while the server runs."""

import re
import statistics
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from botocore.exceptions import ClientError

from pipeline.errors import SettingsError
from rekognition_local.protocol import ServiceError, regions
from rekognition_local.rehearsal import Rehearsal, Stage, TokenBucket, parse_latency, parse_tps
from rekognition_local.server import Server, ServerSettings
from tests.rekognition_local.conftest import client_for
from tests.vision.scenes import HOPPER, portrait_bytes

EMPTY = {"DetectFaces": lambda _params: {"FaceDetails": []}}


class FakeClock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_admits_its_burst_at_once_and_then_its_rate():
    clock = FakeClock()
    bucket = TokenBucket(rate=20, size=3, clock=clock)
    assert [bucket.take() for _ in range(5)] == [True, True, True, False, False]
    admitted = 0
    for _ in range(1000):
        clock.now += 0.01
        admitted += bucket.take()
    assert admitted == pytest.approx(200, abs=1)


def test_a_long_rest_fills_the_bucket_no_further_than_its_size():
    clock = FakeClock()
    bucket = TokenBucket(rate=20, size=3, clock=clock)
    clock.now += 3600
    assert sum(bucket.take() for _ in range(10)) == 3


def test_each_operation_has_its_own_quota():
    stage = Stage(Rehearsal(tps={"DetectFaces": 1}, burst=1), FakeClock())
    stage.admit("DetectFaces")
    stage.admit("CompareFaces")
    with pytest.raises(ServiceError, match="more than 1 calls a second of DetectFaces") as raised:
        stage.admit("DetectFaces")
    assert raised.value.code == "ProvisionedThroughputExceededException"


def test_delays_are_log_normal_around_the_median():
    stage = Stage(Rehearsal(latency=0.3, latency_sigma=0.15))
    delays = sorted(stage.delay() for _ in range(4000))
    assert statistics.median(delays) == pytest.approx(0.3, rel=0.03)
    assert delays[int(0.95 * len(delays))] == pytest.approx(0.384, rel=0.05)
    assert Stage(Rehearsal()).delay() == 0


def test_errors_come_in_their_share_and_by_the_name_that_was_set():
    def codes(rehearsal: Rehearsal) -> list[str]:
        stage = Stage(rehearsal)
        return [failure.code for failure in (stage.failure() for _ in range(1000)) if failure]

    assert codes(Rehearsal()) == []
    assert len(codes(Rehearsal(errors=0.2))) == pytest.approx(200, abs=60)
    assert set(codes(Rehearsal(errors=0.2))) == {"InternalServerError", "ThrottlingException"}
    assert set(codes(Rehearsal(errors=1, error_code="AccessDeniedException"))) == {"AccessDeniedException"}


def test_a_call_that_fails_as_asked_was_not_done():
    with Server(ServerSettings(rehearsal=Rehearsal(errors=0.5))) as server:
        client = client_for(server.url)
        outcomes = []
        for number in range(30):
            try:
                client.create_collection(CollectionId=f"once-{number}")
                outcomes.append(f"once-{number}")
            except ClientError:
                pass
        server.rehearse(Rehearsal())
        assert client.list_collections()["CollectionIds"] == sorted(outcomes)
        assert 0 < len(outcomes) < 30
        client.close()


def test_the_regions_are_those_that_rekognition_has():
    assert {"us-east-1", "eu-west-1", "ap-south-1"} <= set(regions())
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)+-\d", name) for name in regions())


def test_the_command_lines_forms_are_read():
    assert parse_tps(["DetectFaces=20", "CompareFaces=5.5"]) == {"DetectFaces": 20, "CompareFaces": 5.5}
    assert parse_latency("0.3:0.15") == (0.3, 0.15)
    assert parse_latency("0.3") == (0.3, 0)


@pytest.mark.parametrize(("read", "text"), [(parse_tps, ["DetectFaces"]), (parse_latency, "fast"), (parse_latency, "1:x")])
def test_a_form_that_cannot_be_read_is_shown_with_an_example(read, text):
    with pytest.raises(SettingsError, match="write"):
        read(text)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"tps": {"FindUnicorns": 1}}, "no operation of Rekognition"),
        ({"tps": {"DetectFaces": 0}}, "more than 0"),
        ({"tps": {"DetectFaces": "x"}}, "must be a number"),
        ({"tps": 20}, "DetectFaces"),
        ({"burst": 0.5}, "the least is 1"),
        ({"latency": -1}, "the least is 0"),
        ({"latency": float("nan")}, "must be a number"),
        ({"latency": float("inf")}, "must be a number"),
        ({"errors": 1.5}, "the most is 1"),
        ({"errors": True}, "must be a number"),
        ({"error_code": 5}, "name of an error"),
        ({"slowness": 1}, "'slowness' is no part"),
        ([], "JSON object"),
    ],
)
def test_a_rehearsal_that_makes_no_sense_is_refused_with_the_reason(members, words):
    with pytest.raises(SettingsError, match=words):
        Rehearsal.from_json(members)


def test_calls_above_the_quota_are_refused_and_counted():
    settings = ServerSettings(rehearsal=Rehearsal(tps={"DetectFaces": 0.001}, burst=3))
    with Server(settings, EMPTY) as server:
        client = client_for(server.url)
        picture = {"Bytes": portrait_bytes(HOPPER)}
        for _ in range(3):
            client.detect_faces(Image=picture)
        with pytest.raises(client.exceptions.ProvisionedThroughputExceededException):
            client.detect_faces(Image=picture)
        assert server.stats["operations"] == {"DetectFaces": {"ok": 3, "ProvisionedThroughputExceededException": 1}}
        client.close()


def test_64_calls_wait_at_once_without_holding_a_core():
    with Server(ServerSettings(cores=1, rehearsal=Rehearsal(latency=0.5)), EMPTY) as server:
        client = client_for(server.url)
        with ThreadPoolExecutor(64) as pool:
            list(pool.map(lambda _: client.detect_faces(Image={"Bytes": b"picture"}), range(64)))
        client.close()
        assert server.stats["seconds"] < 10  # one after another they would take 32 seconds
        assert server.stats["operations"]["DetectFaces"] == {"ok": 64}


def test_the_rehearsal_is_changed_over_http_while_the_server_runs():
    with Server(operations=EMPTY) as server, httpx.Client(base_url=server.url, trust_env=False) as control:
        client = client_for(server.url)
        client.detect_faces(Image={"Bytes": b"picture"})
        answer = control.put("/rehearsal", json={"errors": 1, "error_code": "AccessDeniedException"})
        assert answer.status_code == 200
        assert answer.json()["errors"] == 1
        with pytest.raises(ClientError, match="AccessDeniedException"):
            client.detect_faces(Image={"Bytes": b"picture"})
        control.put("/rehearsal", json={})
        client.detect_faces(Image={"Bytes": b"picture"})
        assert control.get("/rehearsal").json() == Rehearsal().to_json()
        client.close()


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"errors": 2}', b'{"nonsense": 1}'])
def test_a_wrong_rehearsal_over_http_is_refused_and_changes_nothing(server, body):
    answer = httpx.put(f"{server.url}/rehearsal", content=body, trust_env=False)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert httpx.get(f"{server.url}/rehearsal", trust_env=False).json() == Rehearsal().to_json()


def test_a_region_stands_for_its_default_quotas_and_single_ones_go_before_it():
    quotas = parse_tps(["eu-central-1", "DetectFaces=3"])
    assert (quotas["DetectFaces"], quotas["CompareFaces"], quotas["IndexFaces"]) == (3, 25, 5)
    assert parse_tps(["us-east-1"])["DetectFaces"] == 100
    assert Rehearsal.from_json({"tps": "us-west-2"}).tps["SearchFacesByImage"] == 50


@pytest.mark.parametrize("name", ["us-nowhere-1", "DetectFaces", ""])
def test_a_region_that_is_none_is_named_with_those_there_are(name):
    with pytest.raises(SettingsError, match=r"is no region .* us-east-1"):
        parse_tps([name])


def test_a_regions_quota_throttles_through_boto3_by_aws_name():
    with Server(ServerSettings(rehearsal=Rehearsal(tps=parse_tps(["eu-central-1"])))) as server:
        client = client_for(server.url)
        with pytest.raises(client.exceptions.ProvisionedThroughputExceededException, match="more than 5 calls a second"):
            [client.list_collections() for _ in range(20)]
        client.close()
