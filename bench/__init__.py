"""pgml side by side with what a user would do instead; see `bench.__main__`."""
