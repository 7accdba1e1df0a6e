"""As much of a terminal as the painter uses: cursor moves, colours, text."""

from __future__ import annotations

import re

from rich.cells import get_character_cell_size

_PARTS = re.compile(r"\x1b\[(\d+);(\d+)H|\x1b\[([\d;]*)m|([^\x1b]+)|(\x1b.*)", re.DOTALL)


class Emulator:
    """Cells of (character, style); `written` text must move, colour and write, and nothing else."""

    def __init__(self, w: int, h: int) -> None:
        self.cells = [[(" ", "")] * w for _ in range(h)]
        self._x = self._y = 0
        self._style: dict[str, str] = {}

    def write(self, text: str) -> None:
        for row, column, codes, plain, other in _PARTS.findall(text):
            assert not other, f"an escape sequence that nobody expects: {other[:40]!r}"
            if row:
                self._y, self._x = int(row) - 1, int(column) - 1
            elif plain:
                self._print(plain)
            else:
                self._colour(codes)

    def _print(self, text: str) -> None:
        style = ";".join(f"{k}={v}" for k, v in sorted(self._style.items()))
        for c in text:
            if c == "\n":
                continue
            self.cells[self._y][self._x] = (c, style)
            if get_character_cell_size(c) == 2:
                self.cells[self._y][self._x + 1] = ("", style)
            self._x += get_character_cell_size(c)

    def _colour(self, codes: str) -> None:
        numbers = codes.split(";") if codes else ["0"]
        while numbers:
            code = numbers.pop(0)
            if code == "0":
                self._style.clear()
            elif code in ("38", "48"):
                count = 4 if numbers[0] == "2" else 2
                self._style[code] = ",".join(numbers[:count])
                del numbers[:count]
            elif 30 <= int(code) <= 37 or 90 <= int(code) <= 97:
                self._style["38"] = code
            else:
                self._style[code] = "on"

    def lines(self) -> list[str]:
        """Rows as they are read."""
        return ["".join(c for c, _ in row).rstrip() for row in self.cells]

    def seen(self) -> list[list[tuple[str, str]]]:
        """What an eye can tell apart: spaces have no foreground."""
        return [
            [(c, re.sub(r"38=[^;]*;?", "", s).rstrip(";") if c == " " and "4=on" not in s else s) for c, s in row]
            for row in self.cells
        ]
