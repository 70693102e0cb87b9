"""`send: s3`: DetectFaces reads pictures from the archive's bucket; where that fails they go as bytes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from pipeline.archive import Archive, ArchiveSettings
from pipeline.archive_s3 import S3Archive
from pipeline.archives import open_archive
from pipeline.broker import Broker
from pipeline.cameras import CameraRegistry
from pipeline.entities import Camera, Purpose, S3Object
from pipeline.s3 import S3Settings
from tests.conftest import wait_until
from tests.endpoint import Endpoint
from tests.workers.test_pool import Cameras, worker
from workers.through_s3 import ThroughS3

PLACE = "s3://frames/live"


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    client = boto3.client("s3", "us-east-1", endpoint_url=url, aws_access_key_id="made", aws_secret_access_key="up")
    client.create_bucket(Bucket="frames")
    client.url = url
    yield client
    server.stop()


def archive_of(s3: Any) -> Archive:
    return open_archive(ArchiveSettings(bucket="frames", prefix="live/", s3=S3Settings(s3.url, "us-east-1")))


def pictures_of(s3: Any, prefix: str = "live/") -> list[str]:
    return [each["Key"] for each in s3.list_objects_v2(Bucket="frames", Prefix=prefix).get("Contents", ())]


def test_pictures_are_read_from_s3_and_archived_there_without_another_upload(broker: Broker, s3: Any) -> None:
    """But for those of an audience, which may lie nowhere."""
    cameras = Cameras(broker, 2)
    CameraRegistry(broker.scripts).put([Camera("cam0", "demo", 5), Camera("cam1", "demo", 5, purpose=Purpose.AUDIENCE)])
    told = {"archive": PLACE, "s3_endpoint_url": s3.url, "send": "s3"}
    archive = archive_of(s3)
    with Endpoint() as endpoint, worker(broker._url, endpoint.url, **told):
        cameras.offer_until(lambda: min(cameras.analysed().values()) >= 2 and len(list(archive.items("cam0"))) >= 2)
        images = [body["Image"] for body in endpoint.bodies]
    asked = [image["S3Object"] for image in images if "S3Object" in image]
    assert len(asked) >= 2
    assert {each["Bucket"] for each in asked} == {"frames"}
    assert all(each["Name"].startswith("live/.sent/") for each in asked)
    assert any("Bytes" in image for image in images)
    assert archive.cameras() == ["cam0"]
    wait_until(lambda: not pictures_of(s3, "live/.sent/"))
    assert all(archive.read(item, ".jpg") == b"jpeg" for item in archive.items("cam0"))


def test_what_cannot_be_put_there_goes_as_bytes_and_is_said_once(s3: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings = ArchiveSettings(bucket="nobodys", s3=S3Settings(s3.url, "us-east-1"))
    through = ThroughS3(S3Archive(settings, 1))
    with caplog.at_level(logging.WARNING):
        assert [through.put(f"token{number}", b"jpeg") for number in range(3)] == [None, None, None]
    (record,) = caplog.records
    assert record.message.startswith("pictures go to Rekognition as bytes for 30 s, not by way of S3: the archive s3://nobodys")
    through.close()


def test_what_rekognition_cannot_read_there_goes_as_bytes_too(s3: Any) -> None:
    through = ThroughS3(S3Archive(ArchiveSettings(bucket="frames", prefix="x/", s3=S3Settings(s3.url, "us-east-1")), 1))
    place = through.put("token", b"jpeg")
    assert place == S3Object("frames", "x/.sent/token.jpg")
    through.take_back(place)
    assert pictures_of(s3, "x/") == []
    through.failed("Unable to get object metadata from S3")
    assert through.put("token", b"jpeg") is None
    through.close()
