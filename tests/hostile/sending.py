"""One request to a running collector, with whatever a hostile sender says of it; the answer's status."""

from __future__ import annotations

import contextlib
import http.client
import socket
from collections.abc import Iterable, Mapping

PATIENCE = 30.0


def post(
    port: int, path: str, body: bytes | Iterable[bytes], headers: Mapping[str, str] | None = None, method: str = "POST"
) -> int:
    """The status, 0 where the connection was closed without one, -1 where nothing came in time."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before all was sent: the answer is there
            connection.request(method, path, body, dict(headers or {}), encode_chunked=not isinstance(body, bytes))
        if connection.sock is None:
            return 0
        response = http.client.HTTPResponse(connection.sock, method=method)
        response.begin()
        response.read()
        return response.status
    except TimeoutError:
        return -1
    except (http.client.HTTPException, ConnectionError):
        return 0
    finally:
        connection.close()


def raw(port: int, data: bytes, wait: float = PATIENCE) -> bytes:
    """The first bytes that come back to these, b"" where the connection is closed instead."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(data)
        with contextlib.suppress(OSError):
            return connection.recv(4096)
    return b""


def status_of(answer: bytes) -> int:
    """Of the beginning of an HTTP answer, 0 of none."""
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.") else 0
