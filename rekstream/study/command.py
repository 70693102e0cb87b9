"""`rekstream study`, from its flags to its exit code: what to ask, what to say before, whom to ask, what to show and write."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress

from pipeline.errors import PictureError, SettingsError
from pipeline.provider import Provider
from pipeline.settings import Settings
from rekognition_local.server import Server, ServerSettings
from rekstream.outputs import check_outputs
from rekstream.study.figures import as_json, write_csv
from rekstream.study.pictures import Picture, read_picture
from rekstream.study.storage import Storage
from rekstream.study.survey import Study, Survey
from rekstream.study.table import LEGEND, show
from rekstream.study.variants import CHANGES, Change, count
from vision.detector import DetectorSettings
from workers.rekognition import BotoRekognition, account_of

_MOST_NAMED = 3  # pictures, in the sentence that comes before anything is paid
_FILE_WIDTH = 200  # characters where the output is no terminal, so that nothing is folded


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is said on the command line beside the settings: `only` is a list like ``resolution,cover``, None means all."""

    only: str | None = None
    repeat: int = 3
    s3: str | None = None
    agreed: bool = False
    as_json: bool = False
    csv: Path | None = None
    plot: Path | None = None


def study_pictures(names: Sequence[str], settings: Settings, wishes: Wishes) -> int:
    """Study each picture, show and write what came out; return 0, or 2 when a picture or a call stayed without an answer.

    Raises SettingsError and ProviderError for what no picture can change; what was studied before is shown all the same.
    """
    changes = _changes(wishes)
    storage = Storage(wishes.s3, settings) if wishes.s3 and Change.S3 in changes else None
    check_outputs({"--csv": wishes.csv, "--plot": wishes.plot}, names)
    pictures = list(_readable(names))
    _ask_before_paying(pictures, changes, settings, wishes)
    report = _Report(wishes, Provider.of(settings).label, _notes(wishes))
    if pictures:
        try:
            _study(pictures, changes, storage, settings, wishes.repeat, report)
        finally:
            report.finish()
    return 0 if report.is_whole(len(names)) else 2


def _study(
    pictures: Sequence[Picture],
    changes: frozenset[Change],
    storage: Storage | None,
    settings: Settings,
    repeat: int,
    report: _Report,
) -> None:
    with rekognition_for(settings) as rekognition, _progress(_calls(pictures, changes, repeat)) as asked:
        survey = Survey(rekognition, changes - {Change.S3}, repeat, asked)
        for picture in pictures:
            try:
                with storage.holding(picture) if storage else nullcontext() as held:
                    report.studies.append(survey.study(picture, held))
            except PictureError as error:
                _say_error(error)


@dataclass(slots=True)
class _Report:
    """The studies so far, and where they are to be shown and written."""

    wishes: Wishes
    answered_by: str
    notes: tuple[str, ...]
    studies: list[Study] = field(default_factory=list)

    def is_whole(self, wanted: int) -> bool:
        return len(self.studies) == wanted and all(study.is_whole for study in self.studies)

    def finish(self) -> None:
        """Show and write everything; nothing where there is nothing."""
        if not self.studies:
            return
        if self.wishes.as_json:
            typer.echo(json.dumps(as_json(self.studies, self.answered_by, self.wishes.repeat, self.notes), indent=2))
        else:
            self._print()
        if self.wishes.csv:
            write_csv(self.studies, self.wishes.csv)
        if self.wishes.plot:
            from rekstream.study.page import write_page  # noqa: PLC0415  # plotly takes a third of a second to load

            write_page(self.studies, self.answered_by, self.notes, self.wishes.plot)

    def _print(self) -> None:
        console = Console(highlight=False, width=None if sys.stdout.isatty() else _FILE_WIDTH)
        for study in self.studies:
            show(study, console)
            console.print()
        console.print(LEGEND, style="dim", markup=False, soft_wrap=True)
        for note in (f"answered by {self.answered_by}", *self.notes):
            console.print(note, style="dim", markup=False, soft_wrap=True)


def _changes(wishes: Wishes) -> frozenset[Change]:
    """Return what is to be changed; raises SettingsError for a change that there is not, and for S3 without a bucket."""
    if wishes.only is None:
        return frozenset(CHANGES) if wishes.s3 else frozenset(CHANGES) - {Change.S3}
    names = [name.strip().lower() for name in wishes.only.split(",") if name.strip()]
    unknown = [name for name in names if name not in list(CHANGES)]
    if unknown or not names:
        raise SettingsError(f"--only {wishes.only!r} names no change of a picture: choose among {', '.join(CHANGES)}")
    if Change.S3 in names and not wishes.s3:
        raise SettingsError("--only s3 needs a place in S3: say --s3 s3://bucket/prefix")
    return frozenset(Change(name) for name in names)


def _notes(wishes: Wishes) -> tuple[str, ...]:
    if wishes.s3 or wishes.only:
        return ()
    return ("bytes against S3 were not compared: no place in S3 was named (--s3 s3://bucket/prefix)",)


def _readable(names: Sequence[str]) -> Iterator[Picture]:
    for name in names:
        try:
            yield read_picture(name)
        except PictureError as error:
            _say_error(error)


def _ask_before_paying(pictures: Sequence[Picture], changes: frozenset[Change], settings: Settings, wishes: Wishes) -> None:
    """Say what AWS would cost and see; raises SettingsError where nobody can be asked, typer.Abort after a no."""
    provider = Provider.of(settings)
    if not provider.paid or not pictures:
        return
    calls = _calls(pictures, changes, wishes.repeat)
    where = f", and lie in {wishes.s3} meanwhile" if Change.S3 in changes else ""
    typer.echo(
        f"AWS account {account_of(provider)}, {provider.region}: at most {calls} calls = "
        f"{calls * provider.dollars_per_call():.3f} dollars at most; {_named(pictures)} will be sent to AWS{where}",
        err=True,
    )
    if wishes.agreed:
        return
    if not sys.stdin.isatty():
        raise SettingsError("nobody can be asked here whether that is meant: say --yes if it is")
    typer.confirm("go on?", abort=True, err=True)


def _named(pictures: Sequence[Picture]) -> str:
    if len(pictures) > _MOST_NAMED:
        return f"{len(pictures)} pictures"
    return " and ".join(picture.name for picture in pictures)


def _calls(pictures: Sequence[Picture], changes: frozenset[Change], repeat: int) -> int:
    """Return how many calls there will be: one finds the face of each picture, the others are timed."""
    return sum(1 + repeat * count(picture, changes) for picture in pictures)


@contextmanager
def rekognition_for(settings: Settings) -> Iterator[BotoRekognition]:
    """Return who answers: AWS or another endpoint if it was asked for, else a local server for as long as this lasts."""
    with ExitStack() as stack:
        provider = Provider.of(settings)
        if provider.name == "local":
            detector = DetectorSettings(side=settings.detector_side)
            server = stack.enter_context(Server(ServerSettings(s3_endpoint_url=settings.s3_endpoint_url, detector=detector)))
            provider = Provider.of(settings, server.url)
        client = BotoRekognition(provider, 1, settings.connect_timeout, settings.read_timeout)
        stack.callback(client.close)
        yield client


@contextmanager
def _progress(calls: int) -> Iterator[Callable[[], None]]:
    """Show how far the calls have come, on a terminal."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("asking", total=calls)
        yield lambda: progress.advance(task)


def _say_error(error: PictureError) -> None:
    typer.echo(f"error: {error}", err=True)
