"""The words between the processes: what may be said, and how it is written."""
