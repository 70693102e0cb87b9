"""The API of a running system, as commands use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx

from pipeline.broker import is_loopback
from pipeline.errors import RekstreamError

TIMEOUT_SECONDS = 20.0  # a test of receivers takes up to 12 s
ENROL_SECONDS = 150.0
_OF_ONE_THING = (404, 409, 413, 422)  # the statuses that blame what was sent


class ServerError(RekstreamError):
    """The running system did not answer, or said no."""


class RefusedByServer(ServerError):
    """The running system said no to this one thing (4xx); the next one may go well."""


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

    def people(self) -> dict[str, Any]:
        """Return who is known."""
        return self._ask("GET", "/api/people")

    def find_person(self, name: str) -> dict[str, Any] | None:
        """Return somebody by id or name, None if nobody is called so."""
        return next(
            (person for person in self.people()["people"] if name.lower() in (person["id"], person["name"].lower())), None
        )

    def add_person(self, members: Mapping[str, str], name: str, picture: bytes) -> dict[str, Any]:
        """Add somebody with a picture, which has a file's name, and return them."""
        return self._enrol("/api/people", members, name, picture)

    def add_face(self, person: str, name: str, picture: bytes) -> dict[str, Any]:
        """Add a picture to somebody and return them."""
        return self._enrol(f"/api/people/{quote(person, safe='')}/faces", {}, name, picture)

    def change_person(self, person: str, members: Mapping[str, str]) -> None:
        """Change what is known of somebody."""
        self._ask("PATCH", f"/api/people/{quote(person, safe='')}", members)

    def remove_person(self, person: str) -> None:
        """Forget somebody."""
        self._ask("DELETE", f"/api/people/{quote(person, safe='')}", seconds=ENROL_SECONDS)

    def remove_face(self, person: str, face: str) -> None:
        """Take a face away from somebody."""
        path = f"/api/people/{quote(person, safe='')}/faces/{quote(face, safe='')}"
        self._ask("DELETE", path, seconds=ENROL_SECONDS)

    def forget(self, person: str, picture: bytes | None) -> dict[str, Any]:
        """Forget somebody; return what was removed, and what a search finds, with a picture too if there is one."""
        path = f"/api/people/{quote(person, safe='')}/forget"
        files = {"image": ("picture", picture)} if picture else None
        return self._ask("POST", path, files=files, seconds=ENROL_SECONDS)

    def money(self, members: Mapping[str, Any]) -> dict[str, Any]:
        """Return what was spent: `since`, `until` and `camera` (several) may be said."""
        return self._ask("GET", f"/api/money?{urlencode(_said(members), doseq=True)}")

    def shows(self) -> list[dict[str, Any]]:
        """Return the shows, the newest first."""
        found: list[dict[str, Any]] = self._ask("GET", "/api/shows")["shows"]
        return found

    def start_show(self, members: Mapping[str, Any]) -> dict[str, Any]:
        """Start a show and return it."""
        return self._ask("POST", "/api/shows", _said(members))

    def stop_show(self, show: str) -> dict[str, Any]:
        """Stop a show and return its receipt."""
        return self._ask("POST", f"/api/shows/{quote(show, safe='')}/stop")

    def receipt(self, show: str) -> dict[str, Any]:
        """Return the receipt of a show as it is now."""
        return self._ask("GET", f"/api/shows/{quote(show, safe='')}")

    def results(self, limit: int) -> list[dict[str, Any]]:
        """Return the newest results of all cameras, oldest first."""
        found: list[dict[str, Any]] = self._ask("GET", f"/api/results?limit={limit}")["results"]
        return found

    def show_again(self, camera: str, result: str, jpeg: bytes) -> str:
        """Show an archived frame and its result (JSON) on the page, and return as which camera."""
        path = f"/api/replays/{quote(camera, safe='')}"
        answer = self._ask("POST", path, fields={"result": result}, files={"image": ("frame.jpg", jpeg)})
        return str(answer["camera"])

    def end_replay(self, camera: str) -> None:
        """Take the camera of a replay away."""
        self._ask("DELETE", f"/api/replays/{quote(camera, safe='')}")

    def stats(self) -> dict[str, Any]:
        """Return the figures of this moment."""
        return self._ask("GET", "/api/stats")

    def _enrol(self, path: str, members: Mapping[str, str], name: str, picture: bytes) -> dict[str, Any]:
        return self._ask("POST", path, fields=members, files={"image": (name, picture)}, seconds=ENROL_SECONDS)

    def _ask(self, method: str, path: str, body: Any = None, **form: Any) -> dict[str, Any]:
        if self._password:
            self._sign_in(self._password)
        answer = self._send(method, path, body, **form)
        return dict(answer.json()) if answer.content else {}

    def _sign_in(self, password: str) -> None:
        self._password = None
        if not self._send("GET", "/api/session").json()["needed"]:
            return
        cookies = self._send("POST", "/api/session", {"password": password}).cookies
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        self._headers = {"Cookie": cookie, "X-Rekstream": "1"}

    def _send(
        self,
        method: str,
        path: str,
        body: Any = None,
        fields: Mapping[str, str] | None = None,
        files: Mapping[str, tuple[str, bytes]] | None = None,
        seconds: float = TIMEOUT_SECONDS,
    ) -> httpx.Response:
        try:
            answer = httpx.request(
                method,
                f"{self._server}{path}",
                json=body,
                data=fields,
                files=files,
                headers=self._headers,
                timeout=seconds,
                trust_env=self._trust_env,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ServerError(
                f"no rekstream answers at {self._server} ({error}): start it with `rekstream up`, or name it with --server"
            ) from error
        if answer.is_success:
            return answer
        raise (RefusedByServer if answer.status_code in _OF_ONE_THING else ServerError)(_sentence(answer))


def describe_camera(camera: Mapping[str, Any]) -> str:
    """Return one line about a camera of the API."""
    status = camera.get("status", {})
    state = "paused" if camera.get("paused") else status.get("state", "")
    size = f" {status['width']}x{status['height']}" if status.get("width") else ""
    message = f": {status['message']}" if status.get("message") else ""
    gate = status.get("gate")
    saved = f", gate sees {gate['sees']}, {gate['saved']:.1f}/s saved" if gate else ""
    return f"{camera['id']}  {camera['url']}  {camera['fps']:g}/s  {state}{size}{saved}{message}"


def _said(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _sentence(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"{answer.request.url} answered {answer.status_code}: is this a rekstream?"
