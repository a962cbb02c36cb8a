"""Whether a statement answers as its model does: rows that try it, and where both differ."""
