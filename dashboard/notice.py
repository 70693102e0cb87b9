"""The notice that hangs beside a camera: what it does, what is kept and how long, who answers questions. One sheet, to print.

Nothing in it is invented: each line follows from the camera's rules and the settings of this system as they are now.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Literal

from pipeline.entities import Camera, Purpose
from pipeline.provider import Provider

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Notice of camera {camera}</title>
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/style/notice.css">
</head>
<body>
<main>
<header>
<img src="/static/notice.svg" alt="" width="120" height="120">
<div><p class="over">{over}</p><h1>{title}</h1></div>
</header>
<section><h2>What it does</h2>{does}</section>
<section><h2>What it does not do</h2>{not_done}</section>
<section><h2>What is kept, and how long</h2><table><tbody>{kept}</tbody></table></section>
<section><h2>Where the pictures go</h2><p>{where}</p></section>
<section class="contact"><h2>Questions, and your rights</h2><p>{contact}</p>
<p>You may ask what is kept about you, have it corrected, and have it deleted.</p></section>
<footer>Camera {camera}, purpose {purpose}. As it was set up on {day}. Made by rekstream from its settings: it says what
the program does; whoever runs the camera adds why, and on what legal basis.</footer>
</main>
</body>
</html>
"""
_TITLES = {
    Purpose.ACCESS: "This camera recognises who comes in",
    Purpose.WATCH: "This camera looks for certain people",
    Purpose.AUDIENCE: "This camera counts visitors",
    Purpose.TEST: "This camera is being tried out",
}
_MINUTE_OF_PICTURES = ("Pictures that were analysed", "a minute, those of unusually slow moments an hour; in memory only")
_FOUND = "What was found in a picture"


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """What a notice needs besides its camera.

    `visit_days` and `unknown_hours` are how long visits are kept and unknown faces recognised, `keep_days` what was found (0
    for ever); `archive` is where pictures are archived, '' if nowhere; `contact` is '' where nobody was named.
    """

    provider: Provider
    contact: str = ""
    privacy: bool = False
    visit_days: float = 30.0
    unknown_hours: float = 24.0
    keep_days: float = 30.0
    archive: Literal["", "folder", "S3", "AWS"] = ""


def notice(camera: Camera, facts: NoticeFacts, today: datetime) -> str:
    """Return the HTML page."""
    return _PAGE.format(
        camera=escape(camera.id),
        over="Camera in operation" if not camera.schedule else f"Camera in operation: {escape(camera.schedule)}",
        title=_TITLES[camera.purpose],
        does=_list(_does(camera, facts)),
        not_done=_list(_does_not(camera, facts)),
        kept="".join(f"<tr><th>{escape(what)}</th><td>{escape(how_long)}</td></tr>" for what, how_long in _kept(camera, facts)),
        where=escape(_where(camera, facts)),
        contact=escape(facts.contact) if facts.contact else 'Ask: <span class="blank"></span>',
        purpose=camera.purpose,
        day=f"{today:%d %B %Y}",
    )


def _does(camera: Camera, facts: NoticeFacts) -> Iterable[str]:
    yield f"It looks for faces in {_pace(camera.fps)}."
    if camera.purpose.names_people:
        yield "It compares each face with those of people who were enrolled beforehand, and notes who came and when."
        if facts.unknown_hours:
            yield f"It recognises for {_span(facts.unknown_hours)} that somebody it does not know by name was there before."
    if camera.purpose is Purpose.WATCH:
        yield "When somebody of a watch list is seen, the people in charge are told at once."
    told = _estimated(camera)
    if told:
        yield f"It estimates from each face: {', '.join(told)}. Such estimates are often wrong."
    if camera.labels:
        yield f"Every {camera.labels:g} seconds it also notes which things are in the picture."


def _does_not(camera: Camera, facts: NoticeFacts) -> Iterable[str]:
    if not camera.purpose.names_people:
        yield "It identifies nobody, and recognises nobody again."
    if not _infers_emotions(camera):
        yield "It does not infer emotions."
    if not camera.purpose.keeps_pictures:
        yield "It keeps no pictures."
    elif facts.privacy:
        yield "It keeps and shows no picture in which a face that was found can be recognised."
    yield "It records no sound." if _is_archived(camera, facts) else "It records no sound and no video."
    if camera.masks:
        yield "Parts of its picture are blacked out before anybody or anything looks at it."


def _kept(camera: Camera, facts: NoticeFacts) -> Iterable[tuple[str, str]]:
    if camera.purpose.keeps_pictures:
        yield _MINUTE_OF_PICTURES
    if _is_archived(camera, facts):
        covered = ", with bands over the faces that were found" if facts.privacy else ""
        yield f"Each of these pictures, in an archive{covered}", _days(facts.keep_days)
    yield _FOUND, f"{_days(facts.keep_days)}, in a database"
    if not camera.purpose.names_people:
        return
    yield "Visits: who came, when, how long", f"{facts.visit_days:g} days"
    if facts.unknown_hours:
        yield "Measures of unknown faces", _span(facts.unknown_hours)
    yield "Names and face measures of enrolled people", "until they are removed; with the date of their consent"


def _is_archived(camera: Camera, facts: NoticeFacts) -> bool:
    return bool(facts.archive) and camera.purpose.keeps_pictures


def _where(camera: Camera, facts: NoticeFacts) -> str:
    place = {
        "folder": " They are archived on such a computer.",
        "S3": " They are archived in a store that whoever runs this camera has chosen.",
        "AWS": " They are archived in Amazon S3, a service of Amazon Web Services.",
    }
    return _analysed(facts, _is_archived(camera, facts)) + (place[facts.archive] if _is_archived(camera, facts) else "")


def _analysed(facts: NoticeFacts, is_archived: bool) -> str:
    if facts.provider.name == "aws":
        return (
            f"They are analysed by Amazon Rekognition, a service of Amazon Web Services, in the region "
            f"{facts.provider.region}; measures of enrolled faces are kept there as well."
        )
    if facts.provider.name == "local":
        nowhere = "" if is_archived and facts.archive != "folder" else ", and go nowhere else"
        return f"They are analysed on computers of whoever runs this camera{nowhere}."
    return "They are analysed by a server that whoever runs this camera has chosen."


def _estimated(camera: Camera) -> list[str]:
    words = {"AGE_RANGE": "age", "GENDER": "sex", "SMILE": "smile", "EMOTIONS": "expression of emotions"}
    return [
        word
        for name, word in words.items()
        if ("ALL" in camera.attributes or name in camera.attributes) and (name != "EMOTIONS" or _infers_emotions(camera))
    ]


def _infers_emotions(camera: Camera) -> bool:
    return camera.purpose.infers_emotions and bool({"ALL", "EMOTIONS"} & set(camera.attributes))


def _pace(fps: float) -> str:
    if fps == 1:
        return "one picture a second"
    return f"{fps:g} pictures a second" if fps > 1 else f"a picture every {1 / fps:g} seconds"


def _span(hours: float) -> str:
    return f"{hours:g} hours" if hours < 48 or hours % 24 else f"{hours / 24:g} days"  # noqa: PLR2004  # two days


def _days(days: float) -> str:
    return "until somebody deletes it" if not days else _span(24 * days)


def _list(lines: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"
