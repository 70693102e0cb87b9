"""What a call was told is kept survives kills, other writers and restarts; what is deleted is in no file any more."""

import shutil
import sqlite3
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import numpy as np
import pytest

from pipeline.errors import SettingsError
from rekognition_local.protocol import ServiceError
from rekognition_local.server import Server, ServerSettings
from rekognition_local.store import FILE_NAME, NewFace, Store
from tests.rekognition_local.conftest import client_for, serving
from tests.rekognition_local.people import both, picture
from tests.vision.scenes import ASTRONAUT, HOPPER
from vision.entities import Box


def _face(seed: int, left: float = 0.1) -> NewFace:
    return NewFace(Box(left, 0.2, 0.3, 0.4), 99.0, np.random.default_rng(seed).normal(size=128).astype(np.float32))


def test_everything_is_there_after_a_restart(tmp_path):
    with Server(ServerSettings(data=tmp_path)) as server:
        client = client_for(server.url)
        client.create_collection(CollectionId="people")
        client.create_user(CollectionId="people", UserId="grace")
        records = client.index_faces(CollectionId="people", Image={"Bytes": both(HOPPER)}, ExternalImageId="a")["FaceRecords"]
        ids = [record["Face"]["FaceId"] for record in records]
        client.associate_faces(CollectionId="people", UserId="grace", FaceIds=ids[:1])
        before = client.list_faces(CollectionId="people")["Faces"]
        client.close()
    with Server(ServerSettings(data=tmp_path)) as server:
        client = client_for(server.url)
        assert client.list_faces(CollectionId="people")["Faces"] == before
        search = client.search_users_by_image(CollectionId="people", Image={"Bytes": picture(HOPPER)})
        assert [match["User"]["UserId"] for match in search["UserMatches"]] == ["grace"]
        client.close()


def test_without_a_folder_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        with Server() as server:
            client = client_for(server.url)
            client.create_collection(CollectionId="people")  # a second time too: the first one is gone
            client.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("killed_after", [1, 6, 13])
def test_a_kill_while_faces_are_indexed_loses_none_that_was_answered(tmp_path, killed_after):
    answered, enough = [], threading.Event()

    def index(number):
        image, name = {"Bytes": picture(HOPPER, "small")}, f"picture-{number}"
        records = client.index_faces(CollectionId="people", Image=image, ExternalImageId=name)["FaceRecords"]
        answered.extend(record["Face"]["FaceId"] for record in records)
        if len(answered) >= killed_after:
            enough.set()

    with serving(tmp_path) as (process, url):
        client = client_for(url)
        client.create_collection(CollectionId="people")
        with ThreadPoolExecutor(4) as pool:
            calls = [pool.submit(index, number) for number in range(300)]
            assert enough.wait(60)
            process.kill()
            errors = [call.exception() for call in calls]
        client.close()
    assert any(errors)
    with Server(ServerSettings(data=tmp_path)) as server:
        client = client_for(server.url)
        kept = client.list_faces(CollectionId="people")["Faces"]
        assert set(answered) <= {face["FaceId"] for face in kept}
        assert (
            len(kept)
            == len({face["ExternalImageId"] for face in kept})
            == client.describe_collection(CollectionId="people")["FaceCount"]
        )
        assert client.search_faces(CollectionId="people", FaceId=answered[0])["FaceMatches"][:1] or len(kept) == 1
        client.close()
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_many_writers_at_once_lose_no_face(tmp_path):
    stores = [Store(tmp_path) for _ in range(3)]
    stores[0].create_collection("people")

    def write(number):
        return stores[number % 3].add_faces("people", f"image-{number}", None, [_face(number), _face(number, 0.5)])

    with ThreadPoolExecutor(12) as pool:
        written = [face.id for faces in pool.map(write, range(90)) for face in faces]
    assert sorted(face.id for face in stores[1].faces(stores[1].collection("people"), 0, 1000)) == sorted(written)
    for store in stores:
        store.close()


