"""Measures the models on a folder of pictures, prints each table, and writes them down when asked to.

python -m accuracy FOLDER [--write docs/accuracy.md] [--json figures.json] [--before figures.json]
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from accuracy import answers, figures, identity, page, pose, recall, samples, steadiness, trials
from accuracy.scenes import Backgrounds
from vision.faces import FaceEngine


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 when everything asked for was written, 2 with a sentence when the folder cannot be used."""
    asked = _parser().parse_args(arguments)
    sections = []
    try:
        before = figures.load(asked.before) if asked.before else figures.Before()
        for section in measure(FaceEngine(), asked.folder):
            print(*(table.markdown(before) for table in section.tables), sep="\n\n", end="\n\n", flush=True)
            sections.append(section)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if asked.json:
        figures.save((table for section in sections for table in section.tables), asked.json, asked.name)
    if asked.write:
        asked.write.write_text(page.page(sections, before, page.about_of(asked.folder)))
    return 0


def measure(engine: trials.Engine, folder: Path) -> Iterator[page.Section]:
    """Yield the page's sections as they are measured; samples.LabelError if the folder cannot be used."""
    listed = samples.read(folder)
    readings = trials.read_samples(engine, listed)
    cut, backgrounds = trials.cutouts(readings), Backgrounds(listed)
    tried = trials.run_all(engine, recall.plan(cut, backgrounds))
    yield page.Section("Finding faces", recall.tables(engine, tried, readings, backgrounds))
    yield page.Section("Pose", pose.tables(engine, tried, readings))
    yield page.Section("Attributes", answers.tables(readings, tried))
    yield page.Section("Steadiness", steadiness.tables(trials.run_all(engine, steadiness.plan(cut, backgrounds))))
    yield page.Section("Who it is", identity.tables(readings, tried))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m accuracy", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="a folder with people/NAME, faces, none and labels.csv, or some of them")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="write all tables to this Markdown file")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to this file")
    parser.add_argument("--name", default="an earlier run", help="what --json says was measured, such as a commit")
    parser.add_argument("--before", type=Path, metavar="FILE", help="figures of an earlier run, to show beside the new ones")
    return parser


if __name__ == "__main__":
    sys.exit(main())
