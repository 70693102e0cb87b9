"""What child processes are told: every setting as an environment variable, so that no secret stands among arguments."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.settings import Settings, environment

_PREFIX = "REKSTREAM_"


def of_children(settings: Settings, **changes: object) -> Mapping[str, str]:
    """Return the environment of a part: this process's own, with `settings` and `changes` as REKSTREAM_ variables.

    The keys of a local Rekognition server are passed on only where one elsewhere is named: that beside a worker is on loopback.
    """
    values = settings.model_dump(exclude_none=True, exclude={"access_key", "secret_key"}) | changes
    if settings.endpoint_url and (found := settings.keys()):
        values["access_key"], values["secret_key"] = found
    if password := settings.password():
        values["redis_password"] = password
        values.pop("redis_password_file", None)
    if settings.token is not None:
        values["token"] = settings.token.get_secret_value()
    if settings.database is not None:
        values["database"] = settings.database.get_secret_value()
    if settings.prometheus is not None:
        values["prometheus"] = settings.prometheus.get_secret_value()
    ours = {f"{_PREFIX}{name.upper()}": str(value) for name, value in values.items() if value is not None}
    inherited = {name: value for name, value in environment().items() if not name.startswith(_PREFIX)}
    return inherited | {"PYTHONUNBUFFERED": "1"} | ours


def of_server() -> Mapping[str, str]:
    """Return the environment of the embedded Valkey: no secret of ours concerns it."""
    return {name: value for name, value in environment().items() if not name.startswith((_PREFIX, "AWS_"))}
