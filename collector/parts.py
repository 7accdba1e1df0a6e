"""The parts of a tick, kept apart: one that raises is logged, counted and told, and the others go on."""

from __future__ import annotations

import logging
from types import TracebackType

log = logging.getLogger("lightship")

MAX_REASON = 200


class Parts:
    """`with parts.one("The journal"): …` lets no `Exception` out; `failures` counts them, over all parts."""

    def __init__(self) -> None:
        self.failures = 0
        self._failing: dict[str, str] = {}

    def one(self, name: str) -> _Part:
        """Run the block as the part called `name`. Only the first of a run of failures is logged, with its place."""
        return _Part(self, name)

    def ended(self, name: str, error: Exception | None) -> None:
        """A part was run."""
        if error is None:
            if self._failing.pop(name, None):
                log.info("%s works again", name)
            return
        self.failures += 1
        if name not in self._failing:
            log.error("%s failed; everything else goes on", name, exc_info=error)
        self._failing[name] = f"{type(error).__name__}: {error}"[:MAX_REASON]

    def notes(self) -> list[str]:
        """What fails now, a sentence a part."""
        return [
            f"{name} fails at every tick ({reason}); the collector's log says where" for name, reason in self._failing.items()
        ]


class _Part:
    def __init__(self, parts: Parts, name: str) -> None:
        self._parts = parts
        self._name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        if error is not None and not isinstance(error, Exception):
            return False
        self._parts.ended(self._name, error)
        return True
