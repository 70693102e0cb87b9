"""The API of a running system, as commands use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from pipeline.broker import is_loopback
from pipeline.errors import RekstreamError

TIMEOUT_SECONDS = 20.0  # a test of receivers takes up to 12 s


class ServerError(RekstreamError):
    """The running system did not answer, or said no."""


class Client:
    """Talks to the dashboard's API at `server`; every method raises ServerError.

    Where it asks who calls, `token` is the answer, or `password`, with which the first call signs in.
    """

    def __init__(self, server: str, token: str | None = None, password: str | None = None) -> None:
        self._server = server.rstrip("/")
        # a proxy of the environment has no place between this machine and itself
        self._trust_env = not is_loopback(urlsplit(self._server).hostname or "")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._password = password

    def cameras(self) -> list[dict[str, Any]]:
        """Return the cameras."""
        found: list[dict[str, Any]] = self._ask("GET", "/api/cameras")["cameras"]
        return found

    def add_camera(self, members: Mapping[str, Any]) -> dict[str, Any]:
        """Add a camera and return it."""
        return self._ask("POST", "/api/cameras", _said(members))

    def change_camera(self, camera_id: str, members: Mapping[str, Any]) -> dict[str, Any]:
        """Change what is said of a camera and return it."""
        return self._ask("PATCH", f"/api/cameras/{camera_id}", _said(members))

    def remove_camera(self, camera_id: str) -> None:
        """Remove a camera."""
        self._ask("DELETE", f"/api/cameras/{camera_id}")

    def watches(self) -> list[dict[str, Any]]:
        """Return the watches."""
        found: list[dict[str, Any]] = self._ask("GET", "/api/watches")["watches"]
        return found

    def add_watch(self, members: Mapping[str, Any]) -> dict[str, Any]:
        """Add a watch and return it."""
        return self._ask("POST", "/api/watches", _said(members))

    def remove_watch(self, watch_id: str) -> None:
        """Remove a watch."""
        self._ask("DELETE", f"/api/watches/{quote(watch_id, safe='')}")

    def test_watch(self, watch_id: str) -> list[dict[str, Any]]:
        """Send a test to the receivers of a watch and return what each answered."""
        answer = self._ask("POST", f"/api/watches/{quote(watch_id, safe='')}/test")
        found: list[dict[str, Any]] = answer["receivers"]
        return found

    def alerts(self, limit: int) -> list[dict[str, Any]]:
        """Return the newest alerts, the newest first."""
        found: list[dict[str, Any]] = self._ask("GET", f"/api/alerts?limit={limit}")["alerts"]
        return found

    def judge_alert(self, alert_id: str, verdict: str) -> dict[str, Any]:
        """Call an alert confirmed or wrong and return it."""
        return self._ask("PATCH", f"/api/alerts/{quote(alert_id, safe='')}", {"verdict": verdict})

    def results(self, limit: int) -> list[dict[str, Any]]:
        """Return the newest results of all cameras, oldest first."""
        found: list[dict[str, Any]] = self._ask("GET", f"/api/results?limit={limit}")["results"]
        return found

    def stats(self) -> dict[str, Any]:
        """Return the figures of this moment."""
        return self._ask("GET", "/api/stats")

    def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        if self._password:
            self._sign_in(self._password)
        answer = self._send(method, path, body)
        return dict(answer.json()) if answer.content else {}

    def _sign_in(self, password: str) -> None:
        self._password = None
        if not self._send("GET", "/api/session").json()["needed"]:
            return
        cookies = self._send("POST", "/api/session", {"password": password}).cookies
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        self._headers = {"Cookie": cookie, "X-Rekstream": "1"}

    def _send(self, method: str, path: str, body: Any = None) -> httpx.Response:
        try:
            answer = httpx.request(
                method,
                f"{self._server}{path}",
                json=body,
                headers=self._headers,
                timeout=TIMEOUT_SECONDS,
                trust_env=self._trust_env,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ServerError(
                f"no rekstream answers at {self._server} ({error}): start it with `rekstream up`, or name it with --server"
            ) from error
        if answer.is_success:
            return answer
        raise ServerError(_sentence(answer))


def describe_camera(camera: Mapping[str, Any]) -> str:
    """Return one line about a camera of the API."""
    status = camera.get("status", {})
    state = "paused" if camera.get("paused") else status.get("state", "")
    size = f" {status['width']}x{status['height']}" if status.get("width") else ""
    message = f": {status['message']}" if status.get("message") else ""
    return f"{camera['id']}  {camera['url']}  {camera['fps']:g}/s  {state}{size}{message}"


def _said(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _sentence(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"{answer.request.url} answered {answer.status_code}: is this a rekstream?"
