"""Machine learning inside PostgreSQL, with nothing but SQL.

The package imports without PostgreSQL.  Its floors, each of which imports only
from those below it, are drawn in ARCHITECTURE.md.
"""
