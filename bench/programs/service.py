"""A prediction service as one writes it instead of pgml; argument: the path of its Unix socket.

JSON in, JSON out. The model is an ONNX graph in the file that ``MODEL`` names, for features less
``CENTER``; it is loaded once, and predicts a row faster than XGBoost's own inplace_predict. Requests
are handled on the event loop, as they take microseconds. There are two ways in: ``/predict`` parses the body
by hand, with orjson; ``/typed`` declares what it takes and gives, as FastAPI's own pages do.
"""

import os
import sys
from typing import Annotated

import numpy as np
import onnxruntime
import orjson
import uvicorn
from fastapi import Body, FastAPI, Request, Response

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
center = np.array(orjson.loads(os.environ["CENTER"]))
added = orjson.loads(os.environ["ADDED"])
session = onnxruntime.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])


async def predict(request: Request) -> Response:
    """Answer {"features": [...]} or {"features": [[...], ...]} with {"predictions": [...]}."""
    given = orjson.loads(await request.body())["features"]
    features = np.atleast_2d(np.array(given) - center).astype(np.float32)
    (values,) = session.run(None, {"features": features})
    answer = orjson.dumps({"predictions": values.ravel() + added}, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(answer, media_type="application/json")


async def typed(features: Annotated[list[float], Body(embed=True)]) -> dict[str, list[float]]:
    """Answer as `predict` does, for one row."""
    (values,) = session.run(None, {"features": np.array([np.array(features) - center], dtype=np.float32)})
    return {"predictions": (values.ravel() + added).tolist()}


app = FastAPI()
app.add_api_route("/typed", typed, methods=["POST"])
app.add_api_route("/predict", predict, methods=["POST"])

if __name__ == "__main__":
    uvicorn.run(
        app,
        uds=sys.argv[1],
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        lifespan="off",
    )
