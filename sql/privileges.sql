revoke all on all functions in schema pgml from public;
