"""MessagePack whose strings are not all UTF-8, with what is none replaced by U+FFFD."""

from __future__ import annotations

import struct

_FIXED = {0xCA: 5, 0xCB: 9, 0xCC: 2, 0xCD: 3, 0xCE: 5, 0xCF: 9, 0xD0: 2, 0xD1: 3, 0xD2: 5, 0xD3: 9}
_FIXED |= {0xD4: 3, 0xD5: 4, 0xD6: 6, 0xD7: 10, 0xD8: 18, 0xDC: 3, 0xDD: 5, 0xDE: 3, 0xDF: 5}
"""Bytes of a token by its first; a list's or map's header is one of its own, its members follow."""
_COUNTED = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xC7: 1, 0xC8: 2, 0xC9: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
"""Bytes of the length behind the first byte, of bin, ext and str."""
_EXTENSIONS = (0xC7, 0xC8, 0xC9)
_STRINGS = (0xD9, 0xDA, 0xDB)


def repaired(body: bytes) -> bytes:
    """The same message; what is cut off or malformed stays so, for the decoder to refuse.

    Tokens lie one behind the other whatever they are nested in (MessagePack specification, "Formats"), so one pass does.
    """
    parts: list[bytes] = []
    kept = place = 0
    while place < len(body):
        first = body[place]
        begin = end = place + 1
        is_text = False
        if 0xA0 <= first <= 0xBF:
            end = begin + (first & 0x1F)
            is_text = True
        elif first in _COUNTED:
            width = _COUNTED[first]
            begin += width
            end = begin + int.from_bytes(body[place + 1 : begin], "big") + (first in _EXTENSIONS)
            is_text = first in _STRINGS
        elif first in _FIXED:
            end = place + _FIXED[first]
        if is_text and end <= len(body):
            try:
                body[begin:end].decode()
            except UnicodeDecodeError:
                text = body[begin:end].decode("utf-8", "replace").encode()
                parts += [body[kept:place], struct.pack(">BI", 0xDB, len(text)), text]
                kept = end
        place = end
    parts.append(body[kept:])
    return b"".join(parts)
