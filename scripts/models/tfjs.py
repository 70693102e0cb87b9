"""A TensorFlow.js graph model to ONNX: what NanoDet needs; layers in NHWC, transposes that undo each other left out.

Biases and paddings become part of their convolutions: left outside, they and the transposes around them cost a quarter
of the time, and twice the memory.
"""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from scripts.models.graph import GraphBuilder

_TO_NCHW = (0, 3, 1, 2)
_TO_NHWC = (0, 2, 3, 1)
_TO_OIHW = (3, 2, 0, 1)
_UPRIGHT = [0, 1, 2, 3]
_FOLDED = {"Add": np.add, "AddV2": np.add, "Mul": np.multiply, "Sub": np.subtract}

Value = Any
"""A known array, the name of a result, or a tuple of names."""


def convert(folder: Path, name: str, source_shape: list[int]) -> onnx.ModelProto:
    """Return the graph `name`.json with its weights as ONNX: float32 NCHW in, outputs named as in its signature."""
    return _Converter(json.loads((folder / f"{name}.json").read_text()), folder, source_shape).convert()


class _Converter:
    def __init__(self, model: Mapping[str, Any], folder: Path, source_shape: list[int]) -> None:
        self._outputs = model["signature"]["outputs"]
        self._nodes = {node["name"]: node for node in model["modelTopology"]["node"]}
        self._weights = _read_weights(model["weightsManifest"][0], folder)
        self._source_shape = source_shape
        self._builder = GraphBuilder(weight_prefix="t")
        self._values: dict[str, Value] = {}
        self._transposed: dict[str, tuple[str, tuple[int, ...]]] = {}
        self._padded: dict[str, tuple[str, list[int]]] = {}

    def convert(self) -> onnx.ModelProto:
        results = [self._value(output["name"]) for output in self._outputs.values()]
        outputs = []
        for result, (key, output) in zip(results, self._outputs.items(), strict=True):
            name = f"out_{key.split(':')[0]}"
            self._builder.name_result(result, name)
            outputs.append((name, [int(length["size"]) for length in output["tensorShape"]["dim"]]))
        return self._builder.model(("input", self._source_shape), outputs)

    def _value(self, reference: str) -> Value:
        name, _, index = reference.partition(":")
        if name not in self._values:
            self._values[name] = self._convert(self._nodes[name])
        value = self._values[name]
        return value[int(index or 0)] if isinstance(value, tuple) else value

    def _convert(self, node: Mapping[str, Any]) -> Value:
        operator = node["op"]
        if operator == "Const":
            return self._weights[node["name"]]
        inputs = [self._value(reference) for reference in node.get("input", [])]
        if operator in _FOLDED:
            return self._arithmetic(operator, inputs)
        handler = getattr(self, f"_{operator.lower()}", None)
        if handler is None:
            raise SystemExit(f"{operator} is an operator that this converter does not know")
        return handler(inputs, _Attributes(node))

    def _placeholder(self, _inputs: list[Value], _attributes: "_Attributes") -> Value:
        return "input"

    def _identity(self, inputs: list[Value], _attributes: "_Attributes") -> Value:
        return inputs[0]

    def _arithmetic(self, operator: str, inputs: list[Value]) -> Value:
        if not any(isinstance(value, str) for value in inputs):
            return _FOLDED[operator](*inputs)
        if operator in ("Add", "AddV2") and self._add_bias(*inputs):
            return inputs[0]
        return self._builder.add({"AddV2": "Add"}.get(operator, operator), *(self._named(value) for value in inputs))

    def _add_bias(self, result: Value, bias: Value) -> bool:
        """Make a constant for each channel the bias of the convolution whose result, turned to NHWC, it is added to."""
        if isinstance(bias, str) or result not in self._transposed or self._transposed[result][1] != _TO_NHWC:
            return False
        (maker,) = (node for node in self._builder.nodes if self._transposed[result][0] in node.output)
        if maker.op_type != "Conv" or len(maker.input) > len(("source", "filters")):
            return False
        maker.input.append(self._builder.weight(np.asarray(bias, np.float32).ravel()))
        return True

    def _sparsetodense(self, inputs: list[Value], _attributes: "_Attributes") -> Value:
        places, shape, values, rest = inputs
        dense = np.full(tuple(np.atleast_1d(shape)), rest)
        places = places[:, None] if places.ndim == 1 else places
        dense[tuple(places.T)] = values
        return dense

    def _transpose(self, inputs: list[Value], _attributes: "_Attributes") -> Value:
        value, order = inputs
        return self._turn(value, tuple(int(axis) for axis in order)) if isinstance(value, str) else value.transpose(order)

    def _conv2d(self, inputs: list[Value], attributes: "_Attributes") -> Value:
        source, padding = self._unpadded(self._turn(inputs[0], _TO_NCHW))
        filters = inputs[1].transpose(_TO_OIHW).astype(np.float32)
        result = self._builder.add(
            "Conv",
            source,
            self._builder.weight(filters),
            kernel_shape=list(filters.shape[2:]),
            strides=attributes.integers("strides")[1:3],
            **(padding or attributes.padding()),
        )
        return self._turn(result, _TO_NHWC)

    def _maxpool(self, inputs: list[Value], attributes: "_Attributes") -> Value:
        source, padding = self._unpadded(self._turn(inputs[0], _TO_NCHW))
        result = self._builder.add(
            "MaxPool",
            source,
            kernel_shape=attributes.integers("ksize")[1:3],
            strides=attributes.integers("strides")[1:3],
            **(padding or attributes.padding()),
        )
        return self._turn(result, _TO_NHWC)

    def _pad(self, inputs: list[Value], _attributes: "_Attributes") -> Value:
        source = self._named(inputs[0])
        pads = np.asarray(inputs[1]).reshape(-1, 2).T.ravel().astype(np.int64)
        weights = [self._builder.weight(value) for value in (pads, *(np.float32(fill) for fill in inputs[2:]))]
        result = self._builder.add("Pad", source, *weights)
        self._padded[result] = (source, [*pads[2:4].tolist(), *pads[6:8].tolist()])
        return result

    _padv2 = _pad

    def _unpadded(self, source: str) -> tuple[str, dict[str, list[int]]]:
        """Return what a layer reads before its padding, and the padding as the layer's own: it fills with the same."""
        if source not in self._padded:
            return source, {}
        before, pads = self._padded[source]
        return before, {"pads": pads}

    def _leakyrelu(self, inputs: list[Value], attributes: "_Attributes") -> Value:
        return self._builder.add("LeakyRelu", inputs[0], alpha=attributes.number("alpha", 0.2))

    def _sigmoid(self, inputs: list[Value], _attributes: "_Attributes") -> Value:
        return self._builder.add("Sigmoid", inputs[0])

    def _resizebilinear(self, inputs: list[Value], attributes: "_Attributes") -> Value:
        source = self._turn(inputs[0], _TO_NCHW)
        factor = int(inputs[1][0]) / self._height_of(source)
        mode = "half_pixel" if attributes.flag("half_pixel_centers") else "asymmetric"
        mode = "align_corners" if attributes.flag("align_corners") else mode
        scales = self._builder.weight(np.array([1, 1, factor, factor], np.float32))
        result = self._builder.add("Resize", source, "", scales, mode="linear", coordinate_transformation_mode=mode)
        return self._turn(result, _TO_NHWC)

    def _reshape(self, inputs: list[Value], _attributes: "_Attributes") -> Value:
        source = self._named(inputs[0])
        return self._builder.add("Reshape", source, self._builder.weight(np.asarray(inputs[1]).astype(np.int64)))

    def _concatv2(self, inputs: list[Value], _attributes: "_Attributes") -> Value:
        *parts, axis = inputs
        if not any(isinstance(part, str) for part in parts):
            return np.concatenate([np.atleast_1d(part) for part in parts], int(axis))
        return self._builder.add("Concat", *(self._named(part) for part in parts), axis=int(axis))

    def _splitv(self, inputs: list[Value], _attributes: "_Attributes") -> Value:
        source, sizes, axis = inputs
        results = [self._builder.name() for _ in sizes]
        lengths = self._builder.weight(np.asarray(sizes).astype(np.int64))
        self._builder.nodes.append(onnx.helper.make_node("Split", [source, lengths], results, axis=int(axis)))
        return tuple(results)

    def _named(self, value: Value) -> str:
        return value if isinstance(value, str) else self._builder.weight(value)

    def _turn(self, source: str, order: tuple[int, ...]) -> str:
        """Transpose; a transpose that undoes the one before is the result before both."""
        if source in self._transposed:
            before, first = self._transposed[source]
            if [first[axis] for axis in order] == _UPRIGHT:
                return before
        result = self._builder.add("Transpose", source, perm=order)
        self._transposed[result] = (source, order)
        return result

    def _height_of(self, result: str) -> int:
        """Return the height of an NCHW result, by ONNX's own shape inference over what is built so far."""
        so_far = self._builder.model(("input", self._source_shape), [(result, [None] * 4)])
        inferred = onnx.shape_inference.infer_shapes(so_far, strict_mode=True).graph.output[0]
        return int(inferred.type.tensor_type.shape.dim[2].dim_value)