def test_the_same_picture_from_two_writers_at_once_is_one_face(tmp_path):
    stores = [Store(tmp_path) for _ in range(4)]
    stores[0].create_collection("people")
    together = threading.Barrier(4)

    def write(store):
        together.wait()
        return store.add_faces("people", "image", "name", [_face(1)])[0].id

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(write, stores))) == 1
    for store in stores:
        store.close()


def test_two_servers_of_one_folder_see_each_others_faces(tmp_path):
    with Server(ServerSettings(data=tmp_path)) as first, Server(ServerSettings(data=tmp_path)) as second:
        one, other = client_for(first.url), client_for(second.url)
        one.create_collection(CollectionId="people")
        search = {"CollectionId": "people", "Image": {"Bytes": picture(ASTRONAUT)}}
        assert other.search_faces_by_image(**search)["FaceMatches"] == []
        (record,) = one.index_faces(CollectionId="people", Image={"Bytes": picture(ASTRONAUT, "dark")})["FaceRecords"]
        (match,) = other.search_faces_by_image(**search)["FaceMatches"]
        assert match["Face"]["FaceId"] == record["Face"]["FaceId"]
        other.delete_faces(CollectionId="people", FaceIds=[match["Face"]["FaceId"]])
        assert one.search_faces_by_image(**search)["FaceMatches"] == []
        one.close()
        other.close()


@pytest.mark.parametrize("how", ["face", "collection"])
def test_what_is_deleted_is_in_no_file_any_more(tmp_path, how):
    store = Store(tmp_path)
    store.create_collection("people")
    (face,) = store.add_faces("people", "image", "a_name_to_forget", [_face(7)])
    traces = (_face(7).vector.tobytes(), b"a_name_to_forget")
    assert all(_in_files(tmp_path, trace) for trace in traces)
    if how == "face":
        store.remove_faces("people", [face.id])
    else:
        store.delete_collection("people")
    assert not any(_in_files(tmp_path, trace) for trace in traces)
    store.close()


def test_a_deleted_users_name_is_in_no_file_any_more(tmp_path):
    with Server(ServerSettings(data=tmp_path)) as server:
        client = client_for(server.url)
        client.create_collection(CollectionId="people")
        for user in ("ann-to-forget", "bob-to-forget"):
            client.create_user(CollectionId="people", UserId=user)
        (record,) = client.index_faces(CollectionId="people", Image={"Bytes": picture(HOPPER)})["FaceRecords"]
        faces = [record["Face"]["FaceId"]]
        client.associate_faces(CollectionId="people", UserId="ann-to-forget", FaceIds=faces)
        client.associate_faces(CollectionId="people", UserId="bob-to-forget", FaceIds=faces)  # an answer that names Ann
        assert _in_files(tmp_path, b"ann-to-forget")
        client.delete_user(CollectionId="people", UserId="ann-to-forget")
        assert not _in_files(tmp_path, b"ann-to-forget")
        client.delete_collection(CollectionId="people")
        assert not _in_files(tmp_path, b"bob-to-forget")
        client.close()


