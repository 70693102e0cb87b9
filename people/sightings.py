"""What visits tell about who is there, as alerts hear it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sighting:
    """Somebody at a camera, as far as is known by now.

    `visit` is the stay it belongs to, the same when the stream is read again; `person` and `name` are empty for somebody
    unknown, whose group is `unknown` ('' while there is none). `similarity` is the best of the visit so far, in percent.
    `captured_at` is when the picture was taken that this is known from, seconds since 1970; `result` that result's id.
    """

    visit: str
    camera: str
    track: str
    person: str
    name: str
    unknown: str
    similarity: float
    captured_at: float
    result: str = ""
