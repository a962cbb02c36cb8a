"""A stored model as PMML 4.4, for whatever reads that.

The encoder becomes the data dictionary, the mining schema and derived fields, one a column of the matrix that
is not simply a given number.  Of the graph the structure is recognised (`structure`): a matrix product, an
ensemble of trees, or distances to points, and what is made of them.  What is not recognised is not written.

PMML computes in double precision.  Trees that compare float32 numbers get thresholds that decide alike for
every double (`pgml.sqlgen.branches.widest`).
"""

from pgml.exchange.pmml.document import Header, pmml_of

__all__ = ["Header", "pmml_of"]
