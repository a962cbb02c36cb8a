"""The one port to PostgreSQL and its two adapters, for the server and for clients."""
