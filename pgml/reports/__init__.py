"""A page about a model: a pure function from what is known of it to HTML that needs nothing else.

`page.page` takes plain values and pictures; the database, and whoever else has them, gives these.
"""
