"""What `rekstream up` tells the processes that join it: who answers, how many calls a second, and whether faces are shown."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

import redis

from pipeline import keys
from pipeline.broker import is_loopback
from pipeline.provider import Provider
from pipeline.s3 import SCHEME
from pipeline.settings import Settings

ARCHIVING = ("archive", "archive_kms_key", "s3_endpoint_url", "send")
"""The settings of the archive that workers on other machines have in common."""


@dataclass(frozen=True, slots=True)
class Shared:
    """The settings that all machines have in common; no secrets, and no address that means another machine elsewhere."""

    provider: str
    region: str
    endpoint_url: str | None = None
    tps: float | None = None
    burst: int = 1
    privacy: bool = False
    archive: str = ""
    archive_kms_key: str = ""
    s3_endpoint_url: str = ""
    send: str = ""

    @classmethod
    def of(cls, settings: Settings, provider: Provider) -> Shared:
        """Return what others may know of these settings."""
        url = settings.endpoint_url
        if url is not None and is_loopback(urlsplit(url).hostname or ""):
            url = None
        return cls(provider.name, settings.region, url, settings.tps, settings.burst, settings.privacy, **_archiving(settings))


def _archiving(settings: Settings) -> dict[str, str]:
    """Return where frames are archived, if others can reach that: a folder, or an S3 on loopback, is another one elsewhere."""
    url = settings.s3_endpoint_url or ""
    if not (settings.archive or "").startswith(SCHEME) or (url and is_loopback(urlsplit(url).hostname or "")):
        return {}
    return {name: str(getattr(settings, name) or "") for name in ARCHIVING}


class SharedSettings:
    """Keeps `Shared` in Redis; its absence also tells that Redis was emptied. Every method may raise redis.RedisError."""

    def __init__(self, connection: redis.Redis) -> None:
        self._connection: Any = connection

    def write(self, shared: Shared) -> None:
        """Say it to everybody."""
        self._connection.set(keys.SHARED, json.dumps(asdict(shared)))

    def forget(self) -> None:
        """Say nothing any more."""
        self._connection.delete(keys.SHARED)

    def read(self) -> Shared | None:
        """Return what was said, None when nobody did; members of later versions are left aside."""
        text = self._connection.get(keys.SHARED)
        if text is None:
            return None
        known = Shared.__dataclass_fields__
        return Shared(**{name: value for name, value in json.loads(text).items() if name in known})


class Privacy:
    """Whether faces are made unrecognisable in pictures: because this process was told so, or because `up` told everybody.

    Until Redis was asked for the first time the answer is yes; a Redis that was emptied changes nothing.
    """

    def __init__(self, connection: redis.Redis, *, told: bool) -> None:
        self._shared = SharedSettings(connection)
        self._told = told
        self._theirs: bool | None = None

    @property
    def is_on(self) -> bool:
        """Whether faces have to be made unrecognisable now."""
        return self._told or self._theirs is None or self._theirs

    def look(self) -> None:
        """Ask Redis again; called about once a second, may raise redis.RedisError."""
        shared = self._shared.read()
        if shared is not None:
            self._theirs = shared.privacy
        elif self._theirs is None:
            self._theirs = False
