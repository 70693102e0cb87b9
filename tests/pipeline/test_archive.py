"""The archive: the same in a folder as in S3, whole or not there; what is wrong with it is one sentence with its cause."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from moto.server import ThreadedMotoServer

from pipeline.archive import PICTURE, RESULT, Archive, ArchiveError, ArchiveSettings, Item, parse_bucket
from pipeline.archives import open_archive
from pipeline.errors import SettingsError
from pipeline.s3 import S3Settings
from pipeline.settings import load

MORNING = 1_795_000_000.25  # 2026-11-18 11:06:40 UTC
HOUR = 3600.0


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """A real S3 server with a bucket, and one that keeps versions."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    client = boto3.client("s3", "us-east-1", endpoint_url=url, aws_access_key_id="made", aws_secret_access_key="up")
    for bucket in ("frames", "versions", "others"):
        client.create_bucket(Bucket=bucket)
    client.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    client.url = url
    yield client
    server.stop()


def in_s3(s3: Any, place: str, **told: object) -> Archive:
    settings = ArchiveSettings.of(load(archive=place, s3_endpoint_url=s3.url, **told))
    assert settings is not None
    return open_archive(settings)


@pytest.fixture(params=["folder", "s3://frames/of/doors", "s3://versions"])
def archive(request: pytest.FixtureRequest, tmp_path: Path, s3: Any) -> Iterator[Archive]:
    is_folder = request.param == "folder"
    found = open_archive(ArchiveSettings(folder=tmp_path / "frames")) if is_folder else in_s3(s3, request.param)
    yield found
    for camera in found.cameras():
        found.erase(camera)
    found.close()


def item(seconds: float = 0.0, camera: str = "door", number: int = 0) -> Item:
    at = MORNING + seconds
    return Item(camera, at, f"{int(at * 1000)}-{number}")


def written(archive: Archive, *items: Item) -> list[Item]:
    for each in items:
        archive.write(each, b"picture of " + each.id.encode(), b'{"id": "' + each.id.encode() + b'"}')
    return list(items)


def test_a_name_says_camera_hour_time_and_result_and_is_read_back() -> None:
    door = Item("door", 1_795_000_000.1234567, "1795000000456-3")
    assert door.name == "door/2026/11/18/11/1795000000.123457-1795000000456-3"
    assert Item.of_name(f"{door.name}.jpg") == Item.of_name(f"{door.name}.json") == door
    for other in ("door/2026/11/18/07/1795000000.123457-1795000000456-3.jpg", "notes.txt", "door/2026/11/18/11/a.jpg", ""):
        assert Item.of_name(other) is None


@pytest.mark.parametrize(
    ("camera", "at", "result"), [("../etc", 1.0, "1-0"), ("photo-1", 1.0, "1-0"), ("door", 1.0, "../1"), ("door", -1.0, "1-0")]
)
def test_what_could_lead_elsewhere_is_no_name(camera: str, at: float, result: str) -> None:
    with pytest.raises(ValueError, match="cannot be archived"):
        Item(camera, at, result)


def test_a_frame_and_its_result_are_read_back(archive: Archive) -> None:
    (door,) = written(archive, item())
    assert archive.read(door, PICTURE) == b"picture of " + door.id.encode()
    assert archive.read(door, RESULT) == b'{"id": "' + door.id.encode() + b'"}'
    assert archive.read(item(1), PICTURE) is None
    written(archive, door)  # a try that was repeated
    assert list(archive.items("door")) == [door]


def test_items_come_by_time_of_one_camera_between_two_moments(archive: Archive) -> None:
    door = written(archive, item(2 * HOUR), item(0), item(30 * 24 * HOUR), item(1))
    (yard,) = written(archive, item(0, "yard"))
    assert archive.cameras() == ["door", "yard"]
    assert list(archive.items("door")) == sorted(door, key=lambda each: each.captured_at)
    assert list(archive.items("door", MORNING + 1, MORNING + 3 * HOUR)) == [door[3], door[0]]
    assert list(archive.items("yard")) == [yard]
    assert list(archive.items("porch")) == []


def test_what_is_deleted_is_gone_and_counted_once(archive: Archive) -> None:
    door = written(archive, *(item(seconds) for seconds in (0, 0.5, 1, HOUR)))
    assert archive.found([*door, item(7)]) == set(door)
    assert archive.delete([door[0], door[3], item(7)]) == 2
    assert archive.delete([door[0], door[3]]) == 0
    assert archive.read(door[0], PICTURE) is None
    assert archive.read(door[0], RESULT) is None
    assert list(archive.items("door")) == door[1:3]


def test_erasing_takes_what_lies_between_two_times(archive: Archive) -> None:
    door = written(archive, item(0), item(10), item(20))
    (yard,) = written(archive, item(10, "yard"))
    assert archive.erase("door", until=MORNING + 20) == 2
    assert list(archive.items("door")) == [door[2]]
    assert list(archive.items("yard")) == [yard]


def test_in_a_bucket_that_keeps_versions_deleting_leaves_none(s3: Any) -> None:
    archive = in_s3(s3, "s3://versions/forget")
    (door,) = written(archive, item())
    written(archive, door)
    archive.delete([door])
    left = s3.list_object_versions(Bucket="versions", Prefix="forget/")
    assert [left.get("Versions"), left.get("DeleteMarkers")] == [None, None]


