"""What an ONNX file may take of memory and time, told before it runs."""

from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto

from pgml.errors import PgmlError
from pgml.exchange.naming import Wanted
from pgml.exchange.onnx import bounds, trial
from pgml.exchange.onnx.lines import ROWS
from pgml.exchange.onnx.reading import read
from pgml.inference import Runtime
from tests.unit.onnx_files import FLOAT, INT64, linear, model, node, value, weights
from tests.unit.onnx_served import close, packed, predicted

X, Y = value("x", FLOAT, "rows", 4), value("y", FLOAT, "rows", 4)
ROWS_OF_X = [node("Shape", ["x"], ["shape"], end=1)]


def made(
    nodes: list[Any], inputs: list[Any] | None = None, outputs: list[Any] | None = None, **held: Any
) -> ModelProto:
    return model(nodes, [X] if inputs is None else inputs, outputs or [Y], **held)


def integers(*values: int) -> Any:
    return np.array(values, dtype=np.int64)


def filled(*nodes: Any, **held: Any) -> ModelProto:
    """Return a model that adds the largest number of a tensor ``big`` to each of a row."""
    last = [node("ReduceMax", ["big"], ["m"], keepdims=0), node("Add", ["x", "m"], ["y"])]
    return made([*nodes, *last], **held)


HUGE = {
    "a filled tensor": filled(node("ConstantOfShape", ["s"], ["big"]), s=integers(10**6, 10**5)),
    "an expanded one": filled(
        node("Slice", ["x", "zero", "one", "one"], ["part"]),
        node("Expand", ["part", "s"], ["big"]),
        zero=integers(0),
        one=integers(1),
        s=integers(10**6, 10**4, 1, 4),
    ),
    "a tiled one": filled(node("Tile", ["x", "s"], ["big"]), s=integers(1, 10**9)),
    "a padded one": filled(node("Pad", ["x", "s"], ["big"]), s=integers(0, 0, 0, 10**10)),
    "a range": filled(
        node("Range", ["a", "b", "c"], ["big"]), a=np.float32(0), b=np.float32(1e9), c=np.float32(1)
    ),
    "a product": filled(
        node("MatMul", ["c", "c"], ["g"]),
        node("ConstantOfShape", ["s"], ["c"]),
        node("Identity", ["g"], ["big"]),
        s=integers(100_000, 100_000),
    ),
    "a picture blown up": filled(
        node("Reshape", ["x", "s"], ["p"]),
        node("Resize", ["p", "", "f"], ["big"], mode="nearest"),
        s=integers(-1, 1, 2, 2),
        f=np.array([1, 1, 1e5, 1e5], dtype=np.float32),
    ),
    "a one and a zero for each of very many": filled(
        node("Cast", ["x"], ["i"], to=INT64),
        node("OneHot", ["i", "depth", "v"], ["big"]),
        depth=integers(10**10),
        v=np.array([0, 1], dtype=np.float32),
    ),
    "a sum over many letters": filled(
        node("ConstantOfShape", ["s"], ["c"]),
        node("Einsum", ["c", "c", "c"], ["e"], equation="a,b,c->"),
        node("Identity", ["e"], ["big"]),
        s=integers(10_000),
    ),
    "states of a recurrent layer": made(
        [
            node("Reshape", ["x", "s"], ["t"]),
            node("ConstantOfShape", ["sw"], ["w"]),
            node("ConstantOfShape", ["sr"], ["r"]),
            node("Tile", ["t", "times"], ["long"]),
            node("LSTM", ["long", "w", "r"], ["", "h"], hidden_size=1000),
            node("ReduceMax", ["h"], ["m"], keepdims=0),
            node("Add", ["x", "m"], ["y"]),
        ],
        s=integers(1, -1, 4),
        sw=integers(1, 4000, 4),
        sr=integers(1, 4000, 1000),
        times=integers(1_000_000, 1, 1),
    ),
    "work": filled(
        node("ConstantOfShape", ["s"], ["c"]),
        node("MatMul", ["c", "c"], ["big"]),
        s=integers(4000, 4000),
    ),
    "a window as large as the picture": filled(
        node("ConstantOfShape", ["s"], ["c"]),
        node("MaxPool", ["c"], ["big"], kernel_shape=[2001, 2001], pads=[1000] * 4),
        s=integers(1, 1, 2001, 2001),
    ),
}


@pytest.mark.parametrize("case", HUGE)
def test_a_small_file_cannot_take_much(case: str) -> None:
    data = HUGE[case].SerializeToString()
    assert len(data) < 2000
    with pytest.raises(PgmlError) as caught:
        read(data, Wanted())
    assert caught.value.sqlstate == "54000"
    assert "for one row" in caught.value.message


