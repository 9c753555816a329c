"""The processes. Each file composes one of them and does nothing else."""
