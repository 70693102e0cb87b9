"""The one file that reads the environment: frozen settings, which are then handed down.

Every setting is an environment variable ``REKSTREAM_NAME``; flags of the command line and rekstream.yml go before it.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.entities import ATTRIBUTE_GROUPS, ATTRIBUTES, Gate
from pipeline.errors import SettingsError, redact

MIN_FPS, MAX_FPS = 0.01, 60.0
LOCAL_FPS, AWS_FPS = 5.0, 1.0
SHORTEST_PASSWORD = 8
_COLLECTION = re.compile(r"[a-zA-Z0-9_.-]{1,255}")  # as Rekognition has it
_KEEP = re.compile(r"(?P<many>\d{1,6}(?:\.\d+)?)\s*(?P<unit>[hdwy])")
_UNITS = {"h": 3600.0, "d": 86_400.0, "w": 604_800.0, "y": 31_536_000.0}
_ANYBODY_ELSE = 0o077  # the rights of all but the owner


class Settings(BaseSettings):
    """What the whole program can be told; nothing in it changes after the start.

    Raises pydantic's ValidationError; `load` turns that into one sentence.
    """

    model_config = SettingsConfigDict(env_prefix="REKSTREAM_", frozen=True, extra="ignore", hide_input_in_errors=True)

    redis: str | None = Field(None, description="URL of the Redis or Valkey server; none starts an embedded one")
    redis_password: SecretStr | None = Field(None, description="password for it, better here than in the URL")
    redis_password_file: Path | None = Field(None, description="file that holds that password")
    provider: Literal["local", "aws"] = Field("local", description="who answers: this machine, or AWS, which costs money")
    endpoint_url: str | None = Field(None, description="another Rekognition-compatible server; never paid")
    region: str = Field("us-east-1", description="AWS region")
    local_url: str | None = Field(None, description="a local Rekognition server that runs already; none starts one")
    tps: float | None = Field(None, gt=0, le=100_000, description="calls a second allowed; AWS's default quota if not said")
    burst: int = Field(1, ge=1, le=3, description="slots of the rate limit that may be used at once after a pause")
    threads: int | None = Field(None, ge=1, le=512, description="calls in flight of one worker process")
    fps: float | None = Field(None, description="frames sampled a second and camera: 5 local, 1 on AWS")
    attributes: str = Field("all", description="default, all, or some by name: smile,emotions,age_range")
    budget: str = Field("1/day", description="the most that may be spent on AWS: 0.50/hour, 1/day, 20/month")
    prices: Path | None = Field(None, description="file with prices of AWS that go before the built-in ones, see money.md")
    privacy: bool = Field(default=False, description="true makes faces unrecognisable in all pictures shown and kept")
    host: str = Field("127.0.0.1", description="address on which the dashboard listens")
    port: int = Field(8080, ge=0, le=65535, description="port of the dashboard; 0 takes a free one")
    token: SecretStr | None = Field(None, description="what programs send to the dashboard (Bearer); serves as password too")
    password_file: Path | None = Field(None, description="file with the dashboard's password; it or a token beyond loopback")
    prometheus: SecretStr | None = Field(
        None, description="URL of a Prometheus that the charts ask, perhaps with user:password"
    )
    data: Path = Field(
        default_factory=lambda: default_data_folder(os.environ),
        description="folder of the state file, and of local collections",
    )
    server: str = Field("http://127.0.0.1:8080", description="running system that camera commands talk to")
    collection: str = Field(
        "rekstream", description="id of the collection of known faces; made if it is not there, else adopted"
    )
    show_similarity: float = Field(80.0, ge=1, le=100, description="percent from which a face is named; AWS's own default")
    watch_similarity: float = Field(99.0, ge=1, le=100, description="percent from which a watch list tells; AWS's advice")
    visit_gap: float = Field(10.0, ge=1, le=3600, description="seconds out of sight after which a visit is over")
    visit_days: float = Field(30.0, gt=0, le=3650, description="days for which visits are kept")
    alert_days: float = Field(30.0, gt=0, le=3650, description="days for which alerts are kept")
    unknown_hours: float = Field(24.0, ge=0, le=8760, description="hours for which unknown faces are recognised again; 0 never")
    database: SecretStr | None = Field(None, description="URL of the history's database; without it a file in the data folder")
    time_zone: str = Field("", description="time zone of attendance's days, such as Europe/Berlin; this machine's if not said")
    keep: str = Field("30d", description="how long the history is kept: 12h, 30d, 1y, or forever")
    archive: str | None = Field(None, description="s3://bucket/prefix or a folder for analysed pictures; none keeps none")
    archive_kms_key: str = Field("", max_length=2048, description="KMS key of S3's for them; else the bucket's own rule")
    send: Literal["bytes", "s3"] = Field("bytes", description="bytes, or s3: DetectFaces reads pictures from the archive")
    contact: str = Field("", max_length=300, description="who answers questions about the cameras: it stands on their notices")
    connect_timeout: float = Field(2.0, gt=0, le=60, description="seconds to reach Rekognition")
    read_timeout: float = Field(10.0, gt=0, le=120, description="seconds to wait for its answer")
    access_key: SecretStr | None = Field(None, description="what callers of a local Rekognition server sign with, workers too")
    secret_key: SecretStr | None = Field(None, description="its secret; both are needed beyond loopback")
    s3_endpoint_url: str | None = Field(None, description="S3 that the local Rekognition server reads objects from")
    detector_side: int | None = Field(None, ge=160, le=1920, description="local face detector's side; by picture if not said")
    log_level: Literal["debug", "info", "warning", "error"] = Field("warning", description="how much is logged")

    @field_validator("fps")
    @classmethod
    def _fps_in_range(cls, value: float | None) -> float | None:
        return None if value is None else check_fps(value)

    @field_validator("attributes")
    @classmethod
    def _known_attributes(cls, value: str) -> str:
        parse_attributes(value)
        return value

    @field_validator("collection")
    @classmethod
    def _id_of_collection(cls, value: str) -> str:
        if not _COLLECTION.fullmatch(value):
            raise ValueError("is no id of a collection: write 1 to 255 letters, digits, _ . or -")
        return value

    @field_validator("time_zone")
    @classmethod
    def _known_time_zone(cls, value: str) -> str:
        try:
            return str(ZoneInfo(value)) if value else ""
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("is no time zone that this machine knows: write one such as Europe/Berlin, or UTC") from None

    @field_validator("keep")
    @classmethod
    def _length_of_time(cls, value: str) -> str:
        parse_keep(value)
        return value

    @field_validator("prometheus")
    @classmethod
    def _url_of_prometheus(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _is_http(value.get_secret_value()):
            raise ValueError("is no URL of a Prometheus: write http://HOST:9090")
        return value

    @property
    def sampled_fps(self) -> float:
        """Frames a second and camera, where the camera says nothing itself."""
        return self.fps or (AWS_FPS if self.provider == "aws" else LOCAL_FPS)

    @property
    def default_gate(self) -> Gate:
        """What a frame needs before a call is spent on it, where the camera says nothing itself: a face where calls cost."""
        return Gate.FACE if self.provider == "aws" else Gate.OFF

    def password(self) -> str | None:
        """Return the password of Redis, from its setting or its file; raises SettingsError."""
        if self.redis_password is not None:
            return self.redis_password.get_secret_value()
        if self.redis_password_file is None:
            return None
        return _read_secret(self.redis_password_file, "REKSTREAM_REDIS_PASSWORD_FILE")

    @property
    def keep_seconds(self) -> float:
        """For how many seconds the history is kept; 0 for ever."""
        return parse_keep(self.keep)

    def keys(self) -> tuple[str, str] | None:
        """Return the access key and the secret key of the local Rekognition server, None unless both are there."""
        if not self.access_key or not self.secret_key:
            return None
        return self.access_key.get_secret_value(), self.secret_key.get_secret_value()

    def dashboard_password(self) -> str | None:
        """Return what people sign in with, from its file, which nobody else may read; raises SettingsError."""
        if self.password_file is None:
            return None
        password = _read_secret(self.password_file, "--password-file")
        if self.password_file.stat().st_mode & _ANYBODY_ELSE:
            raise SettingsError(
                f"the password file {str(self.password_file)!r} can be read by others: chmod 600 {self.password_file}"
            )
        if len(password) < SHORTEST_PASSWORD:
            raise SettingsError(
                f"the password in {str(self.password_file)!r} has {len(password)} characters: "
                f"write one of at least {SHORTEST_PASSWORD} there"
            )
        return password


def parse_keep(text: str) -> float:
    """Return the seconds of ``12h``, ``30d``, ``4w`` or ``1y``, 0 for ``forever``; raises ValueError."""
    if text.strip().lower() == "forever":
        return 0.0
    match = _KEEP.fullmatch(text.strip().lower())
    seconds = float(match["many"]) * _UNITS[match["unit"]] if match else 0.0
    if not _UNITS["h"] <= seconds <= 100 * _UNITS["y"]:
        raise ValueError("is not how long to keep: write 12h, 30d, 4w, 1y (an hour at least), or forever")
    return seconds


def _read_secret(path: Path, name: str) -> str:
    try:
        return path.read_text().strip()
    except OSError as error:
        raise SettingsError(f"the password file {str(path)!r} cannot be read ({error.strerror}): correct {name}") from error
    except ValueError as error:
        raise SettingsError(f"the password file {str(path)!r} holds no text: correct {name}") from error


def load(**given: Any) -> Settings:
    """Return the settings: `given` values that are not None first, then the environment; raises SettingsError."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise SettingsError(describe(error)) from error


