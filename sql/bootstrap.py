    if "pgml" not in GD:
        plpy.execute("select pgml._bootstrap()")
