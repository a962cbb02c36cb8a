"""Print the seconds of a bare fit; arguments: an .npz with X and y, threads."""

import sys
import time

import numpy as np
from xgboost import XGBRegressor

with np.load(sys.argv[1]) as file:
    X, y = file["X"], file["y"]
model = XGBRegressor(n_jobs=int(sys.argv[2]), random_state=0)
started = time.perf_counter()
model.fit(X, y)
print(time.perf_counter() - started)
