"""The drop-in for CSF users."""
