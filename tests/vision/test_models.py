"""The model files are the ones that MODELS.md describes."""

import hashlib
from importlib.resources import files

import pytest

MODELS = files("vision").joinpath("models")
SUMS = dict(line.split()[::-1] for line in MODELS.joinpath("SHA256SUMS").read_text().splitlines())


def test_the_list_names_every_model_file_and_no_other():
    assert set(SUMS) == {entry.name for entry in MODELS.iterdir() if entry.name.endswith(".onnx")}


@pytest.mark.parametrize("name", sorted(SUMS))
def test_a_model_file_has_the_checksum_in_the_list(name):
    assert hashlib.sha256(MODELS.joinpath(name).read_bytes()).hexdigest() == SUMS[name]


def test_the_documentation_tells_the_origin_of_every_model():
    text = files("vision").joinpath("..", "MODELS.md").read_text()
    missing = [name for name in SUMS if name not in text]
    assert not missing
