"""Windows, detection, decisions, explanation, replay. Pure: time is an argument."""
