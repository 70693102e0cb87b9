"""One page of all tables: what was measured, on what, and what it is not good for."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from accuracy.figures import Before, Table

_TITLE = """# Accuracy

How well the models of the local Rekognition server do on a set of pictures. Written by `make accuracy`, not by hand:

    make accuracy DATA=FOLDER ARGS="--write docs/accuracy.md"

It shows what breaks first, and whether a change helped. How the models do on your cameras and your people it cannot say: for
that, run it on [pictures of your own](#your-own-pictures). Nothing here was measured against Amazon's service."""

_NO_ABOUT = """## The pictures

The folder has no about.md: nobody said what is in it."""

_READING = """Shares stand with their 95 % interval (Wilson) where it reaches more than three percent either way. Pictures
of one person are not independent of each other, so the truth may lie further off still; where it matters, a table counts
people too."""

_NOT_GOOD_FOR = {
    "Finding faces": """Real heads, cut out with a soft edge, are put into real pictures that have no face: at places drawn by
chance, but the same in each row of a table. Only heads that are upright, turned little and uncovered are taken, so that a row
shows what one hardship does by itself.

Not good for: counting people in crowds or from behind; profiles; proving that nobody was there. A face half covered often
has a box and no landmarks, and then no attributes.""",
    "Pose": """Not good for: degrees of yaw and pitch. Roll is known, because the pictures were turned. Of yaw the sign is
checked, and its size against the few pictures for which one is stated; of pitch only that a mirror leaves it as it is.""",
    "Attributes": """Not good for: deciding anything about a person. Gender is what a face looks like to a net that knows
two. Age leans toward the middle of life. An emotion is what a face looks like, not what somebody feels. The labels are what
somebody says who looked at the pictures, not what those on them say.""",
    "Steadiness": """Not good for: reading anything into small changes from one frame to the next: what moves by no more
than this moves by itself.""",
    "Who it is": """Not good for: saying who somebody is without a person looking. False matches are not spread evenly over
people: they are likelier between people of one gender, one origin, one family. Pairs that may be one person are not
counted.""",
}

_YOUR_OWN = """## Your own pictures

    FOLDER/people/NAME/*.jpg   pictures of one person each; two or more, of several people
    FOLDER/faces/*.jpg         other pictures with faces
    FOLDER/none/*.jpg          pictures without a face: your rooms, empty
    FOLDER/labels.csv          what is to be seen

    make accuracy DATA=FOLDER ARGS="--write accuracy.md --json figures.json"

Every part may be missing; the tables that need it say so. A line of `labels.csv` is a picture. Every column but `file` may be
missing, and every cell empty:

| column | what to write |
| --- | --- |
| `faces` | how many there are |
| `gender`, `emotion` | `Female` or `Male`; `HAPPY`, `CALM`, `SAD`, `ANGRY`, `FEAR`, `DISGUSTED` or `SURPRISED` |
| `age` | `51`, or `20-40` |
| `smile`, `eyes_open`, `mouth_open` | `1` or `0`; a mouth is open when the lips are apart, so that teeth show |
| `yaw` | degrees, to the picture's right |
| `box`, `eyes` | of the face that is meant, in pixels: `left top width height`, and `x y x y` of the eyes' middles |
| `clear` | `1`: upright, turned little, uncovered, all of the head in the picture: fit to be put into scenes |
| `person` | a name, where the folder's is not meant |
| `scene` | a name for the photo or film that several pictures were cut from |
| `circle` | a name for pictures among which different names may be one person |

Without `box`, `eyes` and `clear`, what the engine finds in the untouched pictures is taken for the truth: recall is then
relative to what it finds at its best. `--before figures.json` shows an earlier run's figures beside the new ones. Nothing
of the pictures is kept, and nothing leaves the machine."""


@dataclass(frozen=True)
class Section:
    """Tables under one heading of the page."""

    title: str
    tables: list[Table]


def page(sections: Iterable[Section], before: Before, about: str) -> str:
    """Return the whole page as Markdown; `about` says what the pictures are."""
    parts = [_TITLE, about or _NO_ABOUT, _written(before)]
    for section in sections:
        parts += [f"## {section.title}", _NOT_GOOD_FOR[section.title]]
        parts += [table.markdown(before) for table in section.tables]
    return "\n\n".join([*parts, _YOUR_OWN]) + "\n"


def about_of(folder: Path) -> str:
    """Return what the folder's about.md says of its pictures, or nothing."""
    path = folder / "about.md"
    return path.read_text().strip() if path.exists() else ""


def _written(before: Before) -> str:
    runtime = ", ".join(f"{name} {version(name)}" for name in ("onnxruntime", "opencv-python-headless", "numpy"))
    written = f"{_READING} Written {dt.datetime.now(dt.UTC).date()} with {runtime}."
    return f"{written} Columns *before*: {before.of}." if before.of else written
