"""The rehearsal that the local Rekognition server acts out: quotas, slowness and errors, asked for by people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from dashboard.answers import RefusedError
from pipeline.errors import SettingsError
from pipeline.provider import Provider

LOOK_SECONDS = 2.0
TIMEOUT_SECONDS = 2.0

Members = dict[str, Any]


class RehearsalDesk:
    """Reads and changes what the local server rehearses, in that server's own shape (docs/local-rekognition.md).

    Only the server beside this dashboard is meant: a worker on another machine has one of its own. `read` and `change` raise
    RefusedError where nothing can be rehearsed, `change` SettingsError for what the server refuses.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._client = httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False, auth=_signing(provider))
        self._now: Members | None = None

    @property
    def now(self) -> Members | None:
        """What is rehearsed, as of the last look; None where nothing is."""
        return self._now

    def look(self) -> None:
        """See what is rehearsed, whoever asked for it; called every LOOK_SECONDS."""
        if self._provider.name != "local" or self._provider.endpoint_url is None:
            return
        try:
            self.read()
        except RefusedError:
            self._now = None

    def read(self) -> Members:
        """Return what is rehearsed now, in full."""
        return self._ask("GET")

    def change(self, members: Mapping[str, Any]) -> Members:
        """Rehearse this from now on, instead of what was; nothing, or `off`, ends the rehearsal. Returns what is rehearsed."""
        return self._ask("PUT", {} if members.get("off") is True else dict(members))

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _ask(self, method: str, members: Members | None = None) -> Members:
        url = self._url()
        try:
            answer = self._client.request(method, f"{url}/rehearsal", json=members)
            told: Members = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise RefusedError(
                503, "NoAnswer", f"the local Rekognition server at {url} does not answer: is it running?"
            ) from error
        if answer.status_code == httpx.codes.BAD_REQUEST and "error" in told:
            raise SettingsError(str(told["error"]))
        if not answer.is_success:
            raise RefusedError(
                409, "NotRehearsed", f"the Rekognition server at {url} takes no rehearsal from here: ask it directly"
            )
        self._now = told if is_on(told) else None
        return told

    def _url(self) -> str:
        if self._provider.name != "local":
            raise RefusedError(409, "NotLocal", f"only the local server rehearses, and here {self._provider.label} answers")
        if self._provider.endpoint_url is None:
            raise RefusedError(
                409, "NotLocal", "this dashboard does not know the local Rekognition server: set REKSTREAM_LOCAL_URL for it"
            )
        return self._provider.endpoint_url.rstrip("/")


def _signing(provider: Provider) -> httpx.Auth | None:
    if provider.keys is None:
        return None
    from dashboard.signing import Signing  # noqa: PLC0415  # loads botocore, which nothing else here needs

    return Signing(*provider.keys, provider.region)


def is_on(members: Mapping[str, Any]) -> bool:
    """Say whether a rehearsal does anything at all."""
    return bool(members.get("tps") or members.get("latency") or members.get("errors"))
