"""The operators of ONNX that have a translation, each in the module of its family.

A translation takes the node, its inputs and what is being gathered, and returns its outputs; an input that
was left out is None.  It is only asked where some input depends on the row: what does not is computed
beforehand.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pgml.sqlgen.nodes import Node
from pgml.sqlgen.operators import (
    activations,
    convolution,
    elementwise,
    normalization,
    products,
    recurrent,
    reductions,
    selection,
    shapes,
    trees,
)
from pgml.sqlgen.tensors import Reading, Value

Translation = Callable[[Node, Sequence[Any], Reading], Sequence[Value]]
OPERATORS: Mapping[str, Translation] = {
    **elementwise.OPERATORS,
    **activations.OPERATORS,
    **products.OPERATORS,
    **convolution.OPERATORS,
    **recurrent.OPERATORS,
    **normalization.OPERATORS,
    **reductions.OPERATORS,
    **shapes.OPERATORS,
    **selection.OPERATORS,
    **trees.OPERATORS,
}
"""By type; the domain is ONNX's own, or its ``ai.onnx.ml`` for trees."""
