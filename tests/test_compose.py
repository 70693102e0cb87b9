"""docker-compose.yml without Docker: its very commands, run as processes with its environments, analyse the demo camera."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
import yaml

from pipeline.broker import Broker
from rekstream import environment
from rekstream.embedded import program
from rekstream.local import free_port
from tests.conftest import wait_until

ROOT = Path(__file__).parents[1]
OURS = ("local-rekognition", "producer", "worker", "people", "history", "dashboard")
SECRETS = {
    "REDIS_PASSWORD": "between-containers",
    "REKSTREAM_TOKEN": "of-the-page-0123456789",
    "REKSTREAM_SECRET_KEY": "of-the-workers",
    "GRAFANA_PASSWORD": "of-the-charts",
}
AWS = {"AWS_ACCESS_KEY_ID": "AKIAMADEUP", "AWS_SECRET_ACCESS_KEY": "made up"}
_VARIABLE = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?:(?P<kind>:[-?])(?P<word>[^}]*))?\})")


def interpolated(text: str, env: Mapping[str, str]) -> str:
    """Put the variables into a text as Compose does; KeyError for a required one that is missing."""

    def value(found: re.Match[str]) -> str:
        if found["name"] is None:
            return "$"
        if not env.get(found["name"]) and found["kind"] == ":?":
            raise KeyError(found["name"])
        return env.get(found["name"]) or found["word"] or ""

    return _VARIABLE.sub(value, text)


def services(env: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the services as Compose would start them with this .env."""

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: filled(member) for name, member in value.items()}
        if isinstance(value, list):
            return [filled(member) for member in value]
        return interpolated(value, env) if isinstance(value, str) else value

    found = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for service in found.values():
        told = service.get("environment", {})
        passed_on = {name: env[name] for name, value in told.items() if value is None and name in env}
        service["environment"] = {name: value for name, value in told.items() if value is not None} | passed_on
    return dict(filled(found))


