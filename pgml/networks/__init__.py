"""Feed-forward networks in plain numpy, whose weights are one vector each, many of them at a time."""
