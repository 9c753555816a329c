"""How to read an open descriptor: log files, the journal."""
