"""Pictures of models as SVG: pure functions from plain data to text, without a drawing library.

Each kind has a module; `svg` writes elements, `letters` knows how wide texts are, `numbers` finds ticks, and
`frame` puts title, legend and axes around what a kind draws.
"""
