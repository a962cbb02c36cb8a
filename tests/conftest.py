"""Fixtures of all tests; those that need a server are in `tests.cluster` and `tests.sharing`."""

pytest_plugins = ("tests.cluster", "tests.sharing")
