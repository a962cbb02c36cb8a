"""Files of ONNX run by ONNX Runtime alone, in a process that has nothing of pgml.

Called as ``python -I bare_runtime.py cases.json answers.json``: the cases are a list of
``{"file": …, "threads": …, "inputs": {name: [values of each row]}}``, the answers a list of
``{"inputs": [[name, type, shape]], "types": {name: type}, "outputs": {name: [values of each row]}}``.  A
number that is missing is NaN.
"""

import json
import sys

import numpy as np
import onnxruntime

DTYPES = {"tensor(double)": np.float64, "tensor(string)": object}


def answer(case):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = case["threads"]
    session = onnxruntime.InferenceSession(case["file"], options)
    described = [[each.name, each.type, each.shape] for each in session.get_inputs()]
    given = {name: np.array(case["inputs"][name], dtype=DTYPES[kind]) for name, kind, _ in described}
    found = session.run(None, given)
    types = {each.name: each.type for each in session.get_outputs()}
    outputs = {name: values.tolist() for name, values in zip(types, found, strict=True)}
    return {"inputs": described, "types": types, "outputs": outputs}


def main():
    with open(sys.argv[1]) as file:
        cases = json.load(file)
    answers = [answer(case) for case in cases]
    strangers = {"pgml", "onnx", "sklearn", "scipy"} & set(sys.modules)
    assert not strangers, strangers
    with open(sys.argv[2], "w") as file:
        json.dump(answers, file)


if __name__ == "__main__":
    main()
