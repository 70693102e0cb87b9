"""MediaPipe's face nets from TensorFlow Lite: a dozen operators, NHWC turned into NCHW, any number of pictures at once."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema

from scripts.models.graph import GraphBuilder

_OPERATOR_NAMES = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
_DTYPES = {0: np.float32, 1: np.float16, 2: np.int32, 4: np.int64}
_PADDINGS = {0: "SAME_UPPER", 1: "VALID"}
_NO_ACTIVATION, _RELU, _RELU6 = 0, 1, 3
_TO_NCHW = (0, 3, 1, 2)
_TO_NHWC = (0, 2, 3, 1)


def convert(path: Path) -> onnx.ModelProto:
    """Return the net as ONNX: float32 n x 3 x height x width in, each output flat as in TensorFlow Lite."""
    return _Converter(schema.ModelT.InitFromObj(schema.Model.GetRootAs(path.read_bytes(), 0))).convert()


class _Converter:
    def __init__(self, model: Any) -> None:
        self._model = model
        self._net = model.subgraphs[0]
        self._builder = GraphBuilder()
        self._constants = {
            index: array for index in range(len(self._net.tensors)) if (array := self._stored(index)) is not None
        }
        self._results = {self._net.inputs[0]: "input"}

    def convert(self) -> onnx.ModelProto:
        for operator in self._net.operators:
            self._convert(operator)
        outputs = []
        for index in self._net.outputs:
            tensor, result = self._net.tensors[index], self._results[index]
            if len(tensor.shape) == 4:
                result = self._flat(result)
            name = tensor.name.decode()
            self._builder.name_result(result, name)
            outputs.append((name, ["N", int(np.prod(tensor.shape))]))
        _, height, width, channels = (int(length) for length in self._net.tensors[self._net.inputs[0]].shape)
        return self._builder.model(("input", ["N", channels, height, width]), outputs)

    def _stored(self, index: int) -> np.ndarray | None:
        tensor = self._net.tensors[index]
        data = self._model.buffers[tensor.buffer].data
        if data is None or len(data) == 0:
            return None
        return np.frombuffer(bytes(data), _DTYPES[tensor.type]).reshape(tensor.shape if tensor.shape is not None else ())

    def _convert(self, operator: Any) -> None:
        code = self._model.operatorCodes[operator.opcodeIndex]
        name = _OPERATOR_NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)]
        if name == "DEQUANTIZE":
            self._constants[operator.outputs[0]] = self._constants[operator.inputs[0]].astype(np.float32)
            return
        handler = getattr(self, f"_{name.lower()}", None)
        if handler is None:
            raise SystemExit(f"{name} is an operator that this converter does not know")
        self._results[operator.outputs[0]] = handler(operator.inputs, operator.builtinOptions)

    def _conv_2d(self, inputs: list[int], options: Any) -> str:
        return self._convolution(inputs, options, self._constants[inputs[1]].transpose(0, 3, 1, 2), groups=1)

    def _depthwise_conv_2d(self, inputs: list[int], options: Any) -> str:
        filters = self._constants[inputs[1]].transpose(3, 0, 1, 2)
        return self._convolution(inputs, options, filters, groups=filters.shape[0])

    def _convolution(self, inputs: list[int], options: Any, filters: np.ndarray, groups: int) -> str:
        result = self._builder.add(
            "Conv",
            self._results[inputs[0]],
            self._weight(filters),
            self._weight(self._constants[inputs[2]]),
            strides=[options.strideH, options.strideW],
            kernel_shape=list(filters.shape[2:]),
            group=groups,
            auto_pad=_PADDINGS[options.padding],
        )
        return self._activate(result, options.fusedActivationFunction)

    def _prelu(self, inputs: list[int], _options: Any) -> str:
        slopes = self._constants[inputs[1]].reshape(-1, 1, 1)
        return self._builder.add("PRelu", self._results[inputs[0]], self._weight(slopes))

    def _add(self, inputs: list[int], options: Any) -> str:
        result = self._builder.add("Add", *(self._results[index] for index in inputs))
        return self._activate(result, options.fusedActivationFunction)

    def _max_pool_2d(self, inputs: list[int], options: Any) -> str:
        return self._builder.add(
            "MaxPool",
            self._results[inputs[0]],
            kernel_shape=[options.filterHeight, options.filterWidth],
            strides=[options.strideH, options.strideW],
            auto_pad=_PADDINGS[options.padding],
        )

    def _pad(self, inputs: list[int], _options: Any) -> str:
        pads = self._constants[inputs[1]].reshape(4, 2)[list(_TO_NCHW)].T.ravel()
        return self._builder.add("Pad", self._results[inputs[0]], self._builder.weight(pads.astype(np.int64)))

    def _reshape(self, inputs: list[int], _options: Any) -> str:
        return self._flat(self._results[inputs[0]])

    def _flat(self, result: str) -> str:
        return self._builder.add("Flatten", self._builder.add("Transpose", result, perm=_TO_NHWC))

    def _activate(self, result: str, function: int) -> str:
        if function == _NO_ACTIVATION:
            return result
        if function == _RELU:
            return self._builder.add("Relu", result)
        if function == _RELU6:
            bounds = self._builder.weight(np.float32(0)), self._builder.weight(np.float32(6))
            return self._builder.add("Clip", result, *bounds)
        raise SystemExit(f"{function} is an activation that this converter does not know")

    def _weight(self, array: np.ndarray) -> str:
        return self._builder.weight(array.astype(np.float32))
