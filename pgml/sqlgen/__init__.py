"""A model as SQL: encoder, graph and decoder as expressions, these as layers, and the layers as text.

The way of a model: `features` and `graphs` (with `operators`) make `expressions` of its encoder and
graph, `outputs` of its decoder; `layers` decides which become columns; `rendering` and `statement` write
them in one of the `dialects`.  Nothing here touches a database.
"""
