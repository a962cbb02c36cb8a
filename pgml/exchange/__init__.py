"""Models of other tools in, and ours out.

Each reader takes a file's bytes apart without running anything in them and returns a `foreign.Foreign`;
`assembly` makes a model of pgml of that.  All of it runs in the child process: a file is hostile until it
has been read, built anew, loaded and tried there.
"""
