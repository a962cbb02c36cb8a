"""A model and its bytes: the layout, the graph's contract and what builds graphs."""
