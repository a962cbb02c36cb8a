"""Fixtures of all tests.

Those of servers are in `tests.cluster`, `tests.costs`, `tests.mariadb` and `tests.sharing`, those of other
tools' files in `tests.frameworks`.
"""

pytest_plugins = ("tests.cluster", "tests.costs", "tests.frameworks", "tests.mariadb", "tests.sharing")
