"""Who somebody is, joined when it is read: rows hold ids and tracks, so that what is said of them later holds for them, too."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, select

from history.mirror import people
from history.schema import tracks
from pipeline.errors import UnknownPerson
from pipeline.names import TRACK

_LONGEST = 100
_AT_ONCE = 500


def person_of(connection: Connection, who: object) -> Row[Any]:
    """Return the row of a person by id or name; raises UnknownPerson, which names the nearest name there is."""
    text, everybody = str(who).strip(), connection.execute(select(people).order_by(people.c.name)).all()
    found = [row for row in everybody if text == row.id] or [row for row in everybody if text.lower() == row.name.lower()]
    if found:
        return found[0]
    lower = {row.name.lower(): row.name for row in everybody}
    near = difflib.get_close_matches(text.lower(), lower, n=1, cutoff=0.5)
    hint = f"did you mean {lower[near[0]]!r}?" if near else "see who is known with `rekstream faces list`"
    raise UnknownPerson(f"the history knows nobody called {text[:_LONGEST]!r}: {hint}")


def a_person(connection: Connection, who: str) -> dict[str, str] | None:
    """Return {"Id", "Name"} of who is asked for by id or name, None where nobody is; raises UnknownPerson."""
    if not who:
        return None
    person = person_of(connection, who)
    return {"Id": person.id, "Name": person.name}


def names_of(connection: Connection, asked: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return {"Id", "Name"} of the people that tracks are, by track; nothing for those that are nobody's."""
    wanted, found = list(dict.fromkeys(asked)), {}
    joined = select(tracks.c.track, people.c.id, people.c.name).join(people, people.c.id == tracks.c.person)
    for start in range(0, len(wanted), _AT_ONCE):
        rows = connection.execute(joined.where(tracks.c.track.in_(wanted[start : start + _AT_ONCE])))
        found.update({track: {"Id": person, "Name": name} for track, person, name in rows})
    return found


def tracks_in(shown: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the tracks in results as the API shows them."""
    return [track for result in shown for face in _faces(result) if (track := _track(face))]


def named(result: Mapping[str, Any], names: Mapping[str, Mapping[str, str]], may_name: Callable[[str], bool]) -> dict[str, Any]:
    """Return a result in which faces have the names of their tracks, unless nobody is named at its camera."""
    if not may_name(str(result.get("camera", ""))):
        return dict(result)
    faces = [{**face, "Person": names[track]} if (track := _track(face)) in names else face for face in _faces(result)]
    return {**result, "FaceDetails": faces} if faces else dict(result)


def _track(face: Mapping[str, Any]) -> str:
    return track if isinstance(track := face.get(TRACK), str) else ""


def _faces(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    faces = result.get("FaceDetails")
    return [face for face in faces if isinstance(face, dict)] if isinstance(faces, list) else []
