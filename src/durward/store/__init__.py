"""What must survive a restart: SQLite, one module per question asked of it."""
