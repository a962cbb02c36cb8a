"""Reading damaged ONNX files: run as a program, as what reads them may crash.

Called with a seed and a number; prints how the files ended, and raises what is no PgmlError.
"""

import random
import resource
import sys
from collections import Counter
from pathlib import Path

from onnx import ModelProto, NodeProto, TensorProto

from pgml.errors import PgmlError
from pgml.exchange.naming import Wanted
from pgml.exchange.onnx.operators import ALLOWED
from pgml.exchange.onnx.reading import read
from tests.unit.test_exchange_onnx_networks import NETWORKS, embedded

MEMORY = 4 << 30
NUMBERS = (0, 1, -1, 2, 3, 7, 1 << 20, 1 << 40, 1 << 62, -(1 << 63))
TYPES = (0, 1, 2, 6, 7, 8, 9, 10, 11, 16, 17, 99)
VERSIONS = (1, 7, 9, 11, 13, 15, 18, 20, 22, 24, 26, 28)


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Return a file with a few bytes changed, lost or put in."""
    found = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at, kind = chance.randrange(len(found)), chance.random()
        if kind < 0.6:
            found[at] = chance.randrange(256)
        elif kind < 0.8:
            del found[at : at + chance.randint(1, 8)]
        else:
            found[at:at] = chance.randbytes(chance.randint(1, 8))
    return bytes(found)


def twisted(data: bytes, chance: random.Random) -> bytes:
    """Return a file of which a few parts say something else."""
    model = ModelProto.FromString(data)
    for _ in range(chance.randint(1, 3)):
        _twist(model, chance)
    return bytes(model.SerializeToString())


def _twist(model: ModelProto, chance: random.Random) -> None:
    graph = model.graph
    node, tensor = chance.choice(graph.node), chance.choice(graph.initializer)
    names = [name for each in graph.node for name in (*each.input, *each.output)]
    match chance.randrange(8):
        case 0:
            node.op_type = chance.choice(sorted(ALLOWED))
        case 1:
            node.input.append(chance.choice(names))
        case 2 if node.input:
            node.input[chance.randrange(len(node.input))] = chance.choice(names)
        case 3 if tensor.dims:
            tensor.dims[chance.randrange(len(tensor.dims))] = chance.choice(NUMBERS)
        case 4:
            _twist_values(node, tensor, chance)
        case 5:
            end = chance.choice([*graph.input, *graph.output]).type.tensor_type
            end.elem_type = chance.choice(TYPES)
            if end.shape.dim:
                chance.choice(end.shape.dim).dim_value = chance.choice(NUMBERS)
        case 6:
            model.opset_import[0].version = chance.choice(VERSIONS)
        case 7:
            graph.output.add(name=chance.choice(names)).type.tensor_type.elem_type = chance.choice(TYPES)


def _twist_values(node: NodeProto, tensor: TensorProto, chance: random.Random) -> None:
    """Change an attribute, or a number of a shape."""
    if tensor.data_type == TensorProto.INT64 and tensor.raw_data:
        at = chance.randrange(len(tensor.raw_data) // 8) * 8
        number = chance.choice(NUMBERS).to_bytes(8, "little", signed=True)
        tensor.raw_data = tensor.raw_data[:at] + number + tensor.raw_data[at + 8 :]
    for attribute in node.attribute:
        attribute.i = chance.choice(NUMBERS)
        for at in range(len(attribute.ints)):
            attribute.ints[at] = chance.choice((attribute.ints[at], *NUMBERS))


def main(seed: int, count: int, last: Path) -> None:
    """Read so many files; `last` holds the one that is being read."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    chance = random.Random(seed)
    files = [made.SerializeToString() for made, _ in NETWORKS.values()] + [embedded().SerializeToString()]
    ends: Counter[str] = Counter()
    for at in range(count):
        data = (twisted if at % 2 else damaged)(chance.choice(files), chance)
        last.write_bytes(data)
        try:
            read(data, Wanted())
            ends["read"] += 1
        except PgmlError as error:
            ends[error.sqlstate] += 1
            if not error.message.isprintable() or not error.hint.endswith("."):
                raise ValueError(error.message) from error
    sys.stdout.write(repr(dict(ends)))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
