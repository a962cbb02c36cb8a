"""Fixtures of all tests; those that need a server are in `tests.cluster`, `tests.mariadb` and `tests.sharing`."""

pytest_plugins = ("tests.cluster", "tests.mariadb", "tests.sharing")
