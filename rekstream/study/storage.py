"""A picture's short stay in S3: put under a name of its own, asked about, deleted again."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from pipeline.errors import ProviderError, SettingsError
from pipeline.s3 import SCHEME, S3Settings, check_consent, check_rekognition_reads, client_of, why
from pipeline.settings import Settings
from rekstream.study.pictures import Picture


@dataclass(frozen=True, slots=True)
class Held:
    """A picture that lies in S3: where (Bucket, Name), and the seconds its upload took."""

    place: Mapping[str, str]
    upload_seconds: float


class Storage:
    """A bucket and a prefix, ``s3://bucket/prefix``, in the settings' S3, which is AWS's own if they name none.

    Raises SettingsError for a name that is none, and for AWS's S3 unless AWS's Rekognition was asked for with --aws.
    """

    def __init__(self, name: str, settings: Settings) -> None:
        self._bucket, _, prefix = name.removeprefix(SCHEME).partition("/")
        if not name.startswith(SCHEME) or not self._bucket:
            raise SettingsError(f"--s3 {name!r} names no place in S3: write s3://bucket/prefix")
        self._prefix = prefix.strip("/") + "/" if prefix.strip("/") else ""
        check_consent(name, settings)
        check_rekognition_reads(settings)
        self._client = client_of(S3Settings.of(settings))

    @contextmanager
    def holding(self, picture: Picture) -> Iterator[Held]:
        """Keep the picture in S3 for as long as the block lasts; raises ProviderError when S3 refuses it, or keeps it."""
        key = f"{self._prefix}rekstream-study-{uuid.uuid4().hex}.{'png' if picture.is_png else 'jpg'}"
        started = time.perf_counter()
        version = self._put(key, picture.data)
        try:
            yield Held({"Bucket": self._bucket, "Name": key}, time.perf_counter() - started)
        finally:
            self._delete(key, version)

    def _put(self, key: str, data: bytes) -> Mapping[str, str]:
        """Return what names the new object's version in a bucket that keeps versions."""
        try:
            answer = self._client.put_object(Bucket=self._bucket, Key=key, Body=data)
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise ProviderError("there are no AWS credentials for S3: set AWS_PROFILE, or run `aws configure`") from error
        except (ClientError, BotoCoreError) as error:
            raise ProviderError(
                f"the picture cannot be put into {SCHEME}{self._bucket} ({why(error)}): "
                "check the bucket's name and who may write there"
            ) from error
        return {"VersionId": answer["VersionId"]} if answer.get("VersionId", "null") != "null" else {}

    def _delete(self, key: str, version: Mapping[str, str]) -> None:
        try:
            self._client.delete_object(Bucket=self._bucket, Key=key, **version)
        except (ClientError, BotoCoreError) as error:
            raise ProviderError(
                f"the picture still lies at {SCHEME}{self._bucket}/{key}, because it could not be deleted "
                f"({why(error)}): delete it there"
            ) from error
