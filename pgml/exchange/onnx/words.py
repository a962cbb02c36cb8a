"""Names and messages out of a file, as an error can show them."""

from onnx import checker, shape_inference, version_converter

FAILURES = (
    checker.ValidationError,
    shape_inference.InferenceError,
    version_converter.ConvertError,
    ArithmeticError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What ONNX's own functions raise of a graph that does not fit together."""


def short(name: str) -> str:
    """Return a name of the file without control characters, shortened."""
    shown = printable(name)
    return shown if len(shown) <= 60 else shown[:57] + "..."


def printable(text: str) -> str:
    """Return a text with a question mark for each character that cannot be printed."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def sentence(error: Exception) -> str:
    """Return the first line of a library's message as a detail."""
    first = str(error).strip().split("\n")[0]
    return printable(first)[:300].rstrip(" .:") + "."
