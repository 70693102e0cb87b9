"""A picture's short stay in S3: put under a name of its own, asked about, deleted again."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from pipeline.broker import is_loopback
from pipeline.errors import ProviderError, SettingsError, redact
from pipeline.provider import Provider
from pipeline.settings import Settings
from rekstream.study.pictures import Picture

_SCHEME = "s3://"
_INVENTED = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}  # an endpoint of one's own may want none


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
        self._bucket, _, prefix = name.removeprefix(_SCHEME).partition("/")
        if not name.startswith(_SCHEME) or not self._bucket:
            raise SettingsError(f"--s3 {name!r} names no place in S3: write s3://bucket/prefix")
        self._prefix = prefix.strip("/") + "/" if prefix.strip("/") else ""
        _check_consent(name, settings)
        self._client = _client(settings)

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
                f"the picture cannot be put into {_SCHEME}{self._bucket} ({_why(error)}): "
                "check the bucket's name and who may write there"
            ) from error
        return {"VersionId": answer["VersionId"]} if answer.get("VersionId", "null") != "null" else {}

    def _delete(self, key: str, version: Mapping[str, str]) -> None:
        try:
            self._client.delete_object(Bucket=self._bucket, Key=key, **version)
        except (ClientError, BotoCoreError) as error:
            raise ProviderError(
                f"the picture still lies at {_SCHEME}{self._bucket}/{key}, because it could not be deleted "
                f"({_why(error)}): delete it there"
            ) from error


def _check_consent(name: str, settings: Settings) -> None:
    asks_aws, url = Provider.of(settings).paid, settings.s3_endpoint_url
    # the provider knows which addresses are Amazon's, and refuses them without --aws
    in_aws = url is None or Provider.of(settings.model_copy(update={"endpoint_url": url})).paid
    if in_aws and not asks_aws:
        raise SettingsError(
            f"{name} lies in AWS's own S3, where the picture would go: let AWS answer with --aws if that is meant, "
            "or name an S3 of your own with --s3-endpoint-url"
        )
    if asks_aws and not in_aws:
        raise SettingsError(f"AWS's Rekognition cannot read from {url}: leave out --s3-endpoint-url, or --aws")


def _client(settings: Settings) -> Any:  # no types of S3 are installed
    url = settings.s3_endpoint_url
    is_here = url is not None and is_loopback(urlsplit(url).hostname or "")
    config = Config(
        retries={"total_max_attempts": 2},
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        s3={"addressing_style": "path" if url else "auto"},  # few servers of one's own have a name per bucket
        proxies={} if is_here else None,
    )
    try:
        session: Any = boto3.Session(region_name=settings.region)
        invented = _INVENTED if url and session.get_credentials() is None else {}
        return session.client("s3", endpoint_url=url, config=config, **invented)
    except (BotoCoreError, ValueError) as error:
        raise SettingsError(f"S3 cannot be asked ({_why(error)}): check --s3-endpoint-url, --region and AWS_PROFILE") from error


def _why(error: Exception) -> str:
    if isinstance(error, ClientError):
        about = error.response.get("Error", {})
        return redact(f"{about.get('Code', 'Unknown')}: {str(about.get('Message', '')).rstrip('.')}")
    return redact(" ".join(str(error).split()).rstrip("."))
