"""Programs that a case runs in processes of their own."""
