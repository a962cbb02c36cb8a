"""Models of LightGBM, from the texts that it saves."""

from pgml.exchange.lightgbm.reader import read as read
