"""Operators of ``ai.onnx.ml``, and texts, in the terms of `pgml.artifact.graph`.

ONNX Runtime is the measure: what it computes, in float32 where it does, is what the graph computes that
comes out.  It is made of standard operators and TreeEnsemble.  Texts become codes: an input of texts is
one of numbers, as `pgml.preprocessing.categories.CodeEncoding` gives them, and what looks texts up picks
from a table.
"""

from pgml.exchange.onnx.lowering.passage import Lowered, lowered, needed
from pgml.exchange.onnx.lowering.scans import unrolled

__all__ = ["Lowered", "lowered", "needed", "unrolled"]
