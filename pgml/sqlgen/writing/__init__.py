"""Expressions, trees, subqueries and layers as text."""
