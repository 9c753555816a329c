"""What checks ask about the host."""
