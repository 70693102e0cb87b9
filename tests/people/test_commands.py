"""`rekstream faces` and `rekstream forget` against a running system."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rekstream import cli
from tests.people.conftest import People
from tests.rekognition_local.people import both, empty, picture
from tests.vision.scenes import ASTRONAUT, HOPPER

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(people: People, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command in this process and return its exit code and what it said."""

    def run(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["rekstream", *map(str, words), "--server", people.api.url])
        with pytest.raises(SystemExit) as end:
            cli.main()
        said = capsys.readouterr()
        return int(end.value.code or 0), said.out, said.err

    return run


def _folder(folder: Path, **files: bytes) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("0", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def test_people_are_added_listed_and_forgotten(people: People, command: Command, tmp_path: Path) -> None:
    folder = _folder(tmp_path / "in", a0jpg=picture(HOPPER), b0jpg=empty(), c0jpg=picture(HOPPER, "light"))
    said = command(
        "faces", "add", "Grace Hopper", *sorted(folder.iterdir()), "--consent", "2026-11-01", "--legal-basis", "staff"
    )
    assert said[0] == 1  # one was refused
    taken, refused, also, last = said[1].splitlines()
    assert taken.startswith(f"taken    Grace Hopper  {folder / 'a.jpg'}: a face ")
    assert refused.startswith(f"refused  Grace Hopper  {folder / 'b.jpg'}: there is no face in the picture")
    assert also.startswith("taken ")
    assert last == "2 pictures were taken for 1 person, 1 refused"

    code, listed, _ = command("faces", "list")
    assert code == 0
    assert listed.startswith("Grace Hopper  p_")
    assert listed.endswith("  2 faces, consent 2026-11-01, staff\n")
    (grace,) = json.loads(command("faces", "list", "--json")[1])["people"]
    assert command("faces", "remove", "Grace Hopper", "--face", grace["faces"][0]["id"])[0] == 0
    assert len(people.faces()) == 1

    code, _, error = command("forget", "Grace Hoper")
    assert (code, error) == (2, "error: there is nobody called 'Grace Hoper': did you mean 'Grace Hopper'?\n")
    code, table, _ = command("forget", "grace hopper", "--picture", folder / "c.jpg")
    assert code == 0
    assert table.splitlines()[-1].startswith("Grace Hopper is forgotten: searching finds nothing (files that --output wrote")
    rows = {row[0]: row[1:] for line in table.splitlines()[1:-1] if (row := line.split())}
    assert rows["faces"] == ["1", "0"]
    assert rows["matches"] == ["0"]
    assert {row[-1] for row in rows.values()} == {"0"}
    assert (people.faces(), people.users()) == ([], [])
    assert command("faces", "list")[1].startswith("nobody is known")


def test_a_folder_is_imported_and_goes_on_after_refusals(people: People, command: Command, tmp_path: Path) -> None:
    """A folder for each person and files by name go together; the table tells each picture, the exit code that some failed."""
    folder = _folder(
        tmp_path / "in",
        Grace_Hopper__one0jpg=picture(HOPPER),
        Grace_Hopper__two0jpg=both(HOPPER),
        Eileen_Collins0jpg=picture(ASTRONAUT),
        Eileen_Collins_20png=b"no picture",
        notes0txt=b"hello",
    )
    code, said, _ = command("faces", "import", folder)
    assert code == 1
    assert said.splitlines()[-1] == "2 pictures were taken for 2 people, 3 refused"
    assert "two.jpg: there are 2 faces in the picture" in said
    assert "Eileen_Collins_2.png: " in said
    assert "notes.txt is no picture" in said
    known = people.api.get("/api/people")["people"]
    assert [(person["name"], len(person["faces"])) for person in known] == [("Eileen Collins", 1), ("Grace Hopper", 1)]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["faces", "add", "Grace Hopper", "nowhere.jpg"], "nowhere.jpg cannot be read: No such file or directory"),
        (["faces", "import", "nowhere"], "nowhere is no folder: name one with a folder for each person"),
        (["faces", "remove", "Grace Hopper"], "there is nobody called 'Grace Hopper': see who is known"),
        (["faces", "add", "Grace Hopper"], "issing argument"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(command: Command, words: list[str], sentence: str) -> None:
    code, said, error = command(*words)
    assert (code, said) == (2, "")
    assert error.startswith("error: ")
    assert sentence in error
    assert error.count("\n") == 1


def test_an_empty_folder_is_refused(command: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "holds no picture" in command("faces", "import", tmp_path / "empty")[2]
