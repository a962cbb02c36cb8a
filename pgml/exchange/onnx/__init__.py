"""ONNX files of other tools in, and graphs of the contract out of them.

`audit` refuses what no graph may hold before anything is made of it, `standard` brings operators to the
versions of the contract, `bounds` finds the size of every tensor, `inputs` and `outputs` turn several of
either into one, and `trial` runs what came of it.  `reading` is the way through them.
"""
