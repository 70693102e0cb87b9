"""A file that a command writes never destroys what it reads, nor another file that it writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import SettingsError
from rekstream.outputs import check_outputs
from tests.rekstream.running import run
from tests.vision.scenes import ASTRONAUT, portrait_bytes


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        ({"--csv": Path("in.png")}, "would overwrite the picture in.png"),
        ({"--csv": Path("sub/../in.png")}, "would overwrite the picture in.png"),
        ({"--csv": Path("a.out"), "--plot": Path("a.out")}, "would overwrite what --csv writes"),
        ({"--plot": Path()}, "it is a folder"),
        ({"--plot": Path("nowhere/a.html")}, "nowhere is no folder"),
    ],
)
def test_what_would_destroy_or_fail_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outputs: dict[str, Path], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.png").write_bytes(b"a picture")
    Path("sub").mkdir()
    with pytest.raises(SettingsError, match=words):
        check_outputs(outputs, ["in.png"])


def test_what_is_new_or_an_old_output_may_be_written(tmp_path: Path) -> None:
    old = tmp_path / "old.csv"
    old.write_text("figures of yesterday")
    check_outputs({"--csv": old, "--plot": tmp_path / "new.html", "--save": None}, ["in.png"])


@pytest.mark.parametrize("command", [["photo", "in.png", "--save", "in.png"], ["study", "in.png", "--csv", "in.png"]])
def test_a_picture_survives_a_slip(tmp_path: Path, command: list[str]) -> None:
    picture = tmp_path / "in.png"
    picture.write_bytes(portrait_bytes(ASTRONAUT))
    code, _, said = run(*command, cwd=tmp_path)
    assert code == 2
    assert "would overwrite the picture in.png: name another file" in said
    assert picture.read_bytes() == portrait_bytes(ASTRONAUT)
