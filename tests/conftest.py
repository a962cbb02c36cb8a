"""Fixtures of all tests; those of servers are in `tests.cluster`, `tests.mariadb` and `tests.sharing`."""

pytest_plugins = ("tests.cluster", "tests.mariadb", "tests.sharing")