class _Attributes:
    """A node's attributes, as TensorFlow.js writes them."""

    def __init__(self, node: Mapping[str, Any]) -> None:
        self._values: Mapping[str, Any] = node.get("attr", {})

    def integers(self, name: str) -> list[int]:
        return [int(value) for value in self._values[name]["list"]["i"]]

    def number(self, name: str, default: float) -> float:
        return float(self._values[name]["f"]) if name in self._values else default

    def flag(self, name: str) -> bool:
        return bool(self._values.get(name, {}).get("b", False))

    def padding(self) -> dict[str, str]:
        same = base64.b64decode(self._values["padding"]["s"]) == b"SAME"
        return {"auto_pad": "SAME_UPPER"} if same else {}


def _read_weights(manifest: Mapping[str, Any], folder: Path) -> dict[str, np.ndarray]:
    data = b"".join((folder / part).read_bytes() for part in manifest["paths"])
    weights, offset = {}, 0
    for entry in manifest["weights"]:
        dtype = np.dtype(entry.get("quantization", entry)["dtype"])
        count = int(np.prod(entry["shape"])) if entry["shape"] else 1
        values = np.frombuffer(data, dtype, count, offset).reshape(entry["shape"])
        weights[entry["name"]] = values.astype(np.int32 if dtype == np.int32 else np.float32)
        offset += count * dtype.itemsize
    return weights