def describe(error: ValidationError) -> str:
    """Return the first thing that is wrong as one sentence that names the setting and holds its value."""
    first = error.errors(include_url=False)[0]
    name = ".".join(str(part) for part in first["loc"]) or "settings"
    what = first["msg"].removeprefix("Value error, ")
    value = first.get("input")
    shown = "" if isinstance(value, dict) or "password" in name else f" {_shown(value)}"
    return f"{name}{shown}: {what[0].lower()}{what[1:]}"


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else repr(redact(str(value)))


def environment() -> Mapping[str, str]:
    """Return the environment, for the ``${NAME}`` of rekstream.yml and for child processes."""
    return os.environ


def default_data_folder(environ: Mapping[str, str]) -> Path:
    """Return the user's own data folder for this program, by the platform's custom."""
    home = Path.home()
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "rekstream"
    if sys.platform == "win32":
        return Path(environ.get("LOCALAPPDATA", home / "AppData" / "Local")) / "rekstream"
    return Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "rekstream"


def check_fps(value: float) -> float:
    """Return a sampling rate that makes sense; raises ValueError."""
    if not MIN_FPS <= value <= MAX_FPS:
        raise ValueError(f"frames a second must lie between {MIN_FPS:g} and {MAX_FPS:g}")
    return value


def parse_attributes(text: str | list[str]) -> tuple[str, ...]:
    """Return Rekognition's names for ``all``, ``default`` or ``smile,emotions``; raises ValueError with the names there are."""
    names = text.split(",") if isinstance(text, str) else text
    wanted = tuple(dict.fromkeys(name.strip().upper().replace("-", "_") for name in names if name.strip()))
    for name in wanted:
        if name not in ATTRIBUTES and name not in ATTRIBUTE_GROUPS:
            known = ", ".join(attribute.lower() for attribute in (*ATTRIBUTE_GROUPS, *ATTRIBUTES))
            raise ValueError(f"there is no attribute {name.lower()!r}: choose among {known}")
    if not wanted:
        raise ValueError("no attribute is named: say default, all, or for example smile,emotions")
    return ("ALL",) if "ALL" in wanted else wanted
