"""A whole WebSocket frame as bytes (RFC 6455, section 5.2), so that one copy can be written to every client."""

from __future__ import annotations

import struct


def framed(payload: bytes, text: bool) -> bytes:
    """One unfragmented, unmasked data frame, as servers send."""
    opcode = 0x81 if text else 0x82
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", opcode, size) + payload
    if size < 1 << 16:
        return struct.pack("!BBH", opcode, 126, size) + payload
    return struct.pack("!BBQ", opcode, 127, size) + payload
