"""Fixtures of all tests; those that need a server are in `tests.cluster`."""

pytest_plugins = ("tests.cluster",)
