"""A model as SQL: encoder, graph and decoder as expressions, these as layers, and the layers as text.

The way of a model: `features` and `graphs` (with `operators`, over `tensors` and `tables` of constants) make
`expressions` of its encoder and graph, by `arithmetic` that knows their `ranges`; `outputs` does so of its
decoder.  `layers` decides which become columns, after `votes` and `gathering` have spared what would be
computed twice; `writing` gives their text in one of the `dialects`.  `compiler` is all of that; `function`,
`view` and `recordset` are what else than a statement a model is made; `proof` tries it on rows.  Nothing
here touches a database.
"""
