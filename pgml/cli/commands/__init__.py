"""One module a command; each has `main`, and is imported when it is asked for."""
