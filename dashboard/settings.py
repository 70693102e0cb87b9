"""What the dashboard is told at its start."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from dashboard.passwords import PasswordHash
from pipeline.broker import is_loopback
from pipeline.camera_spec import CameraDefaults
from pipeline.entities import Camera
from pipeline.errors import SettingsError
from pipeline.provider import Provider
from pipeline.spending import Budget

SHORTEST_TOKEN = 16  # beyond loopback


@dataclass(frozen=True, slots=True)
class DashboardSettings:
    """What one dashboard process is told.

    `port` 0 takes a free one. `data` is the folder of the state file. `budget` matters only where `provider` is paid.
    `token` is what programs bring along (``Authorization: Bearer …``), `password` what people sign in with; the token serves
    for that as well. Without either only this machine is served.
    `examples` is a folder of pictures that the page offers to try, at /static/examples/.
    `prometheus` is the URL of a server that answers for the charts, perhaps with a password; without one an hour is kept here.
    `contact` (who answers questions), `visit_days`, `unknown_hours` and `keep_days` (how long visits, unknown faces and what
    was found are kept; 0 for ever) and `archive` (where pictures are) stand on the cameras' notices.
    `given` are cameras of the command line or rekstream.yml: put back into an empty Redis, but never stored.
    """

    data: Path
    provider: Provider
    host: str = "127.0.0.1"
    port: int = 8080
    budget: Budget | None = None
    camera_defaults: CameraDefaults = field(default_factory=CameraDefaults)
    version: str = ""
    privacy: bool = False
    token: str | None = field(default=None, repr=False)
    password: PasswordHash | None = None
    examples: Path | None = None
    prometheus: str | None = field(default=None, repr=False)
    contact: str = ""
    visit_days: float = 30.0
    unknown_hours: float = 24.0
    keep_days: float = 30.0
    archive: Literal["", "folder", "S3", "AWS"] = ""
    given: tuple[Camera, ...] = field(default=(), repr=False)

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the API."""
        return is_loopback(self.host)

    @property
    def needs_login(self) -> bool:
        """Whether a request has to come with the token or from somebody who signed in."""
        return bool(self.token) or self.password is not None

    def check(self) -> None:
        """Refuse to serve other machines without a token or a password, or with a token to be guessed; raises SettingsError."""
        if not self.is_local and not self.needs_login:
            raise SettingsError(
                f"host {self.host!r} lets other machines reach the cameras: name a --password-file, or set REKSTREAM_TOKEN, "
                "which programs then send (Authorization: Bearer), or listen on 127.0.0.1"
            )
        if not self.is_local and self.token and len(self.token) < SHORTEST_TOKEN:
            raise SettingsError(
                f"REKSTREAM_TOKEN has {len(self.token)} characters, and whoever guesses may try often: give it at least "
                f"{SHORTEST_TOKEN}, for example from `openssl rand -hex 24`"
            )
