"""How a reason says how long something took."""


def span(seconds: float) -> str:
    """`42 s`, `5 min` or `3 h`, at least a second."""
    whole = max(1, round(seconds))
    if whole < 120:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 7200 else f"{whole // 3600} h"
