"""What can go wrong with the world here, as one family of exceptions."""


class PrivilegedError(Exception):
    """The world did not do what was asked; the message is a plain reason."""


class KernelError(PrivilegedError):
    """The kernel, or nft, refused. `number` is the errno, 0 where there is none."""

    def __init__(self, reason: str, number: int = 0) -> None:
        super().__init__(reason)
        self.number = number


class OpeningError(PrivilegedError):
    """A source was not opened. `missing`: only because it is not there."""

    def __init__(self, reason: str, *, missing: bool = False) -> None:
        super().__init__(reason)
        self.missing = missing
