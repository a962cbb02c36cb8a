"""Models of XGBoost, from the files of its own that it calls JSON and UBJSON."""

from pgml.exchange.xgboost.reader import read as read
