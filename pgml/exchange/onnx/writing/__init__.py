"""A whole model as one ONNX file: raw columns in, what pgml answers out.

`model` puts it together: typed inputs, the encoder (`features`, `numbers`, `categories`), the stored graph
as it is, and what its outputs stand for (`answers`).  ONNX Runtime needs nothing of pgml to run it.
"""

from pgml.exchange.onnx.writing.model import onnx_of

__all__ = ["onnx_of"]
