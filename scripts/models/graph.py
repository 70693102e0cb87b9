"""What every conversion needs of ONNX: a graph that is built node by node."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 13
IR_VERSION = 8


class GraphBuilder:
    """Collects nodes and weights; names are made up as they come, results t1, t2 …, weights after `weight_prefix`."""

    def __init__(self, weight_prefix: str = "w") -> None:
        self._weight_prefix = weight_prefix
        self._count = 0
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def name(self, prefix: str = "t") -> str:
        """Return a name that is not taken."""
        self._count += 1
        return f"{prefix}{self._count}"

    def weight(self, array: Any) -> str:
        """Add a constant and return its name."""
        name = self.name(self._weight_prefix)
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node of one result and return the result's name."""
        result = self.name()
        self.nodes.append(helper.make_node(operator, list(inputs), [result], **attributes))
        return result

    def name_result(self, result: str, name: str) -> None:
        """Give one of the graph's results the name it has outside."""
        self.nodes.append(helper.make_node("Identity", [result], [name]))

    def model(self, source: tuple[str, list[Any]], outputs: list[tuple[str, list[Any]]]) -> onnx.ModelProto:
        """Return the checked model: its input and outputs are given as (name, shape), float32.

        Nodes whose results nobody reads are left out: onnxruntime would run them all the same.
        """
        nodes = self._needed_for({name for name, _ in outputs})
        used = {name for node in nodes for name in node.input}
        graph = helper.make_graph(
            nodes,
            "g",
            [helper.make_tensor_value_info(source[0], TensorProto.FLOAT, source[1])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs],
            [weight for weight in self.weights if weight.name in used],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model)
        return model

    def _needed_for(self, results: set[str]) -> list[onnx.NodeProto]:
        needed = []
        for node in reversed(self.nodes):
            if results & set(node.output):
                needed.append(node)
                results = results | set(node.input)
        return needed[::-1]


def weights_of(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """Return a model's weights by name."""
    return {weight.name: numpy_helper.to_array(weight) for weight in model.graph.initializer}


def replace(items: Any, new: list[Any]) -> None:
    """Put `new` in place of all items of a repeated field."""
    del items[:]
    items.extend(new)


def load(path: Path) -> onnx.ModelProto:
    """Read a model that a package ships as ONNX."""
    return onnx.load(str(path))
