"""Files that a command is to write: refused before anything is asked or paid, if they would fail or destroy something."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.errors import SettingsError


def check_outputs(outputs: Mapping[str, Path | None], inputs: Iterable[str]) -> None:
    """Raise SettingsError for an output, by its flag, that is no file's place, is an input, or is another output too."""
    taken = {Path(name).resolve(): f"the picture {name}" for name in inputs}
    for flag, path in outputs.items():
        if path is None:
            continue
        if path.is_dir():
            raise SettingsError(f"{flag} {path} cannot be written, because it is a folder: name a file in it")
        if not path.parent.is_dir():
            raise SettingsError(
                f"{flag} {path} cannot be written, because {path.parent} is no folder: make it, or name another"
            )
        if path.resolve() in taken:
            raise SettingsError(f"{flag} {path} would overwrite {taken[path.resolve()]}: name another file")
        taken[path.resolve()] = f"what {flag} writes"