class Containers:
    """The services of the file as processes on loopback, with ports of their own; what only an engine can do is left out."""

    def __init__(self, folder: Path) -> None:
        self.services = services(SECRETS | AWS | {"REKSTREAM_ARCHIVE": "/pictures"})
        self.folder = folder
        self.ports = {"valkey:6379": free_port("127.0.0.1", 0), "local-rekognition:9000": free_port("127.0.0.1", 0)}
        self.dashboard = free_port("127.0.0.1", 0)
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        words = self.services[name]["command"]
        command = words if name == "valkey" else [sys.executable, "-m", "rekstream", *words]
        self.running[name] = subprocess.Popen(
            command, env=self.env(name), cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def health(self, name: str) -> subprocess.Popen[bytes]:
        """Run the health check of one of ours."""
        _, entrypoint, *words = self.services[name]["healthcheck"]["test"]
        assert entrypoint == "rekstream"
        return subprocess.Popen(
            [sys.executable, "-m", "rekstream", *words], env=self.env(name), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def env(self, name: str) -> dict[str, str]:
        """Return the file's environment, with the addresses of here instead of the containers' names."""
        told = dict(self.services[name]["environment"])
        for there, port in self.ports.items():
            told = {variable: value.replace(there, f"127.0.0.1:{port}") for variable, value in told.items()}
        told |= {"REKSTREAM_ARCHIVE": str(self.folder / "pictures")} if told.get("REKSTREAM_ARCHIVE") else {}
        own = {"dashboard": self.dashboard, "local-rekognition": self.ports["local-rekognition:9000"]}.get(name)
        told |= {"REKSTREAM_PORT": str(own)} if own else {}
        path = os.pathsep.join((str(self.folder), os.environ["PATH"]))
        return {**environment.of_server(), "PATH": path, "REKSTREAM_DATA": str(self.folder / name), **told}

    def put_valkey_on_the_path(self) -> None:
        """Let the image's program be found, at a port of its own."""
        shim = self.folder / "valkey-server"
        port = self.ports["valkey:6379"]
        shim.write_text(f'#!/bin/sh\nexec {shlex.quote(program())} "$@" --port {port} --bind 127.0.0.1\n')
        shim.chmod(0o700)

    def stop(self) -> None:
        """Stop them as Compose does: what others depend on comes last."""
        valkey = self.running.pop("valkey")
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            process.wait(10)
        valkey.terminate()
        valkey.wait(10)


@pytest.fixture
def containers(short_tmp: Path) -> Iterator[Containers]:
    running = Containers(short_tmp)
    running.put_valkey_on_the_path()
    yield running
    running.stop()


def test_the_services_analyse_the_demo_together(containers: Containers) -> None:
    containers.start("valkey")
    broker = Broker(f"redis://127.0.0.1:{containers.ports['valkey:6379']}", SECRETS["REDIS_PASSWORD"])
    wait_until(broker.ping)
    broker.close()
    for name in OURS:
        containers.start(name)
    token = {"Authorization": f"Bearer {SECRETS['REKSTREAM_TOKEN']}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{containers.dashboard}", headers=token, timeout=10) as api:
        wait_until(lambda: _answers(api), 60)
        assert api.post("/api/cameras", json={"url": "demo"}).status_code == 201
        wait_until(lambda: _faces(api), 60)
        result = api.get("/api/results").json()["results"][-1]
        assert (result["error"], result["provider"]) == (None, "local")
        assert httpx.get(f"{api.base_url}/api/cameras").status_code == 401
        wait_until(lambda: _picture_of_before(api), 60)  # a worker wrote it, the history reads it
        assert api.put("/api/rehearsal", json={"off": True}).status_code == 200  # the dashboard reaches it, too, and signs
    checks = {name: containers.health(name) for name in OURS}
    for name, check in checks.items():
        said, _ = check.communicate(timeout=60)
        assert check.returncode == 0, (name, said)
    _check_that_no_argument_is_secret(containers)


def _answers(api: httpx.Client) -> bool:
    try:
        return api.get("/readyz").is_success
    except httpx.TransportError:
        return False


def _faces(api: httpx.Client) -> int:
    return sum(len(result["FaceDetails"]) for result in api.get("/api/results").json()["results"])


def _picture_of_before(api: httpx.Client) -> bool:
    found = api.get("/api/history", params={"limit": 20}).json().get("results", [])
    asked = [{"camera": result["camera"], "id": result["id"]} for result in found[-1:]]
    return any(api.get("/api/history/frame", params=members).content.startswith(b"\xff\xd8") for members in asked)


def _check_that_no_argument_is_secret(containers: Containers) -> None:
    """Whoever is on the host reads the arguments of all processes; only the worker is told AWS's keys."""
    for name, process in containers.running.items():
        for one in (whole := psutil.Process(process.pid), *whole.children(recursive=True)):
            assert not [secret for secret in SECRETS.values() if secret in " ".join(one.cmdline())]
            assert (AWS["AWS_ACCESS_KEY_ID"] in one.environ().values()) == (name == "worker")


def test_a_part_that_does_not_run_is_not_healthy(containers: Containers) -> None:
    containers.start("valkey")
    broker = Broker(f"redis://127.0.0.1:{containers.ports['valkey:6379']}", SECRETS["REDIS_PASSWORD"])
    wait_until(broker.ping)
    broker.close()
    checks = {name: containers.health(name) for name in ("dashboard", "worker")}
    said = {name: check.communicate(timeout=60)[0].decode() for name, check in checks.items()}
    assert {check.returncode for check in checks.values()} == {2}
    assert "does not answer at http://127.0.0.1" in said["dashboard"]
    assert "no `rekstream work` on" in said["worker"]


def test_what_has_to_be_said_stands_in_the_example() -> None:
    """Each required variable is in .env.example, empty: nothing starts with a password that everybody knows."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    example = dict(line.partition("=")[::2] for line in lines if re.match(r"#?[A-Z_]+=", line))
    for name in SECRETS:
        assert example[name] == ""
    used = {found["name"] for found in _VARIABLE.finditer((ROOT / "docker-compose.yml").read_text()) if found["name"]}
    assert used <= {name.lstrip("#") for name in example}
    for name in SECRETS.keys() - {"REKSTREAM_SECRET_KEY"}:  # whoever pays AWS needs no local server, and no key of it
        with pytest.raises(KeyError, match=name):
            services({**SECRETS, name: ""})


def test_containers_have_as_few_rights_as_they_can() -> None:
    for name, service in services(SECRETS).items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service.get("read_only") or "secrets" in service, name  # Compose copies secrets in
        assert service["healthcheck"]["test"], name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        told = [variable for variable in service["environment"] if variable.startswith("AWS_")]
        assert not told or name in ("worker", "history")
    assert "${AWS" not in str(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["history"])


def test_what_is_kept_is_the_same_for_whoever_writes_reads_and_tells_of_it() -> None:
    """The archive and its age; the volume in which it may lie; the database, as the example names it."""
    found = services(SECRETS | {"REKSTREAM_ARCHIVE": "/pictures", "REKSTREAM_KEEP": "7d"})
    for name in ("worker", "history", "dashboard"):
        told = found[name]["environment"]
        assert (told["REKSTREAM_ARCHIVE"], told["REKSTREAM_KEEP"]) == ("/pictures", "7d"), name
    assert all("pictures:/pictures" in found[name]["volumes"] for name in ("worker", "history"))
    assert re.search(r"--owner rekstream .* /data /pictures$", (ROOT / "deploy" / "Dockerfile").read_text(), re.MULTILINE)
    example = (ROOT / ".env.example").read_text()
    (url,) = re.findall(r"^#REKSTREAM_DATABASE=(\S+)$", example, re.MULTILINE)
    database = urlsplit(interpolated(url, {"POSTGRES_PASSWORD": "x"}))
    settings = found[str(database.hostname)]["environment"]
    assert (database.username, database.path) == (settings["POSTGRES_USER"], f"/{settings['POSTGRES_DB']}")
    declared = set(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["volumes"])
    named = {volume.partition(":")[0] for service in found.values() for volume in service.get("volumes", ())}
    assert {name for name in named if not name.startswith("./")} == declared


def test_what_the_files_name_is_there() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "deploy" / "Dockerfile").read_text(), re.MULTILINE)
    sent = set((ROOT / ".dockerignore").read_text().splitlines())
    for path in " ".join(copied).split():
        assert (ROOT / path).exists(), path
        assert f"!{path}" in sent, path
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    assert packages <= set(" ".join(copied).split())
    for service in services(SECRETS).values():
        mounted = [volume.partition(":")[0] for volume in service.get("volumes", ()) if volume.startswith("./")]
        assert [path for path in mounted if not (ROOT / path).is_dir()] == []
