"""Exit codes of the command, and the error that ends it with a sentence."""

from __future__ import annotations

OK = 0
FAILED = 1
USAGE = 2
NO_COLLECTOR = 3
REFUSED = 4
NOTHING = 5

MEANING = {
    OK: "done",
    FAILED: "something failed; the message says what",
    USAGE: "wrong flags, or input that cannot be read",
    NO_COLLECTOR: "no collector answers at the address",
    REFUSED: "the collector answered no",
    NOTHING: "nothing matched",
}


class CommandError(Exception):
    """Ends the command: a sentence for standard error, and the exit code."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code
