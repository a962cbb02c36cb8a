"""The verbs in a database: by the extension, or here where the server has no PL/Python."""