def test_a_picture_that_was_sent_is_moved_to_its_place_and_what_a_kill_left_is_swept(s3: Any) -> None:
    archive: Any = in_s3(s3, "s3://frames/sending")
    sent, left = archive.put(".sent/one.jpg", b"sent"), archive.put(".sent/two.jpg", b"left")
    archive.write(item(), b"", b"{}", sent)
    assert archive.read(item(), PICTURE) == b"sent"
    assert archive.cameras() == ["door"]
    assert archive.sweep(0.0) == 0
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="frames", Prefix="sending/.sent")["Contents"]] == [left]
    assert archive.sweep(4e9) == 1
    assert list(archive.items("door")) == [item()]


def test_files_are_the_owners_alone_and_empty_folders_go(tmp_path: Path) -> None:
    archive = open_archive(ArchiveSettings(folder=tmp_path / "frames"))
    (door,) = written(archive, item())
    path = tmp_path / "frames" / f"{door.name}.jpg"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    part = path.with_name(f".{path.name}.part")  # what a kill leaves
    part.write_bytes(b"half")
    note = tmp_path / "frames" / "door" / "note.txt"
    note.write_text("not ours")
    assert archive.identity == open_archive(ArchiveSettings(folder=tmp_path / "frames")).identity != ""
    assert open_archive(ArchiveSettings(folder=tmp_path)).identity == ""
    archive.erase("door")
    assert [found.name for found in (tmp_path / "frames" / "door").iterdir()] == ["note.txt"]


def test_s3_is_told_nothing_of_encryption_unless_a_key_is_named(s3: Any) -> None:
    written(in_s3(s3, "s3://frames/plain"), item())
    written(in_s3(s3, "s3://frames/keyed", archive_kms_key="alias/frames"), item())
    plain, keyed = (s3.head_object(Bucket="frames", Key=f"{prefix}/{item().name}.jpg") for prefix in ("plain", "keyed"))
    assert plain["ContentType"] == "image/jpeg"
    assert keyed["ServerSideEncryption"] == "aws:kms"
    assert keyed["SSEKMSKeyId"] == "alias/frames"
    assert "SSEKMSKeyId" not in plain


def refused(write: Callable[[], object]) -> ArchiveError:
    with pytest.raises(ArchiveError) as raised:
        write()
    return raised.value


def test_a_bucket_that_is_not_there_is_one_sentence(s3: Any) -> None:
    error = refused(lambda: written(in_s3(s3, "s3://nobodys-bucket/x"), item()))
    assert error.cause == "absent"
    assert str(error).startswith("the archive s3://nobodys-bucket/x cannot be written to (NoSuchBucket")
    assert str(error).endswith("make the bucket, or correct its name and --region")


def test_missing_rights_are_one_sentence(s3: Any) -> None:
    """The answer is S3's own; moto lets everybody write."""
    archive: Any = in_s3(s3, "s3://frames/x")
    archive._client.meta.events.register("before-send", lambda **_: _forbidden())
    error = refused(lambda: written(archive, item()))
    assert error.cause == "denied"
    assert "(AccessDenied: Access Denied)" in str(error)
    assert str(error).endswith("give these credentials the rights that docs/archive.md names")


def _forbidden() -> AWSResponse:
    body = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
    return AWSResponse("http://s3", 403, {}, RawBody(body))


class RawBody(io.BytesIO):
    """A body as urllib3 has them."""

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self.read()


def test_a_server_that_is_away_is_one_sentence() -> None:
    s3 = S3Settings("http://127.0.0.1:9", "us-east-1")
    error = refused(lambda: written(open_archive(ArchiveSettings(bucket="frames", s3=s3)), item()))
    assert error.cause == "away"
    assert "check the network" in str(error)


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "frames").write_text("a file")
    error = refused(lambda: written(open_archive(ArchiveSettings(folder=tmp_path / "frames")), item()))
    assert error.cause == "absent"
    assert str(error).endswith("name a folder with --archive")


def test_a_full_disk_is_one_sentence_and_leaves_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    archive = open_archive(ArchiveSettings(folder=tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        error = refused(lambda: written(archive, item()))
    assert error.cause == "full"
    assert "No space left on device" in str(error)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("place", ["s3://", "s3:///x", "s3://a", "s3://UPPER_/…\n"])
def test_a_place_that_is_none_is_refused(place: str) -> None:
    with pytest.raises(SettingsError, match="write s3://bucket/prefix, or a folder"):
        parse_bucket(place)


def test_pictures_go_to_aws_only_where_that_was_meant() -> None:
    with pytest.raises(SettingsError, match="let AWS answer with --aws if that is meant"):
        ArchiveSettings.of(load(archive="s3://frames"))
    found = ArchiveSettings.of(load(archive="s3://frames/doors/", provider="aws"))
    assert found is not None
    assert (found.bucket, found.prefix) == ("frames", "doors/")
    assert ArchiveSettings.of(load()) is None


def test_sending_through_s3_needs_an_s3_that_is_read_from() -> None:
    with pytest.raises(SettingsError, match="send s3 needs an archive in S3"):
        ArchiveSettings.of(load(send="s3", archive="frames"))
    told = {"send": "s3", "archive": "s3://frames", "provider": "aws"}
    with pytest.raises(SettingsError, match="AWS's Rekognition cannot read from"):
        ArchiveSettings.of(load(**told, s3_endpoint_url="http://127.0.0.1:9"))
