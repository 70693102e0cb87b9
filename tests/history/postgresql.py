"""A real PostgreSQL of the tests' own, in a folder of its own; the server refuses root, so that another user runs it there."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psycopg

_QUICK = ("fsync=off", "full_page_writes=off", "shared_buffers=16MB", "autovacuum=off", "jit=off")


class PostgreSQL:
    """A cluster that listens on a unix socket in its folder."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rk-pg-"))
        self._user = _unprivileged()
        if self._user:
            shutil.chown(self.folder, self._user)
        self.url = f"postgresql://rekstream@/postgres?host={self.folder}"
        self._run(
            "initdb", "-D", "data", "-U", "rekstream", "-A", "trust", "-N", "-E", "UTF8", "--locale=C", "--no-instructions"
        )

    def start(self) -> None:
        told = " ".join(f"-c {setting}" for setting in (*_QUICK, "listen_addresses=", f"unix_socket_directories={self.folder}"))
        self._run("pg_ctl", "start", "-D", "data", "-w", "-s", "-l", "log", "-o", told)

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "-D", "data", "-m", "immediate", "-s")

    def empty(self) -> None:
        """Drop whatever a test left."""
        with psycopg.connect(f"host={self.folder} user=rekstream dbname=postgres", autocommit=True) as connection:
            connection.execute("SET client_min_messages = warning")
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")

    def close(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self.folder)

    def _run(self, program: str, *arguments: str) -> None:
        command: Sequence[str] = (str(_programs() / program), *arguments)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(command, cwd=self.folder, user=self._user, check=True, **quiet)  # type: ignore[call-overload]


def _unprivileged() -> str | None:
    """Return whom to run the server as, None for whoever runs the tests."""
    if os.geteuid() != 0:
        return None
    return "postgres" if any(entry.pw_name == "postgres" for entry in pwd.getpwall()) else "nobody"


def _programs() -> Path:
    """Return the folder of the newest PostgreSQL; Debian has it on no PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    program = str(found[-1]) if found else shutil.which("initdb")
    assert program, "PostgreSQL is needed for the tests: apt-get install postgresql"
    return Path(program).parent
