"""S3 as every part of this program talks to it: each request is sent once, and to AWS only where that was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pipeline.broker import is_loopback
from pipeline.errors import SettingsError, redact
from pipeline.provider import Provider
from pipeline.settings import Settings

SCHEME = "s3://"
_INVENTED = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}  # an endpoint of one's own may want none


@dataclass(frozen=True, slots=True)
class S3Settings:
    """Which S3 is meant, AWS's own where `endpoint_url` is None, and for how long it is waited for (seconds)."""

    endpoint_url: str | None
    region: str
    connect_timeout: float = 2.0
    read_timeout: float = 10.0

    @classmethod
    def of(cls, settings: Settings) -> S3Settings:
        """Return the S3 of the settings."""
        return cls(settings.s3_endpoint_url, settings.region, settings.connect_timeout, settings.read_timeout)


def check_consent(place: str, settings: Settings) -> None:
    """Make sure that AWS's own S3 is only used by those who said --aws; raises SettingsError."""
    if is_amazons(settings) and not Provider.of(settings).paid:
        raise SettingsError(
            f"{place} lies in AWS's own S3, where the picture would go: let AWS answer with --aws if that is meant, "
            "or name an S3 of your own with --s3-endpoint-url"
        )


def check_rekognition_reads(settings: Settings) -> None:
    """Make sure that whoever analyses can read from the settings' S3; raises SettingsError."""
    if Provider.of(settings).paid and not is_amazons(settings):
        raise SettingsError(
            f"AWS's Rekognition cannot read from {settings.s3_endpoint_url}: leave out --s3-endpoint-url, or --aws"
        )


def is_amazons(settings: Settings) -> bool:
    """Say whether the settings' S3 is AWS's own; raises SettingsError for an address of Amazon's without --aws."""
    url = settings.s3_endpoint_url
    return url is None or Provider.of(settings.model_copy(update={"endpoint_url": url})).paid  # it knows Amazon's addresses


def client_of(settings: S3Settings, connections: int = 10) -> Any:  # no types of S3 are installed
    """Return boto3's client, which connects only when it is used; raises SettingsError."""
    import boto3  # noqa: PLC0415  # half a second and 30 MB that most parts do not need
    from botocore.config import Config  # noqa: PLC0415  # as above
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415  # as above

    url = settings.endpoint_url
    is_here = url is not None and is_loopback(urlsplit(url).hostname or "")
    config = Config(
        retries={"total_max_attempts": 1},
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        max_pool_connections=connections,
        s3={"addressing_style": "path" if url else "auto"},  # few servers of one's own have a name per bucket
        request_checksum_calculation="when_required",  # few of them know AWS's newer checksums
        response_checksum_validation="when_required",
        proxies={} if is_here else None,
    )
    try:
        session: Any = boto3.Session(region_name=settings.region)
        invented = _INVENTED if url and session.get_credentials() is None else {}
        return session.client("s3", endpoint_url=url, config=config, **invented)
    except (BotoCoreError, ValueError) as error:
        raise SettingsError(f"S3 cannot be asked ({why(error)}): check --s3-endpoint-url, --region and AWS_PROFILE") from error


def why(error: Exception) -> str:
    """Return what went wrong, as S3 or the library says it, without a full stop."""
    about = getattr(error, "response", {}).get("Error")
    if about:
        return redact(f"{about.get('Code', 'Unknown')}: {str(about.get('Message', '')).rstrip('.')}")
    return redact(" ".join(str(error).split()).rstrip("."))
