"""The command measures a folder from end to end, and says in one sentence why it cannot."""

import json
from pathlib import Path

import numpy as np
import pytest

from accuracy import recall
from accuracy.__main__ import main
from tests.accuracy.folders import folder_of_portraits
from tests.vision.scenes import background, jpeg


def test_two_portraits_give_a_page_of_every_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(recall, "TAKES", (0,))
    monkeypatch.setattr(recall, "HEIGHTS", (32, 96))
    monkeypatch.setattr(recall, "TURNS", (0, -15, 15))
    folder = folder_of_portraits(tmp_path / "faces")
    (folder / "none").mkdir()
    (folder / "none" / "pattern.jpg").write_bytes(jpeg(background(800, 600)))
    (folder / "about.md").write_text("## The pictures\n\nThe two of the demo.\n")
    page, figures = tmp_path / "accuracy.md", tmp_path / "figures.json"
    assert main([str(folder), "--write", str(page), "--json", str(figures), "--name", "now"]) == 0
    text, told = page.read_text(), json.loads(figures.read_text())["figures"]
    assert "The two of the demo." in text
    assert text.count("\n### ") == capsys.readouterr().out.count("### ") == len(told)
    assert told["height"]["96 px"]["720p landmarks right"] == {"hits": 2, "of": 2}
    assert told["turned"]["15°"]["found"] == {"hits": 4, "of": 4}
    assert told["pictures"]["no face"]["too many"]["value"] == 0
    assert told["gender"]["all"]["n"]["value"] == 2
    assert told["emotions"]["HAPPY"]["right"] == {"hits": 1, "of": 1}
    assert "Not measured: it takes pictures in people/NAME, of two people at least." in text


def test_a_folder_with_no_faces_measures_false_finds_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "grey.jpg").write_bytes(jpeg(np.full((200, 300, 3), 90, np.uint8)))
    assert main([str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "| no face | 1 | 0 | 0 | 0 | 0 % (0-79) |" in shown
    assert shown.count("Not measured") == shown.count("### ") - 2


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "gone")]) == 2
    assert capsys.readouterr().err.strip().startswith(f"{tmp_path / 'gone'} has no pictures: put")


def test_figures_of_before_that_cannot_be_read_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), "--before", str(tmp_path / "gone.json")]) == 2
    assert "gone.json is no file that --json wrote" in capsys.readouterr().err
