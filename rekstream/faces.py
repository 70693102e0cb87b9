"""`rekstream faces` and `rekstream forget`: people of the running system, from pictures on this machine."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer

from pipeline.errors import PictureError, SettingsError
from rekstream.client import Client, RefusedByServer

ENDINGS = frozenset({".jpg", ".jpeg", ".png"})
SOME_REFUSED = 1  # the exit code
_NUMBER = re.compile(r"[ _.-]+\d+$")  # Grace_Hopper_2.jpg is a second picture of her


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody may be known: the date of their consent, or words; None where nothing was said."""

    consent: str | None = None
    legal_basis: str | None = None

    @property
    def members(self) -> dict[str, str]:
        """What the API is told."""
        told = {"consent": self.consent, "legal_basis": self.legal_basis}
        return {name: value for name, value in told.items() if value is not None}


@dataclass(slots=True)
class Tally:
    """What was taken and what was refused."""

    taken: int = 0
    refused: int = 0
    people: set[str] = field(default_factory=set)

    def in_words(self) -> str:
        """Return one sentence."""
        who = "1 person" if len(self.people) == 1 else f"{len(self.people)} people"
        what = "1 picture was" if self.taken == 1 else f"{self.taken} pictures were"
        return f"{what} taken for {who}, {self.refused} refused"


def add_person(client: Client, name: str, pictures: Sequence[Path], reason: Reason) -> int:
    """Enrol pictures of somebody, known or new, and print what became of each; return 0, or 1 when some were refused."""
    contents = [(picture, _read(picture)) for picture in pictures]
    tally = Tally()
    _enrol(client, name, contents, reason, tally)
    typer.echo(tally.in_words())
    return SOME_REFUSED if tally.refused else 0


def import_folder(client: Client, folder: Path, reason: Reason) -> int:
    """Enrol a folder: one folder a person, or files with people's names; print what became of each picture.

    Returns 0, or 1 when some were refused. Raises SettingsError for what is no such folder.
    """
    tally = Tally()
    for name, pictures in people_in(folder).items():
        _enrol(client, name, _readable(pictures, tally), reason, tally)
    typer.echo(tally.in_words())
    return SOME_REFUSED if tally.refused else 0


def people_in(folder: Path) -> dict[str, list[Path]]:
    """Return the pictures of a folder by the names of people; raises SettingsError."""
    if not folder.is_dir():
        raise SettingsError(f"{folder} is no folder: name one with a folder for each person, or pictures named by people")
    found: dict[str, list[Path]] = {}
    for path in sorted(path for path in folder.iterdir() if not path.name.startswith(".")):
        if path.is_dir():
            found.setdefault(_spoken(path.name), []).extend(_files(path))
        else:
            found.setdefault(_spoken(_NUMBER.sub("", path.stem)), []).append(path)
    if not any(found.values()):
        raise SettingsError(f"{folder} holds no picture: put a folder for each person there, or pictures named by people")
    return found


def list_people(known: Mapping[str, Any]) -> str:
    """Return a line about each person of the API, and who must be enrolled again."""
    width = max((len(person["name"]) for person in known["people"]), default=0)
    lines = [_line(person, width) for person in known["people"]] or ["nobody is known: rekstream faces add NAME PICTURE"]
    return "\n".join([*lines, *([known["sentence"]] if known["sentence"] else [])])


def remove(client: Client, name: str, face: str | None) -> str:
    """Take one face away from somebody, or forget them; return one sentence."""
    if face is None:
        client.remove_person(name)
        return f"{name} is removed, with all faces"
    client.remove_face(name, face)
    return f"the face {face} of {name} is removed"


def forget(client: Client, name: str, picture: Path | None) -> int:
    """Forget somebody and print what was removed from where and what a search finds; return 0, or 1 when something is left."""
    done = client.forget(name, _read(picture) if picture else None)
    typer.echo(forgotten(done))
    return SOME_REFUSED if any(done["remaining"].values()) or done["unreachable"] or done["unfinished"] else 0


def forgotten(done: Mapping[str, Any]) -> str:
    """Return the table of a forgetting, and one sentence that says whether anything is left."""
    removed, remaining = done["removed"], done["remaining"]
    rows = [("", "removed", "found afterwards")]
    rows += [
        (what, str(removed.get(what, "")), str(remaining.get(what, "")))
        for what in sorted(removed.keys() | remaining.keys())
        if removed.get(what) or what in remaining
    ]
    width = max(len(what) for what, _, _ in rows)
    lines = [f"{what:<{width}}{gone:>9}{left:>18}" for what, gone, left in rows]
    return "\n".join([*lines, _verdict(done)])


def _verdict(done: Mapping[str, Any]) -> str:
    left = sum(done["remaining"].values())
    if left:
        return f"{done['name']} is not wholly forgotten, {left} traces are left: see the log of `rekstream people`"
    if done["unreachable"]:
        where = " and ".join(done["unreachable"])
        return f"{done['name']} is forgotten here; the faces at {where} are deleted as soon as that one answers again"
    if done["unfinished"]:
        return f"{done['name']} is forgotten here; {done['unfinished'][0]}"
    return f"{done['name']} is forgotten: searching finds nothing (files that --output wrote are out of reach: look there too)"


def _enrol(
    client: Client,
    name: str,
    pictures: Sequence[tuple[Path, bytes]] | Iterator[tuple[Path, bytes]],
    reason: Reason,
    tally: Tally,
) -> None:
    """Enrol pictures one by one, so that one that is refused stops no other."""
    person = client.find_person(name)
    if person is not None and reason.members:
        client.change_person(person["id"], reason.members)
    for path, data in pictures:
        began = time.monotonic()
        try:
            if person is None:
                person = client.add_person({"name": name, **reason.members}, path.name, data)
            else:
                person = client.add_face(person["id"], path.name, data)
        except RefusedByServer as error:
            tally.refused += 1
            typer.echo(f"refused  {name}  {path}: {error}")
            continue
        tally.taken += 1
        tally.people.add(person["id"])
        height = person["faces"][-1]["height"]
        typer.echo(f"taken    {person['name']}  {path}: a face {height:g} pixels high, {time.monotonic() - began:.1f} s")


def _readable(pictures: Sequence[Path], tally: Tally) -> Iterator[tuple[Path, bytes]]:
    for path in pictures:
        try:
            if path.suffix.lower() not in ENDINGS:
                raise PictureError(f"{path} is no picture: .jpg, .jpeg and .png are taken")
            yield path, _read(path)
        except PictureError as error:
            tally.refused += 1
            typer.echo(f"refused  {error}")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PictureError(f"{path} cannot be read: {error.strerror}") from error


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


def _spoken(name: str) -> str:
    return " ".join(name.replace("_", " ").split())


def _line(person: Mapping[str, Any], width: int) -> str:
    count = len(person["faces"])
    known = (
        f"{count} face{'' if count == 1 else 's'}" if person["enrolled"] or not person["elsewhere"] else "to be enrolled again"
    )
    facts = [f"consent {person['consent']}" if person["consent"] else "", person["legal_basis"] or ""]
    about = "".join(f", {fact}" for fact in facts if fact)
    forgetting = ", being forgotten" if person["forgetting"] else ""
    return f"{person['name']:<{width}}  {person['id']}  {known}{about}{forgetting}"