def test_what_another_process_reads_while_it_is_deleted_goes_later_and_nobody_waits(tmp_path):
    store = Store(tmp_path)
    store.create_collection("people")
    faces = store.add_faces("people", "image", "a_name_to_forget", [_face(7), _face(8, 0.5)])
    with closing(sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM faces").fetchone()
        started = time.monotonic()
        store.remove_faces("people", [face.id for face in faces])
        assert time.monotonic() - started < 5  # the most it would wait is 20
        assert _in_files(tmp_path, b"a_name_to_forget")
        reader.execute("COMMIT")
    store.create_collection("another")
    assert not _in_files(tmp_path, b"a_name_to_forget")
    store.close()


def test_what_was_answered_is_on_the_disk(tmp_path):
    store = Store(tmp_path)
    assert store._rows("PRAGMA synchronous") == [(2,)]
    assert store._rows("PRAGMA journal_mode") == [("wal",)]
    store.close()


def _in_files(folder, trace):
    return any(trace in path.read_bytes() for path in folder.iterdir())


def test_no_picture_is_kept(tmp_path):
    with Server(ServerSettings(data=tmp_path)) as server:
        client = client_for(server.url)
        client.create_collection(CollectionId="people")
        client.index_faces(CollectionId="people", Image={"Bytes": picture(HOPPER)})
        client.close()
    piece = picture(HOPPER)[5000:5064]
    assert not _in_files(tmp_path, piece)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 120_000


def test_the_files_are_their_owners_alone(tmp_path):
    folder = tmp_path / "data"
    store = Store(folder)
    store.create_collection("people")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    store.close()


def test_a_folder_that_goes_away_under_a_running_server_is_told(tmp_path):
    folder = tmp_path / "data"
    with Server(ServerSettings(data=folder)) as server:
        client = client_for(server.url)
        client.create_collection(CollectionId="people")
        shutil.rmtree(folder)
        with pytest.raises(client.exceptions.InternalServerError, match="was moved or deleted while it was in use"):
            client.create_collection(CollectionId="more")
        client.close()


def test_a_call_that_fails_leaves_everything_as_it_was(tmp_path):
    store = Store(tmp_path)
    store.create_collection("people")
    bad = NewFace(Box(0, 0, 1, 1), None, _face(2).vector)  # type: ignore[arg-type]  # what the schema forbids
    with pytest.raises(ServiceError, match="nothing of this call was kept") as raised:
        store.add_faces("people", "image", None, [_face(1), bad])
    assert raised.value.code == "InternalServerError"
    assert store.faces(store.collection("people"), 0, 10) == []
    store.add_faces("people", "image", None, [_face(1)])
    store.close()


def test_a_newer_file_a_broken_one_and_a_place_that_is_none_are_told(tmp_path):
    with sqlite3.connect(tmp_path / FILE_NAME) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(SettingsError, match=r"newer rekstream \(its version 99"):
        Store(tmp_path)
    (tmp_path / FILE_NAME).write_bytes(b"this is no database, whatever its name says" * 100)
    with pytest.raises(SettingsError, match=r"not a database.*move it away"):
        Store(tmp_path)
    with pytest.raises(SettingsError, match=r"cannot be used \(its folder is a file\)"):
        Store(tmp_path / FILE_NAME)


def test_vectors_of_another_model_are_not_compared(tmp_path, monkeypatch):
    monkeypatch.setattr("rekognition_local.store.MODEL_VERSION", "0.9")
    store = Store(tmp_path)
    store.create_collection("old")
    store.close()
    monkeypatch.undo()
    with Server(ServerSettings(data=tmp_path)) as server:
        client = client_for(server.url)
        with pytest.raises(client.exceptions.InvalidParameterException, match=r"face model 0\.9.*index its faces anew"):
            client.search_faces_by_image(CollectionId="old", Image={"Bytes": picture(HOPPER)})
        assert client.describe_collection(CollectionId="old")["FaceModelVersion"] == "0.9"
        client.close()


def test_a_full_disk_is_an_internal_error_that_says_so_and_the_server_goes_on(tmp_path):
    made = []

    def fill():
        for number in range(1000):
            client.create_collection(CollectionId=f"{number:03}" + "x" * 250)
            made.append(f"{number:03}" + "x" * 250)

    with serving(tmp_path, limit=150_000) as (process, url):
        client = client_for(url)
        with pytest.raises(client.exceptions.InternalServerError, match=r"cannot be used .*nothing of this call was kept"):
            fill()
        assert client.list_collections()["CollectionIds"] == made != []
        process.terminate()
        assert process.wait(10) == 0
        client.close()
