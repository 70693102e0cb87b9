"""The command line: one program of all commands, which says in one sentence what is wrong."""

from __future__ import annotations

import sys

import typer

from pipeline.errors import RekstreamError, redact
from rekstream.commands import cameras, parts, past, people, pictures

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Near real-time face analysis of live cameras with Amazon Rekognition, or with open models on this machine.",
)
for room in (parts, cameras, people, past, pictures):
    app.add_typer(room.app)
_INTERRUPTED = 130  # as a shell reports a program that Ctrl-C ended


def main() -> None:
    """Run a command; what its user can put right ends in one sentence and exit code 2."""
    try:
        code = app(standalone_mode=False)
    except RekstreamError as error:
        code = _fail(str(error))
    except typer.Abort:
        code = _INTERRUPTED
    except typer.Exit as error:
        code = error.exit_code
    except typer.TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # whoever says nothing wants to read
            typer.echo(_in_words(error))
            sys.exit(2)
        code = _fail(redact(_in_words(error)))
    sys.exit(code if isinstance(code, int) else 0)


def _in_words(error: typer.TyperException) -> str:
    """Return what typer would print below its usage lines."""
    in_full = getattr(error, "format_message", None)
    return str(in_full() if in_full else error)


def _fail(sentence: str) -> int:
    typer.echo(f"error: {sentence}", err=True)
    return 2
