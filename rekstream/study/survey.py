"""One picture's study: its face is found, then all its variants are asked about in rounds, and each call is timed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pipeline.errors import PictureError, ProviderError
from rekstream.study.comparison import FaceDetail, Reading, compare, largest, readings, same_face
from rekstream.study.pictures import Picture
from rekstream.study.storage import Held
from rekstream.study.variants import Change, Question, Variant, as_it_is, changed, out_of_s3
from workers.rekognition import BotoRekognition, CallFailed

_ATTRIBUTES = ("ALL",)
_HOPELESS = frozenset({"denied", "connection"})  # what the next call would meet, too


@dataclass(frozen=True, slots=True)
class Row:
    """What was answered about one variant.

    `faces` is how many were found, None where no call was answered; `seconds` has the client's time of each answered call,
    `failures` Rekognition's name of each error.
    """

    variant: Variant
    faces: int | None
    readings: tuple[Reading, ...]
    seconds: tuple[float, ...]
    failures: tuple[str, ...]

    @property
    def p50(self) -> float | None:
        """The median time of a call in seconds."""
        return statistics.median(self.seconds) if self.seconds else None


@dataclass(frozen=True, slots=True)
class Study:
    """All rows of one picture, the unchanged one first; `face` is its largest face as it was first answered."""

    picture: str
    width: int
    height: int
    face: FaceDetail = field(repr=False)
    rows: tuple[Row, ...]
    upload_seconds: float | None = None

    @property
    def is_whole(self) -> bool:
        """Whether each call was answered."""
        return not any(row.failures for row in self.rows)


class Survey:
    """Asks `rekognition` about each variant `repeat` times; `asked` is told after each call.

    One call more, which is not timed, finds the face and opens the connection. The rounds go through all variants, so that
    a machine that slows down is slow for all of them.
    """

    def __init__(
        self, rekognition: BotoRekognition, changes: frozenset[Change], repeat: int, asked: Callable[[], None]
    ) -> None:
        self._rekognition = rekognition
        self._changes = changes
        self._repeat = repeat
        self._asked = asked

    def study(self, picture: Picture, held: Held | None = None) -> Study:
        """Return what was answered about a picture, which lies in S3 as well if it is `held` there.

        Raises PictureError for a picture that is refused or has no face, ProviderError when no call can be answered.
        """
        unchanged = as_it_is(picture)
        face = self._face_of(picture, unchanged)
        questions = [unchanged, *changed(picture, face, self._changes)]
        if held is not None:
            questions.append(out_of_s3(picture, held.place))
        rows = self._rows(picture, questions, face)
        return Study(picture.name, picture.width, picture.height, face, rows, held.upload_seconds if held else None)

    def _face_of(self, picture: Picture, unchanged: Question) -> FaceDetail:
        try:
            face = largest(self._ask(unchanged))
        except CallFailed as failure:
            _stop_if_hopeless(picture, failure)
            raise PictureError(f"{picture.name} was not analysed: {failure.message.rstrip('.')} ({failure.code})") from failure
        if face is None:
            raise PictureError(f"{picture.name} shows no face that Rekognition finds: name a picture with one")
        return face

    def _rows(self, picture: Picture, questions: Sequence[Question], face: FaceDetail) -> tuple[Row, ...]:
        records = [_Record() for _ in questions]
        for _ in range(self._repeat):
            for question, record in zip(questions, records, strict=True):
                self._time(picture, question, record)
        return tuple(record.row(question.variant, face) for question, record in zip(questions, records, strict=True))

    def _time(self, picture: Picture, question: Question, record: _Record) -> None:
        started = time.perf_counter()
        try:
            faces = self._ask(question)
        except CallFailed as failure:
            _stop_if_hopeless(picture, failure)
            record.failures.append(failure.code)
            return
        record.seconds.append(time.perf_counter() - started)
        if record.faces is None:
            record.faces = faces

    def _ask(self, question: Question) -> Sequence[FaceDetail]:
        try:
            faces: Sequence[FaceDetail] = self._rekognition.detect_faces_of(question.image, _ATTRIBUTES).response["FaceDetails"]
        finally:
            self._asked()
        return faces


@dataclass(slots=True)
class _Record:
    """What has come in so far about one question; the first answer counts, the others are the same or a matter of time."""

    faces: Sequence[FaceDetail] | None = None
    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def row(self, variant: Variant, face: FaceDetail) -> Row:
        seconds, failures = tuple(self.seconds), tuple(self.failures)
        if self.faces is None:
            return Row(variant, None, (), seconds, failures)
        found = compare(readings(face), same_face(self.faces, face))
        return Row(variant, len(self.faces), found, seconds, failures)


def _stop_if_hopeless(picture: Picture, failure: CallFailed) -> None:
    if failure.kind in _HOPELESS:
        raise ProviderError(f"{picture.name} was not analysed ({failure}): {failure.advice}") from failure
