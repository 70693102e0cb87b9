"""Eight-bit arithmetic for nets of plain 3 x 3 convolutions: about a third of the time and of the memory.

Not for nets of depthwise convolutions, which onnxruntime computes faster in float.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import onnx
from onnx import helper, numpy_helper

from scripts.models.graph import replace, weights_of

Ranges: TypeAlias = Mapping[str, tuple[float, float]]
"""The least and the most of a net's tensors on pictures of faces, by name; each is rounded to 256 steps in between."""

_LARGEST = 63  # seven bits of weight: with eight, processors without VNNI saturate, and answer otherwise than the rest
_LARGEST_BIAS = 2.0**30


def fold_affine(model: onnx.ModelProto) -> None:
    """Write every convolution, scale and offset as one convolution: the same sums."""
    weights, kept = weights_of(model), list[onnx.NodeProto]()
    for node in model.graph.node:
        if not (kept and _fold(kept[-1], node, weights)):
            kept.append(node)
    replace(model.graph.node, kept)
    _store(model, weights)


def _fold(convolution: onnx.NodeProto, node: onnx.NodeProto, weights: dict[str, np.ndarray]) -> bool:
    """Work a scale or an offset of channels into the convolution before it; return whether the node was one."""
    per_channel = node.op_type in {"Mul", "Add"} and node.input[1] in weights and weights[node.input[1]].ndim == 4
    if convolution.op_type != "Conv" or node.input[0] != convolution.output[0] or not per_channel:
        return False
    values, (_, weight, bias) = weights[node.input[1]].ravel(), convolution.input
    if node.op_type == "Mul":
        weights[weight], weights[bias] = weights[weight] * values.reshape(-1, 1, 1, 1), weights[bias] * values
    else:
        weights[bias] = weights[bias] + values
    convolution.output[0] = node.output[0]
    return True


def fold_mean(model: onnx.ModelProto, mean: tuple[float, ...], scale: float) -> None:
    """Let an unpadded first convolution take pixels of 0 to 255, of which it took (pixel - mean) * scale."""
    weights = weights_of(model)
    _, weight, bias = model.graph.node[0].input
    weights[weight] = weights[weight] * np.float32(scale)
    weights[bias] = weights[bias] - np.einsum("oihw,i->o", weights[weight], np.array(mean, np.float32))
    _store(model, weights)


def quantize(model: onnx.ModelProto, ranges: Ranges) -> None:
    """Round every tensor in `ranges`, and the weights of convolutions that take one, to eight bits.

    onnxruntime sees the rounding around an operator, and computes the operator in whole numbers.
    """
    rounding = _Rounding(model, ranges)
    for node in model.graph.node:
        rounding.add(node)
    replace(model.graph.node, rounding.nodes)
    _store(model, rounding.weights)


class _Rounding:
    """Goes through a graph in its order, and puts rounding and its reverse behind tensors."""

    def __init__(self, model: onnx.ModelProto, ranges: Ranges) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights = weights_of(model)
        self._ranges = ranges
        self._scales: dict[str, np.float32] = {}

    def add(self, node: onnx.NodeProto) -> None:
        source, result = node.input[0], node.output[0]
        if node.op_type == "Conv" and source in self._scales:
            self._round_weights(node, self._scales[source])
        node.input[:] = [f"{name}_back" if name in self._scales else name for name in node.input]
        self.nodes.append(node)
        if result in self._ranges:
            self._round(result)

    def _round(self, name: str) -> None:
        low, high = (min(self._ranges[name][0], 0.0), max(self._ranges[name][1], 0.0))
        scale = self._scales[name] = np.float32((high - low) / 255)
        self._constant(f"{name}_step", np.array(scale))
        self._constant(f"{name}_zero", np.array(round(-low / scale), np.uint8))
        self._node("QuantizeLinear", name, f"{name}_step", f"{name}_zero", result=f"{name}_whole")
        self._node("DequantizeLinear", f"{name}_whole", f"{name}_step", f"{name}_zero", result=f"{name}_back")

    def _round_weights(self, node: onnx.NodeProto, scale: np.float32) -> None:
        weight, bias = (self.weights[name] for name in node.input[1:])
        steps = np.maximum(np.abs(weight).max(axis=(1, 2, 3)) / _LARGEST, np.abs(bias) / (scale * _LARGEST_BIAS))
        self._rounded(node.input[1], np.round(weight / steps.reshape(-1, 1, 1, 1)).astype(np.int8), steps)
        self._rounded(node.input[2], np.round(bias / (scale * steps)).astype(np.int32), scale * steps)
        node.input[1:] = [f"{name}_back" for name in node.input[1:]]

    def _rounded(self, name: str, whole: np.ndarray, steps: np.ndarray) -> None:
        self._constant(f"{name}_whole", whole)
        self._constant(f"{name}_step", steps.astype(np.float32))
        self._constant(f"{name}_zero", np.zeros(len(steps), whole.dtype))
        names = (f"{name}_whole", f"{name}_step", f"{name}_zero")
        self._node("DequantizeLinear", *names, result=f"{name}_back", axis=0)

    def _node(self, operator: str, *inputs: str, result: str, **attributes: Any) -> None:
        self.nodes.append(helper.make_node(operator, list(inputs), [result], **attributes))

    def _constant(self, name: str, values: np.ndarray) -> None:
        self.weights[name] = values


def _store(model: onnx.ModelProto, weights: Mapping[str, np.ndarray]) -> None:
    """Keep those weights that the graph uses."""
    used = {name for node in model.graph.node for name in node.input}
    kept = [numpy_helper.from_array(np.asarray(values), name) for name, values in weights.items() if name in used]
    replace(model.graph.initializer, kept)
    del model.graph.value_info[:]
