"""The state file: private, forward-looking, and clear about what is wrong with it."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from dashboard.state import FILE_NAME, VERSION, StateFile
from pipeline.errors import SettingsError
from tests.dashboard.support import camera


def test_it_keeps_what_it_is_told(tmp_path: Path) -> None:
    """Cameras, spending by period, and settings outlive the process."""
    file = StateFile(tmp_path / "deep" / "folder")
    file.keep(camera("b"))
    file.keep(camera("a", fps=1.0))
    file.keep(camera("a", fps=2.0, url="rtsp://u:p@h/x", paused=True))
    file.drop("b")
    file.drop("unknown")
    file.spend("day", 1000.0, 0.5)
    file.spend("day", 1000.0, 0.75)
    file.spend("hour", 1000.0, 0.1)
    file.set("name", "value")
    file.close()
    again = StateFile(tmp_path / "deep" / "folder")
    assert again.cameras() == [camera("a", fps=2.0, url="rtsp://u:p@h/x", paused=True)]
    assert (again.spent("day", 1000.0), again.spent("hour", 1000.0), again.spent("day", 2000.0)) == (0.75, 0.1, 0.0)
    assert (again.setting("name"), again.setting("other")) == ("value", None)
    again.close()


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    """URLs hold passwords: the file and its side files are 0600, its folder 0700, also if they were open before."""
    folder = tmp_path / "data"
    file = StateFile(folder)
    file.keep(camera("a"))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sorted(path.name for path in folder.iterdir()) == [FILE_NAME, f"{FILE_NAME}-shm", f"{FILE_NAME}-wal"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    file.close()
    (folder / FILE_NAME).chmod(0o644)
    StateFile(folder).close()
    assert stat.S_IMODE((folder / FILE_NAME).stat().st_mode) == 0o600


def test_a_file_of_a_newer_version(tmp_path: Path) -> None:
    """It is left alone, with one sentence."""
    StateFile(tmp_path).close()
    with sqlite3.connect(tmp_path / FILE_NAME) as database:
        database.execute(f"PRAGMA user_version = {VERSION + 1}")
    database.close()
    with pytest.raises(SettingsError, match=r"was written by a newer rekstream .* update rekstream"):
        StateFile(tmp_path)


def test_a_file_that_is_something_else(tmp_path: Path) -> None:
    """Another file of that name is one sentence, and stays as it is."""
    (tmp_path / FILE_NAME).write_bytes(b"not a database, " * 100)
    with pytest.raises(SettingsError, match=r"cannot be used .file is not a database."):
        StateFile(tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes().startswith(b"not a database")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A path that is no folder, and a file that is read-only, are one sentence each."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=r"Not a directory.*--data"):
        StateFile(tmp_path / "file" / "data")
    with pytest.raises(SettingsError, match=r"--data"):
        StateFile(Path("/proc/nowhere"))
