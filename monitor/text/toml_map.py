"""Where the keys and values of a TOML text stand, which the standard parser does not tell."""

from __future__ import annotations

import bisect
import re
import tomllib
from dataclasses import dataclass

Path = tuple[str | int, ...]

_MAX_DEPTH = 32
_BLANK = re.compile(r"[ \t]*")
_BETWEEN = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\r\n]*")
_BASIC = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LITERAL = re.compile(r"'[^'\n]*'")
_BASIC_END = re.compile(r'\\.|"{3,5}', re.DOTALL)
_LITERAL_END = re.compile(r"'{3,5}")


@dataclass(frozen=True, slots=True)
class Place:
    """Offsets into the text; of a table header both spans are the header's. Ends are exclusive."""

    key_start: int
    key_end: int
    value_start: int
    value_end: int


class TomlMap:
    """Places by path (`("rule", 0, "condition", "window")`) of a text that `tomllib` has read without an error."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]
        scanner = _Scanner(text)
        scanner.run()
        self.places = scanner.places

    def find(self, path: Path) -> Place | None:
        """The place of this path or of its nearest parent that has one."""
        while path:
            if path in self.places:
                return self.places[path]
            path = path[:-1]
        return None

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1, columns in characters."""
        line = bisect.bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line_start(self, offset: int) -> int:
        """Offset at which the line of `offset` begins."""
        return self._starts[bisect.bisect_right(self._starts, offset) - 1]

    def line_end(self, offset: int) -> int:
        """Offset just after the line of `offset`, its line end included."""
        line = bisect.bisect_right(self._starts, offset)
        return self._starts[line] if line < len(self._starts) else len(self.text)


class _LostError(Exception):
    """The text is not as expected; what was found so far still holds."""


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.places: dict[Path, Place] = {}
        self._arrays: dict[Path, int] = {}
        self._table: Path = ()

    def run(self) -> None:
        try:
            while True:
                self._skip(_BETWEEN)
                if self.at >= len(self.text):
                    return
                if self.text[self.at] == "[":
                    self._header()
                else:
                    self._pair(self._table, 0)
        except (_LostError, ValueError):
            return

    def _header(self) -> None:
        start = self.at
        array = self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        keys = self._keys()
        self._skip(_BLANK)
        self.at += 2 if array else 1
        path: Path = ()
        for number, key in enumerate(keys):
            path = (*path, key)
            if array and number == len(keys) - 1:
                self._arrays[path] = self._arrays.get(path, 0) + 1
            if path in self._arrays:
                path = (*path, self._arrays[path] - 1)
        self._table = path
        self.places.setdefault(path, Place(start, self.at, start, self.at))

    def _pair(self, table: Path, depth: int) -> None:
        start = self.at
        keys = self._keys()
        end = self.at
        self._skip(_BLANK)
        if self.text[self.at : self.at + 1] != "=":
            raise _LostError
        self.at += 1
        self._skip(_BLANK)
        path = (*table, *keys)
        value_start = self.at
        self._value(path, depth)
        for length in range(len(table) + 1, len(path) + 1):
            self.places.setdefault(path[:length], Place(start, end, value_start, self.at))

    def _keys(self) -> list[str]:
        keys = []
        while True:
            self._skip(_BLANK)
            found = _BARE_KEY.match(self.text, self.at) or _BASIC.match(self.text, self.at) or _LITERAL.match(self.text, self.at)
            if found is None:
                raise _LostError
            raw = found.group()
            keys.append(str(tomllib.loads(f"k = {raw}")["k"]) if raw[0] in "\"'" else raw)
            self.at = found.end()
            after = _BLANK.match(self.text, self.at)
            dot = after.end() if after else self.at
            if self.text[dot : dot + 1] != ".":
                return keys
            self.at = dot + 1

    def _value(self, path: Path, depth: int) -> None:
        first = self.text[self.at : self.at + 1]
        if depth > _MAX_DEPTH or not first:
            raise _LostError
        if first in "\"'":
            self._string(first)
        elif first == "[":
            self._array(path, depth)
        elif first == "{":
            self._inline_table(path, depth)
        else:
            found = _SCALAR.match(self.text, self.at)
            scalar = found.group().rstrip() if found else ""
            if not scalar:
                raise _LostError
            self.at += len(scalar)

    def _string(self, quote: str) -> None:
        if self.text.startswith(quote * 3, self.at):
            end = _BASIC_END if quote == '"' else _LITERAL_END
            self.at += 3
            while True:
                found = end.search(self.text, self.at)
                if found is None:
                    raise _LostError
                self.at = found.end()
                if found.group()[0] == quote:
                    return
        found = (_BASIC if quote == '"' else _LITERAL).match(self.text, self.at)
        if found is None:
            raise _LostError
        self.at = found.end()

    def _array(self, path: Path, depth: int) -> None:
        self.at += 1
        number = 0
        while not self._closes("]"):
            start = self.at
            self._value((*path, number), depth + 1)
            self.places.setdefault((*path, number), Place(start, self.at, start, self.at))
            number += 1
            self._comma()

    def _inline_table(self, path: Path, depth: int) -> None:
        self.at += 1
        while not self._closes("}"):
            self._pair(path, depth + 1)
            self._comma()

    def _closes(self, bracket: str) -> bool:
        self._skip(_BETWEEN)
        if self.text[self.at : self.at + 1] != bracket:
            return False
        self.at += 1
        return True

    def _comma(self) -> None:
        self._skip(_BETWEEN)
        if self.text[self.at : self.at + 1] == ",":
            self.at += 1

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at