def counted(*nodes: Any, **held: Any) -> ModelProto:
    """Return a model that makes a tensor of a shape ``s`` that it computes from ``rows``."""
    return made(
        [
            *ROWS_OF_X,
            *nodes,
            node("ConstantOfShape", ["s"], ["big"]),
            node("ReduceMax", ["big"], ["m"], keepdims=0),
            node("Add", ["x", "m"], ["y"]),
        ],
        **held,
    )


UNKNOWN = {
    "a shape out of the features": made(
        [
            node("ReduceMax", ["x"], ["m"], keepdims=0),
            node("Cast", ["m"], ["i"], to=INT64),
            node("Range", ["zero", "i", "one"], ["r"]),
            node("ReduceMax", ["r"], ["top"], keepdims=0),
            node("Cast", ["top"], ["f"], to=FLOAT),
            node("Add", ["x", "f"], ["y"]),
        ],
        zero=np.int64(0),
        one=np.int64(1),
    ),
    "a number of the largest": made(
        [
            node("Cast", ["x"], ["i"], to=INT64),
            node("ReduceMax", ["i"], ["k"]),
            node("Reshape", ["k", "s"], ["k1"]),
            node("TopK", ["x", "k1"], ["y", "at"]),
        ],
        s=integers(1),
    ),
    "a product of the rows with themselves": counted(node("Mul", ["shape", "shape"], ["s"])),
    "a curve that is a line where it is looked at": counted(
        node("Sub", ["shape", "seven"], ["one"]),
        node("Sub", ["shape", "eleven"], ["other"]),
        node("Mul", ["one", "other"], ["curve"]),
        node("Mul", ["curve", "much"], ["high"]),
        node("Add", ["high", "shape"], ["s"]),
        seven=integers(ROWS[0]),
        eleven=integers(ROWS[1]),
        much=integers(10**9),
    ),
    "a size for one number of rows": counted(
        node("Equal", ["shape", "seventeen"], ["is"]),
        node("Where", ["is", "much", "shape"], ["s"]),
        seventeen=integers(17),
        much=integers(10**12),
    ),
    "a size that comes back to a line": counted(
        node("Mod", ["shape", "seventeen"], ["rest"]),
        node("Mul", ["rest", "much"], ["s"]),
        seventeen=integers(17),
        much=integers(10**12),
    ),
    "a square of the rows": made(
        [
            node("Transpose", ["x"], ["t"], perm=[1, 0]),
            node("MatMul", ["x", "t"], ["square"]),
            node("ReduceMax", ["square", "axes"], ["m"]),
            node("Add", ["x", "m"], ["y"]),
        ],
        axes=integers(1),
    ),
    "rows and one more": made(
        [
            node("Concat", ["x", "more"], ["big"], axis=0),
            node("ReduceMax", ["big"], ["m"]),
            node("Add", ["x", "m"], ["y"]),
        ],
        more=weights(1, 4),
    ),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_sizes_are_known_but_for_the_rows(case: str) -> None:
    with pytest.raises(PgmlError, match=r"only known when it runs|does not grow as the rows do") as caught:
        read(UNKNOWN[case].SerializeToString(), Wanted())
    assert caught.value.sqlstate == "0A000"


def test_sizes_that_are_multiples_of_the_rows_are_known() -> None:
    twice = counted(node("Mul", ["shape", "two"], ["s"]), two=integers(2))
    matrix = np.ones((3, 4), dtype=np.float32)
    assert close(predicted(packed(read(twice.SerializeToString(), Wanted())), matrix), matrix)


OTHERS = {
    "rows made alike": made([node("Softmax", ["x"], ["y"], axis=0)]),
    "rows less their mean": made(
        [node("ReduceMean", ["x", "axes"], ["m"]), node("Sub", ["x", "m"], ["y"])], axes=integers(0)
    ),
    "rows added up one after another": made([node("CumSum", ["x", "axis"], ["y"])], axis=np.int64(0)),
}


@pytest.mark.parametrize("case", OTHERS)
def test_a_row_is_answered_by_itself(case: str) -> None:
    with pytest.raises(PgmlError, match="depends on the other rows") as caught:
        read(OTHERS[case].SerializeToString(), Wanted())
    assert caught.value.sqlstate == "0A000"


REFUSED: dict[str, tuple[ModelProto, str, str]] = {
    "an operator of doubtful work": (
        made([node("Reshape", ["x", "s"], ["p"]), node("Det", ["p"], ["y"])], s=integers(-1, 2, 2)),
        "0A000",
        "operator Det cannot be imported",
    ),
    "dimensions that are not said": (
        made([node("Relu", ["x"], ["y"])], [value("x", FLOAT, "rows", "length")]),
        "0A000",
        'input "x" may have any size in dimension 2',
    ),
    "other rows for each input": (
        made([node("Concat", ["x", "z"], ["y"], axis=1)], [value("x", FLOAT, 2, 2), value("z", FLOAT, 3, 2)]),
        "0A000",
        "different numbers of rows",
    ),
    "no input": (
        made([node("Abs", ["c"], ["y"])], [], [value("y", FLOAT, 1, 4)], c=weights(1, 4)),
        "22023",
        "no input",
    ),
    "an input that is no tensor": (
        made([node("Relu", ["x"], ["y"])], [value("x", TensorProto.COMPLEX64, "rows", 4)]),
        "0A000",
        "no tensor of numbers",
    ),
    "an answer without rows": (
        made([node("ReduceMax", ["x"], ["y"])], None, [value("y", FLOAT, 1, 1)]),
        "0A000",
        "not a row for each row",
    ),
    "operands that do not fit": (
        made([node("MatMul", ["x", "w"], ["y"])], w=weights(3, 4)),
        "22023",
        "operator MatMul does not fit its operands",
    ),
    "training": (
        made([node("Dropout", ["x", "", "yes"], ["y"])], yes=np.bool_(1)),
        "0A000",
        "operator Dropout works as it does in training",
    ),
    "a batch normalised by itself": (
        made(
            [node("BatchNormalization", ["x", "s", "s", "s", "s"], ["y", "m", "v"], training_mode=1)],
            s=np.ones(4, dtype=np.float32),
        ),
        "0A000",
        "operator BatchNormalization works as it does in training",
    ),
    "doubles where there are no doubles": (
        made(
            [node("Reshape", ["x", "s"], ["p"]), node("Conv", ["p", "k"], ["y"])],
            [value("x", TensorProto.DOUBLE, "rows", 4)],
            [value("y", TensorProto.DOUBLE, "rows", 1, 1, 1)],
            s=integers(-1, 1, 2, 2),
            k=np.ones((1, 1, 2, 2)),
        ),
        "0A000",
        "ONNX Runtime does not load the model",
    ),
    "more features than a row can have": (
        made([node("Flatten", ["x"], ["y"])], [value("x", FLOAT, "rows", 3, 1000, 1000)]),
        "54000",
        "takes 3000000 numbers",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_model_is_refused_for(case: str) -> None:
    found, sqlstate, words = REFUSED[case]
    with pytest.raises(PgmlError) as caught:
        read(found.SerializeToString(), Wanted())
    assert words in caught.value.message
    assert caught.value.sqlstate == sqlstate
    assert caught.value.hint.endswith(".")


def test_names_of_features_tell_a_width() -> None:
    found = made([node("MatMul", ["x", "w"], ["y"])], [value("x", FLOAT, "rows", "width")], w=weights(4, 4))
    foreign = read(found.SerializeToString(), Wanted(features=["a", "b", "c", "d"]))
    assert foreign.columns[0].width == 4


def test_rows_at_a_time_stay_within_a_batch() -> None:
    nodes = [
        node("MatMul", ["x", "w"], ["wide"]),
        node("ReduceMax", ["wide", "axes"], ["m"]),
        node("Add", ["x", "m"], ["y"]),
    ]
    found = made(nodes, w=weights(4, 100_000), axes=integers(1))
    rows = read(found.SerializeToString(), Wanted()).rows
    assert rows is not None
    assert rows * 400_000 <= bounds.BATCH_BYTES < (rows + 1) * 410_000


def chain(length: int) -> ModelProto:
    """Return a model of products that take a million multiplications each, for a row of a thousand."""
    nodes = [node("MatMul", [f"{at}", "w"], [f"{at + 1}"]) for at in range(length)]
    ends = [value("0", FLOAT, "rows", 1000)], [value("y", FLOAT, "rows", 1)]
    return made(
        [*nodes, node("ReduceMax", [f"{length}", "axes"], ["y"])],
        *ends,
        w=weights(1000, 1000),
        axes=integers(1),
    )


def test_rows_at_a_time_stay_within_what_cannot_be_interrupted() -> None:
    rows = read(chain(3).SerializeToString(), Wanted()).rows
    assert rows is not None
    assert rows * 3_000_000 <= bounds.BATCH_WORK < (rows + 2) * 3_002_000


def test_a_model_that_takes_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "MOST_SECONDS", 0.002)
    monkeypatch.setattr(trial, "loaded", Runtime)
    with pytest.raises(PgmlError, match="takes longer than"):
        read(chain(500).SerializeToString(), Wanted())


def test_a_small_model_takes_any_number_of_rows() -> None:
    assert read(linear().SerializeToString(), Wanted()).rows is None
