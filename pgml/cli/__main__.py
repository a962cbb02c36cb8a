"""``python -m pgml.cli``."""

from pgml.cli import run

if __name__ == "__main__":
    run()
