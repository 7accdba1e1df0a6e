"""A cache bounded in bytes, whose entries are dropped when what they were read from changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class ByteCache(Generic[Value]):
    """Any thread. `generation` tells whether something was dropped between a read of the database and its `put`."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._held: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self.bytes = 0
        self.generation = 0

    def get(self, key: Hashable) -> Value | None:
        with self._lock:
            found = self._held.get(key)
            if found is None:
                return None
            self._held.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: Value, size: int, generation: int) -> None:
        """Keeps a value of `size` bytes that was read while `generation` was the cache's; otherwise it may be out of date."""
        with self._lock:
            if generation != self.generation or size > self._max_bytes:
                return
            old = self._held.pop(key, None)
            self.bytes += size - (old[1] if old else 0)
            self._held[key] = value, size
            while self.bytes > self._max_bytes:
                _, (_, dropped) = self._held.popitem(last=False)
                self.bytes -= dropped

    def drop(self, keys: Iterable[Hashable] | None = None) -> None:
        """Forgets these entries, or all; what is being read meanwhile is not kept."""
        with self._lock:
            self.generation += 1
            for key in list(self._held) if keys is None else keys:
                old = self._held.pop(key, None)
                self.bytes -= old[1] if old else 0
