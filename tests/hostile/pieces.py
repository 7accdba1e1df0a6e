"""What is put into inputs to break them: odd numbers and texts, lengths that lie, and what is nested too deep."""

from __future__ import annotations

from typing import Any

from collector.protobuf.wire import varint

LONGEST = 1 << 16
"""Bytes of an input, so that a hundred thousand of them take minutes."""
VARINTS = (0, 1, 127, 128, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 53, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
DOUBLES = tuple(
    bytes.fromhex(text)
    for text in (
        "0000000000000000",
        "000000000000f03f",
        "000000000000f0bf",
        "000000000000f07f",
        "000000000000f0ff",
        "000000000000f87f",
        "02000000000ff07f",
        "ffffffffffffef7f",
        "0100000000000000",
        "00000000000000ff",
    )
)
"""0, 1, -1, both infinities, NaN, the stale marker's neighbour, the largest, the smallest, and a huge negative one."""
NUMBERS: tuple[Any, ...] = (
    0,
    -1,
    1,
    2**31,
    -(2**31),
    2**53,
    2**63 - 1,
    -(2**63),
    2**64 - 1,
    0.0,
    -0.0,
    1e308,
    -1e308,
    5e-324,
    True,
    None,
)
TEXTS = (
    "",
    "\0",
    "\x1b[2J",
    "a" * 5000,
    "\u202e",
    "\ufffd",
    "__name__",
    "service.name",
    "{}",
    '"',
    "\\",
    "\n",
    "é" * 300,
    "\U0001f600",
    "NaN",
    "-1",
    "1e999",
    "9" * 400,
    "0" * 32,
    "f" * 32,
    "zz",
    "../../etc/passwd",
    "%00",
    "le",
    "+Inf",
)


def nested(head: bytes, depth: int) -> bytes:
    """A protobuf message within a message within …, each in the field whose tag is `head`."""
    body = b""
    for _ in range(depth):
        body = head + varint(len(body)) + body
        if len(body) > LONGEST:
            break
    return body


PROTOBUF_PIECES = (
    b"\xff" * 9 + b"\x01",
    b"\xff" * 11,
    b"\x0a\x80\x80\x80\x80\x01",
    b"\x0a\xff\xff\xff\xff\x0f",
    b"\x0b",
    b"\x0c",
    b"\x0a\x00",
    b"\x00",
    b"\x07",
    b"\xfa\xff\xff\xff\x0f\x00",
    b"\x80" * 12,
    nested(b"\x0a", 200),
    nested(b"\x12", 101),
    nested(b"\x2a", 60),
    *DOUBLES,
)
JSON_PIECES = (
    b"[" * 2000,
    b"{" * 300,
    b'{"a":' * 500,
    b'"\\ud800"',
    b"1e999",
    b"NaN",
    b"-",
    b"null",
    b"9" * 400,
    b"0.1e-400",
    b"\xff",
    b'"\\u0000"',
    b"]",
    b"}",
    b",",
    b":",
    b'""',
    b"true",
    b"[[]]",
    b"\xef\xbb\xbf",
)
MSGPACK_PIECES = (
    b"\xdd\xff\xff\xff\xff",
    b"\xdf\xff\xff\xff\xff",
    b"\xdb\xff\xff\xff\xff",
    b"\xc6\xff\xff\xff\xff",
    b"\xdc\xff\xff",
    b"\xde\xff\xff",
    b"\x91" * 2000,
    b"\x81\xa1a" * 600,
    b"\xc0",
    b"\xc1",
    b"\xcf" + b"\xff" * 8,
    b"\xd3\x80" + b"\0" * 7,
    b"\xcb\x7f\xf8" + b"\0" * 6,
    b"\xc7\xff\x05" + b"a" * 255,
    b"\xa1\xff",
    b"\x90",
    b"\x80",
)
TEXT_PIECES = (
    b"# EOF\n",
    b"# TYPE a counter\n",
    b"# UNIT a_s s\n",
    b"NaN",
    b"1e999",
    b" # {",
    b'le="',
    b"\xf0\x9f\x98\x80",
    b"\\",
    b'"}',
    b"9" * 400,
    b"\r\n",
    b"_total",
    b"\0",
    b"\xff\xfe",
    b"{",
    b"}",
    b",",
    b"=",
    b"|",
    b":",
    b"@",
    b"#",
    b"\n",
    b" ",
    b"-",
    b"+Inf",
    b"\x1b[2J",
    b"|#" * 9,
    b"T9",
    b"a" * 3000,
)
