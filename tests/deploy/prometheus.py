"""A real Prometheus with the configuration of deploy/, which scrapes a real system each second."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import httpx

from tests.conftest import wait_until

FOLDER = Path(__file__).parents[2] / "deploy" / "prometheus"
PROMETHEUS, PROMTOOL = shutil.which("prometheus"), shutil.which("promtool")


class PrometheusServer:
    """Runs inside its with-block; `url` is where it answers."""

    def __init__(self, folder: Path, dashboard: str = "http://127.0.0.1:9", token: str = "none is needed on loopback") -> None:
        assert PROMETHEUS
        secret = folder / "token"
        secret.write_text(token)
        text = (FOLDER / "prometheus.yml").read_text()
        for was, becomes in (
            ("http://dashboard:8080", dashboard),
            ("/run/secrets/rekstream_token", str(secret)),
            ("rules.yml", str(FOLDER / "rules.yml")),
            ("_interval: 5s", "_interval: 1s"),
            ("refresh_interval: 10s", "refresh_interval: 1s"),
        ):
            assert was in text
            text = text.replace(was, becomes)
        config = folder / "prometheus.yml"
        config.write_text(text)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        listen = f"--web.listen-address=127.0.0.1:{port}"
        data = f"--storage.tsdb.path={folder / 'tsdb'}"
        command = [PROMETHEUS, f"--config.file={config}", data, listen, "--log.level=warn"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._http = httpx.Client(base_url=self.url)

    def __enter__(self) -> Self:
        wait_until(self._is_ready, 20)
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def query(self, promql: str) -> list[dict[str, Any]]:
        """Return the answer to a query as of now; fails where Prometheus refuses it."""
        answer = self._http.get("/api/v1/query", params={"query": promql}).json()
        assert answer["status"] == "success", f"{promql}: {answer}"
        return list(answer["data"]["result"])

    def _is_ready(self) -> bool:
        try:
            return self._http.get("/-/ready").status_code == 200
        except httpx.HTTPError:
            assert self._process.poll() is None, "Prometheus ended by itself"
            return False


def write_blocks(folder: Path, samples: Iterable[tuple[str, float, float]]) -> None:
    """Put samples (series, value, time), each series in one piece, where a Prometheus that is started here finds them."""
    assert PROMTOOL
    exposed = "".join(f"{series} {value} {at:.3f}\n" for series, value, at in samples)
    (folder / "samples.txt").write_text(exposed + "# EOF\n")
    command = [PROMTOOL, "tsdb", "create-blocks-from", "openmetrics", "samples.txt", "tsdb"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
