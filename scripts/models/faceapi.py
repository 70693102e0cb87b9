"""face-api.js' nets: weights in a list and a binary file, the layers written down here as its TypeScript has them."""

import json
from pathlib import Path

import numpy as np
import onnx

from scripts.models.graph import GraphBuilder

_MEAN = np.array([122.782, 117.001, 104.298], np.float32).reshape(1, 3, 1, 1)
_TO_OIHW = (3, 2, 0, 1)
_DEPTHWISE_TO_OIHW = (2, 3, 0, 1)

Weights = dict[str, np.ndarray]


def read_weights(folder: Path, name: str) -> Weights:
    """Return a net's weights by name, those stored as bytes scaled back to float32."""
    manifest = json.loads((folder / f"{name}-weights_manifest.json").read_text())[0]
    data = b"".join((folder / part).read_bytes() for part in manifest["paths"])
    weights, offset = {}, 0
    for entry in manifest["weights"]:
        stored = entry.get("quantization")
        dtype = np.dtype(stored["dtype"] if stored else np.float32)
        count = int(np.prod(entry["shape"]))
        values = np.frombuffer(data, dtype, count, offset).astype(np.float32)
        if stored:
            values = values * stored["scale"] + stored["min"]
        weights[entry["name"]] = values.reshape(entry["shape"]).astype(np.float32)
        offset += count * dtype.itemsize
    if offset != len(data):
        raise SystemExit(f"{name} has {len(data)} bytes of weights, its list describes {offset}")
    return weights


class _Net:
    """A graph being built, and the weights to take for it."""

    def __init__(self, weights: Weights, scale: float) -> None:
        self.weights = weights
        self.builder = GraphBuilder()
        self.source = self.normalise(scale)

    def normalise(self, scale: float) -> str:
        centered = self.builder.add("Sub", "input", self.builder.weight(_MEAN))
        return self.builder.add("Mul", centered, self.builder.weight(np.float32(scale)))

    def add(self, operator: str, *inputs: str, **attributes: object) -> str:
        return self.builder.add(operator, *inputs, **attributes)

    def finish(self, result: str, pixels: int, length: int) -> onnx.ModelProto:
        self.builder.name_result(result, "output")
        return self.builder.model(("input", [1, 3, pixels, pixels]), [("output", [1, length])])


def expression(folder: Path) -> onnx.ModelProto:
    """FaceExpressionNet: four dense blocks of separable convolutions, seven shares."""
    net = _Expression(read_weights(folder, "face_expression_model"), 1 / 255)
    x = net.source
    for block in range(4):
        x = net.block(x, f"dense{block}/", first=block == 0)
    x = net.add("Flatten", net.add("AveragePool", x, kernel_shape=[7, 7], strides=[2, 2]))
    x = net.add("Gemm", x, *(net.builder.weight(net.weights[name]) for name in ("fc/weights", "fc/bias")))
    return net.finish(net.add("Softmax", x, axis=1), 112, 7)


class _Expression(_Net):
    def block(self, x: str, prefix: str, *, first: bool) -> str:
        before = self._first(x, f"{prefix}conv0/") if first else self._separable(x, f"{prefix}conv0/", stride=2)
        x = total = self.add("Relu", before)
        for place in (1, 2, 3):  # summed up as they come, so that each sum is fused with its convolution
            total = self.add("Add", self._separable(x, f"{prefix}conv{place}/"), total)
            x = self.add("Relu", total)
        return x

    def _first(self, x: str, prefix: str) -> str:
        filters = self.builder.weight(self.weights[f"{prefix}filters"].transpose(_TO_OIHW))
        bias = self.builder.weight(self.weights[f"{prefix}bias"])
        return self.add("Conv", x, filters, bias, kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1])

    def _separable(self, x: str, prefix: str, stride: int = 1) -> str:
        depthwise = self.weights[f"{prefix}depthwise_filter"].transpose(_DEPTHWISE_TO_OIHW)
        x = self.add(
            "Conv",
            x,
            self.builder.weight(depthwise),
            kernel_shape=[3, 3],
            strides=[stride, stride],
            group=len(depthwise),
            pads=[0, 0, 1, 1] if stride == 2 else [1, 1, 1, 1],
        )
        pointwise = self.builder.weight(self.weights[f"{prefix}pointwise_filter"].transpose(_TO_OIHW))
        return self.add("Conv", x, pointwise, self.builder.weight(self.weights[f"{prefix}bias"]), kernel_shape=[1, 1])


def embedding(folder: Path) -> onnx.ModelProto:
    """FaceRecognitionNet, dlib's ResNet-29 for faces: 128 numbers, near each other for the same person."""
    net = _Recognition(read_weights(folder, "face_recognition_model"), 1 / 256)
    x = net.conv(net.source, "conv32_down", stride=2, pad=0)
    x = net.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])
    for name in ("conv32_1", "conv32_2", "conv32_3"):
        x = net.residual(x, name)
    x = net.shrink(x, "conv64_down", more_channels=32)
    for name in ("conv64_1", "conv64_2", "conv64_3"):
        x = net.residual(x, name)
    x = net.shrink(x, "conv128_down", more_channels=64)
    for name in ("conv128_1", "conv128_2"):
        x = net.residual(x, name)
    x = net.shrink(x, "conv256_down", more_channels=128, pad_size=True)
    for name in ("conv256_1", "conv256_2"):
        x = net.residual(x, name)
    x = net.shrink(x, "conv256_down_out", more_channels=0, pad_size=True)
    x = net.add("Flatten", net.add("GlobalAveragePool", x))
    return net.finish(net.add("MatMul", x, net.builder.weight(net.weights["fc"])), 150, 128)


class _Recognition(_Net):
    def conv(self, x: str, prefix: str, *, stride: int = 1, relu: bool = True, pad: int = 1) -> str:
        """Add a convolution with the scale layer after it folded in."""
        scale, shift = (self.weights[f"{prefix}/scale/{part}"].ravel() for part in ("weights", "biases"))
        filters = self.weights[f"{prefix}/conv/filters"].transpose(_TO_OIHW) * scale[:, None, None, None]
        bias = self.weights[f"{prefix}/conv/bias"] * scale + shift
        x = self.add(
            "Conv",
            x,
            self.builder.weight(filters.astype(np.float32)),
            self.builder.weight(bias.astype(np.float32)),
            kernel_shape=list(filters.shape[2:]),
            strides=[stride, stride],
            pads=[pad] * 4,
        )
        return self.add("Relu", x) if relu else x

    def residual(self, x: str, prefix: str) -> str:
        inner = self.conv(self.conv(x, f"{prefix}/conv1"), f"{prefix}/conv2", relu=False)
        return self.add("Relu", self.add("Add", inner, x))

    def shrink(self, x: str, prefix: str, *, more_channels: int, pad_size: bool = False) -> str:
        """Halve the size: the shortcut is an average, padded with zeros where the other way has more."""
        inner = self.conv(self.conv(x, f"{prefix}/conv1", stride=2, pad=0), f"{prefix}/conv2", relu=False)
        shortcut = self.add("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
        if pad_size:
            inner = self._pad(inner, [0, 0, 0, 0, 0, 0, 1, 1])
        if more_channels:
            shortcut = self._pad(shortcut, [0, 0, 0, 0, 0, more_channels, 0, 0])
        return self.add("Relu", self.add("Add", shortcut, inner))

    def _pad(self, x: str, pads: list[int]) -> str:
        return self.add("Pad", x, self.builder.weight(np.array(pads, np.int64)))
