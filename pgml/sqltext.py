"""Names and texts as they are written into SQL."""


def identifier(name: str) -> str:
    """Return a name as an SQL identifier, always quoted."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as an SQL literal, which says the same whatever standard_conforming_strings is."""
    escaped = text.replace("'", "''")
    if "\\" not in escaped:
        return f"'{escaped}'"
    return "E'" + escaped.replace("\\", "\\\\") + "'"
