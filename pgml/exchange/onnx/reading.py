"""From an ONNX file to a graph of the contract."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto

from pgml.artifact.graph import OPSETS
from pgml.errors import InvalidValue, NotBuilt, PgmlError, TooLarge
from pgml.exchange.foreign import Foreign
from pgml.exchange.naming import Wanted, check_task
from pgml.exchange.onnx import batches, bounds, folding, metadata, order, standard, trial
from pgml.exchange.onnx.answers import Answer, answer_of
from pgml.exchange.onnx.audit import audited
from pgml.exchange.onnx.endings import RAW, Ending, ended, turn
from pgml.exchange.onnx.inputs import Input, Joined, Way, inputs_of, joined, renamed, ways
from pgml.exchange.onnx.operators import MACHINE_LEARNING
from pgml.exchange.onnx.sizes import sizes_of
from pgml.exchange.onnx.words import printable
from pgml.spec import Output


@dataclass(frozen=True)
class _Source:
    """A file's graph in numbers, before it is given another input and output.

    Attributes
    ----------
    file : ModelProto
        As it was.
    graph : ModelProto
    texts : mapping of str to sequence of str
        What the graph knows of each input of texts.
    inputs : sequence of Input
    answer : Answer
    """

    file: ModelProto
    graph: ModelProto
    texts: Mapping[str, Sequence[str]]
    inputs: Sequence[Input]
    answer: Answer
    classes: Mapping[str, Any] = field(default_factory=dict)


def read(data: bytes, wanted: Wanted) -> Foreign:
    """Return the model of an ONNX file.

    Raises
    ------
    MalformedText
        It is no ONNX file.
    InvalidValue
        It contradicts itself, or what is wanted does not fit it.
    NotBuilt
        It cannot be served; the message says what is in the way.
    TooLarge
        It needs more memory or time than a model may.
    """
    check_task(wanted.task)
    source = _source(data, wanted)
    failure: PgmlError | None = None
    for way in ways(source.inputs):
        try:
            return _foreign(source, way, wanted)
        except TooLarge:
            raise
        except PgmlError as error:
            failure = error
    assert failure is not None
    raise failure


def _source(data: bytes, wanted: Wanted) -> _Source:
    file = audited(data)
    said = metadata.said(file)
    graph = ModelProto()
    graph.CopyFrom(file)
    graph = standard.standardised(graph)
    texts: Mapping[str, Sequence[str]] = {}
    classes: Mapping[str, Sequence[Any]] = {}
    if _needs_lowering(graph):
        # Of the reader's parts this one is only needed by files of classical models.
        from pgml.exchange.onnx.lowering import lowered

        found = lowered(graph)
        graph, texts, classes = found.model, found.texts, found.classes
    answer = answer_of(graph, classes, said, wanted)
    inputs = inputs_of(graph, wanted)
    del graph.graph.output[:]
    graph.graph.output.add(name=answer.tensor)
    order.prune(graph.graph)
    return _Source(file, graph, texts, inputs, answer, classes)


def _needs_lowering(model: ModelProto) -> bool:
    graph = model.graph
    texts = any(each.type.tensor_type.elem_type == TensorProto.STRING for each in graph.input)
    return texts or any(node.domain == MACHINE_LEARNING for node in graph.node)


def _foreign(source: _Source, way: Way, wanted: Wanted) -> Foreign:
    """Return the model with rows given in one way."""
    model = ModelProto()
    model.CopyFrom(source.graph)
    fixed = next((each.dims[0] for each in source.inputs if each.dims and each.dims[0]), None)
    before = None
    if way == "rows" and fixed is not None:
        batches.freed(model)
        before = partial(batches.loosened, model, batch=fixed)
    features = joined(model, source.inputs, source.texts, way)
    tensor = model.graph.output[0].name
    sizes = sizes_of(model, before)
    budget = bounds.checked(model, sizes)
    folding.reshaped(model, sizes)
    folding.folded(model, sizes)
    order.prune(model.graph)
    answer = Answer(**{**vars(source.answer), "tensor": tensor})
    ending = ended(model, answer, sizes.sizes[tensor], way, wanted)
    _complete(model)
    rows, outputs, whole = _run(model, source, features, budget.work, way)
    output = _checked(model, source, rows, outputs, ending)
    required = metadata.required(source.file)
    renamed(model, {output: f"own/{output}", RAW: output})
    return Foreign(
        columns=metadata.typed(source.file, features.columns),
        texts=source.texts,
        graph=_described(model, way),
        dtype=features.dtype,
        task=ending.task,
        output=output,
        labels=ending.labels if output not in ("value", "components") else (),
        label_kind=source.answer.label_kind,
        algorithm="onnx",
        targets=source.answer.targets,
        versions=_versions(source.file),
        rows=1 if way == "one" else budget.rows,
        whole=[*whole, *(at for at, each in enumerate(features.columns) if each.name in (required or ()))],
        expects_missing=required is not None,
        threshold=source.answer.threshold if output == "probabilities" else None,
    )


def _run(
    model: ModelProto, source: _Source, features: Joined, work: int, way: Way
) -> tuple[trial.Rows, trial.Floats, Sequence[int]]:
    """Return rows tried, what the graph answers, and which columns it takes as whole numbers.

    Raises
    ------
    NotBuilt
        Rows depend on each other.
    InvalidValue, TooLarge
    """
    runtime = trial.loaded(model.SerializeToString())
    # Numbers may be made whole inside, to look something up: then not any number will do.
    every = range(len(features.columns))
    for whole in (features.whole, every):
        matrix = trial.matrix_of(replace(features, whole=whole), source.texts, work)
        rows = trial.Rows(source.inputs, source.texts, matrix, way, trial.tolerance_of(source.file))
        try:
            return rows, trial.outputs_of(runtime, rows), whole
        except InvalidValue:
            if whole is every:
                raise
    raise AssertionError


def _checked(
    model: ModelProto, source: _Source, rows: trial.Rows, outputs: trial.Floats, ending: Ending
) -> Output:
    """Return what a graph's outputs are, once they are those of the file's own.

    Raises
    ------
    NotBuilt
        They differ.
    """
    answer = source.answer
    own = trial.asked(source.file, answer.tensor, rows)
    if own is not None and own.shape == outputs.shape:
        own = np.exp(own) if answer.ending == "LogSoftmax" and ending.output != "value" else own
        if not trial.is_alike(np.asarray(own, dtype=np.float64), outputs, rows.tolerance):
            raise NotBuilt(
                "the model answers otherwise once rows are given by themselves",
                hint="Export it with a dynamic first dimension, which counts rows.",
            )
    output = ending.output or ("probabilities" if trial.sums_to_one(outputs) else "scores")
    if output not in ("probabilities", "scores"):
        return output
    if answer.label is not None and answer.own is not None and len(answer.own) == ending.width:
        _check_labels(model, source, rows, outputs, output)
    return output


def _check_labels(
    model: ModelProto, source: _Source, rows: trial.Rows, outputs: trial.Floats, output: Output
) -> None:
    """Turn the scores of two classes around where the file's label is that of the least.

    Raises
    ------
    NotBuilt
        The file's label is not that of the largest number.
    """
    assert source.answer.label is not None
    assert source.answer.own is not None
    labels = trial.asked(source.file, source.answer.label, rows)
    if labels is None or labels.shape[1] != 1:
        return
    agreed = trial.agreeing(outputs, labels, source.answer.own, source.answer.threshold)
    if agreed.all():
        return
    if output == "scores" and outputs.shape[1] == 2 and not agreed.any():
        turn(model)
        return
    raise NotBuilt(
        "the label of the model is not always that of its largest number",
        detail=f"So it is for {int(agreed.sum())} of {len(agreed)} rows tried.",
        hint="Export it with the probabilities that its labels are chosen by.",
    )


def _complete(model: ModelProto) -> None:
    """Name the versions of operators that a graph of the contract has."""
    del model.opset_import[:]
    for domain, version in OPSETS.items():
        model.opset_import.add(domain=domain, version=version)


def _described(model: ModelProto, way: Way) -> ModelProto:
    """Return the graph as it is kept: without what a file says beside."""
    kept = ModelProto(ir_version=model.ir_version, producer_name="pgml")
    kept.opset_import.extend(model.opset_import)
    kept.graph.CopyFrom(model.graph)
    kept.graph.name = "model"
    kept.graph.ClearField("doc_string")
    kept.graph.ClearField("quantization_annotation")
    del kept.graph.value_info[:]
    for at, node in enumerate(kept.graph.node):
        node.name = f"{node.op_type.lower()}_{at}"
        node.ClearField("doc_string")
        node.ClearField("metadata_props")
    if way == "rows":
        kept.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "rows"
    return kept


def _versions(file: ModelProto) -> dict[str, str]:
    name, version = printable(file.producer_name)[:60], printable(file.producer_version)[:60]
    return {name: version} if name else {}
