"""Fixtures of all tests.

Those of servers are in `tests.cluster`, `tests.mariadb` and `tests.sharing`, those of other tools' files in
`tests.frameworks`.
"""

pytest_plugins = ("tests.cluster", "tests.frameworks", "tests.mariadb", "tests.sharing")
