"""An archive in a bucket of S3, by whose own rules what is old goes, and what is there is encrypted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from pipeline.archive import (
    ABSENT,
    AWAY,
    DENIED,
    ENDINGS,
    PICTURE,
    REFUSED,
    RESULT,
    ArchiveError,
    ArchiveSettings,
    Item,
    by_hour,
    hour_of,
)
from pipeline.camera_spec import ID
from pipeline.s3 import SCHEME, S3Settings, client_of, why

SENT = ".sent/"
"""Below which pictures lie that Rekognition is to read; no camera can be called so."""

_KINDS = {PICTURE: "image/jpeg", RESULT: "application/json"}
_AT_ONCE = 1000  # objects that S3 deletes with one request
_MICROSECOND = 1e-6
_DENIED = frozenset(
    {"AccessDenied", "AllAccessDisabled", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "403"}
)
_ABSENT = frozenset({"NoSuchBucket", "PermanentRedirect", "InvalidBucketName", "IllegalLocationConstraintException"})
_MISSING = frozenset({"NoSuchKey", "404"})
_SERVER, _SLOW_DOWN = 500, frozenset({"SlowDown", "RequestTimeout", "RequestTimeTooSkewed"})


class S3Archive:
    """Archives below a prefix of a bucket; `connections` is how many requests are under way at once."""

    def __init__(self, settings: ArchiveSettings, connections: int) -> None:
        self._bucket = settings.bucket
        self._prefix = settings.prefix
        self._client = client_of(settings.s3 or S3Settings(None, "us-east-1"), connections)
        self._encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": settings.kms_key} if settings.kms_key else {}

    @property
    def bucket(self) -> str:
        """The bucket."""
        return self._bucket

    @property
    def place(self) -> str:
        """The bucket and the prefix."""
        return f"{SCHEME}{self._bucket}/{self._prefix}".rstrip("/")

    @property
    def identity(self) -> str:
        """The place: a bucket is one for all."""
        return self.place

    def write(self, item: Item, jpeg: bytes, result: bytes, sent: str = "") -> None:
        """Archive a frame and its result; a picture that was `sent` (its whole name) is moved, and not uploaded again."""
        if sent:
            self._copy(sent, f"{item.name}{PICTURE}")
        else:
            self.put(f"{item.name}{PICTURE}", jpeg)
        self.put(f"{item.name}{RESULT}", result)
        if sent:
            self.delete_sent(sent)

    def put(self, name: str, content: bytes) -> str:
        """Put an object below the prefix, and return its whole name in the bucket."""
        key = f"{self._prefix}{name}"
        with self._told("written to"):
            kind = _KINDS[name[name.rindex(".") :]]
            self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType=kind, **self._encryption)
        return key

    def read(self, item: Item, ending: str) -> bytes | None:
        """Return an item's picture or result, None if there is none."""
        try:
            with self._told("read"):
                answer = self._client.get_object(Bucket=self._bucket, Key=f"{self._prefix}{item.name}{ending}")
                with answer["Body"] as body:
                    return bytes(body.read())
        except ArchiveError as error:
            if isinstance(error.__cause__, ClientError) and _code(error.__cause__) in _MISSING:
                return None
            raise

    def cameras(self) -> list[str]:
        """Return the cameras of which anything is archived."""
        found = []
        with self._told("listed"):
            for page in self._pages(self._prefix, Delimiter="/"):
                found += [each["Prefix"].removeprefix(self._prefix).rstrip("/") for each in page.get("CommonPrefixes", ())]
        return sorted(name for name in found if ID.fullmatch(name))

    def items(self, camera: str, since: float = 0.0, until: float = float("inf")) -> Iterator[Item]:
        """Yield what is archived of a camera, oldest first."""
        return (item for item, ending in self._objects(camera, since, until) if ending == RESULT)

    def found(self, items: Iterable[Item]) -> set[Item]:
        """Return those of these items of which anything is there."""
        there: set[Item] = set()
        for some in by_hour(items).values():
            first, last = some[0], some[-1]
            between = self._objects(first.camera, first.captured_at, last.captured_at + _MICROSECOND)
            there |= {item for item, _ in between}.intersection(some)
        return there

    def delete(self, items: Iterable[Item]) -> int:
        """Delete items; in a bucket that keeps versions, all of these."""
        asked = list(items)
        there = len(self.found(asked))
        self._delete_names([f"{item.name}{ending}" for item in asked for ending in ENDINGS])
        return there

    def erase(self, camera: str, since: float = 0.0, until: float = float("inf")) -> int:
        """Delete everything of ours of a camera between two times."""
        items = {item: None for item, _ in self._objects(camera, since, until)}
        self._delete_names([f"{item.name}{ending}" for item in items for ending in ENDINGS])
        return len(items)

    def delete_sent(self, name: str) -> None:
        """Delete a picture that was put for Rekognition to read, by its whole name."""
        self._delete_names([name.removeprefix(self._prefix)])

    def sweep(self, before: float) -> int:
        """Delete what was put for Rekognition to read before a time, and left behind by a kill; return how many."""
        with self._told("listed"):
            pages = [page.get("Contents", ()) for page in self._pages(f"{self._prefix}{SENT}")]
        old = [each["Key"] for page in pages for each in page if each["LastModified"].timestamp() < before]
        self._delete_names([name.removeprefix(self._prefix) for name in old])
        return len(old)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _copy(self, sent: str, name: str) -> None:
        with self._told("written to"):
            there = {"Bucket": self._bucket, "Key": sent}
            self._client.copy_object(Bucket=self._bucket, Key=f"{self._prefix}{name}", CopySource=there, **self._encryption)

    def _objects(self, camera: str, since: float, until: float) -> Iterator[tuple[Item, str]]:
        """Yield the objects of a camera: what it is of, and its ending."""
        first = f"{self._prefix}{hour_of(camera, max(0.0, since))}/{max(0.0, since):.6f}"
        with self._told("listed"):
            for page in self._pages(f"{self._prefix}{camera}/", StartAfter=first):
                for each in page.get("Contents", ()):
                    name = each["Key"].removeprefix(self._prefix)
                    item = Item.of_name(name)
                    if item is None or item.captured_at < since:
                        continue
                    if item.captured_at >= until:
                        return
                    yield item, name[name.rindex(".") :]

    def _pages(self, prefix: str, **more: str) -> Iterator[Mapping[str, Any]]:
        pages: Iterator[Mapping[str, Any]] = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, **more
        )
        return iter(pages)

    def _delete_names(self, names: Sequence[str]) -> None:
        with self._told("deleted from"):
            objects = [{"Key": f"{self._prefix}{name}"} for name in names]
            if self._keeps_versions:
                objects = list(self._versions({each["Key"] for each in objects}))
            for start in range(0, len(objects), _AT_ONCE):
                some = {"Objects": objects[start : start + _AT_ONCE], "Quiet": True}
                failed = self._client.delete_objects(Bucket=self._bucket, Delete=some).get("Errors", ())
                if failed:
                    raise ArchiveError(
                        f"{len(failed)} objects of {self.place} could not be deleted ({failed[0].get('Code')}): "
                        "give these credentials the right s3:DeleteObject there",
                        DENIED,
                    )

    @cached_property
    def _keeps_versions(self) -> bool:
        """Whether what is deleted stays as an older version, unless that is deleted too."""
        return bool(self._client.get_bucket_versioning(Bucket=self._bucket).get("Status"))

    def _versions(self, keys: set[str]) -> Iterator[dict[str, str]]:
        """Yield all versions of these objects: one listing for each folder that they lie in, up to the last."""
        for folder in sorted({key.rpartition("/")[0] for key in keys}):
            last = max(key for key in keys if key.rpartition("/")[0] == folder)
            pages = self._client.get_paginator("list_object_versions")
            for page in pages.paginate(Bucket=self._bucket, Prefix=f"{folder}/"):
                found = (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
                yield from ({"Key": each["Key"], "VersionId": each["VersionId"]} for each in found if each["Key"] in keys)
                if found and min(each["Key"] for each in found) > last:
                    break

    @contextmanager
    def _told(self, done: str) -> Iterator[None]:
        try:
            yield
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise ArchiveError(
                f"the archive {self.place} cannot be {done}: there are no AWS credentials, set AWS_PROFILE "
                "or run `aws configure`",
                DENIED,
            ) from error
        except (ClientError, BotoCoreError) as error:
            cause, advice = _verdict(error)
            raise ArchiveError(f"the archive {self.place} cannot be {done} ({why(error)}): {advice}", cause) from error


def _verdict(error: Exception) -> tuple[str, str]:
    """Return the cause of a failure, and what to do."""
    if not isinstance(error, ClientError):
        return AWAY, "check the network, and --s3-endpoint-url"
    code, status = _code(error), int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _DENIED:
        return DENIED, "give these credentials the rights that docs/archive.md names"
    if code in _ABSENT:
        return ABSENT, "make the bucket, or correct its name and --region"
    if status >= _SERVER or code in _SLOW_DOWN:
        return AWAY, "S3 is in trouble, it is tried again"
    return REFUSED, "see docs/archive.md"


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
