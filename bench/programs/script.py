"""What a user would write instead of pgml.train; arguments: a conninfo, threads."""

import sys

import pandas as pd
import psycopg
from sklearn.model_selection import train_test_split
from xgboost import XGBRegressor

with psycopg.connect(sys.argv[1]) as connection:
    cursor = connection.execute("select * from wide")
    frame = pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description or ()])
X_train, X_test, y_train, y_test = train_test_split(
    frame.drop(columns="y"), frame["y"], test_size=0.25, random_state=0
)
model = XGBRegressor(n_jobs=int(sys.argv[2]), random_state=0)
model.fit(X_train, y_train)
print(model.score(X_test, y_test))
