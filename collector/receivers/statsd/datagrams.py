"""Reads many datagrams from a socket in one system call (recvmmsg through ctypes; one by one where it is missing)."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
from typing import Protocol

import numpy as np

MANY = 128
LARGEST = 65536
"""A UDP datagram has at most 65,507 bytes of payload; a longer Unix datagram is cut at its last whole line."""
_STRIDE = LARGEST + 1472  # not a power of two, or the heads of all datagrams would fall into the same few cache lines


class DatagramReader(Protocol):
    """Reads without blocking."""

    def read(self) -> list[memoryview]:
        """The next datagrams, at most `MANY`, none if there are none; valid until the next call. Raises `OSError`."""
        ...


def datagram_reader(sock: socket.socket) -> DatagramReader:
    """The fastest reader that this system has."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "recvmmsg", None) if os.name == "posix" else None
    if call is not None:
        try:
            return ManyReader(sock, call)
        except OSError as error:
            if error.errno != errno.ENOSYS:  # a sandbox may forbid what libc offers
                raise
    return OneByOneReader(sock)


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Header(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("vectors", ctypes.POINTER(_Vector)),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Message(ctypes.Structure):
    _fields_ = (("header", _Header), ("length", ctypes.c_uint))


class ManyReader:
    """recvmmsg(2) into one slab; only the pages that datagrams touch take memory."""

    def __init__(self, sock: socket.socket, call: ctypes._NamedFuncPointer) -> None:
        """Raises `OSError` with ENOSYS where the kernel does not have the call."""
        self._descriptor = sock.fileno()
        self._slab = np.zeros(MANY * _STRIDE, np.uint8)
        slab = memoryview(self._slab.data)
        self._slots = [slab[i * _STRIDE : i * _STRIDE + LARGEST] for i in range(MANY)]
        base = self._slab.ctypes.data
        self._vectors = (_Vector * MANY)()
        table = bytearray(MANY * ctypes.sizeof(_Message))
        self._messages = (_Message * MANY).from_buffer(table)
        for i in range(MANY):
            self._vectors[i] = _Vector(base + i * _STRIDE, LARGEST)
            self._messages[i].header.vectors = ctypes.pointer(self._vectors[i])
            self._messages[i].header.vector_count = 1
        begin = _Message.length.offset
        rows = np.frombuffer(table, np.uint8).reshape(MANY, ctypes.sizeof(_Message))
        self._lengths = rows[:, begin : begin + 4].view(np.uint32)[:, 0]
        call.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p)
        self._call = call
        self._address = ctypes.addressof(self._messages)
        if self._call(self._descriptor, self._address, 0, socket.MSG_DONTWAIT, None) < 0 and ctypes.get_errno() == errno.ENOSYS:
            raise OSError(errno.ENOSYS, "recvmmsg is not there")

    def read(self) -> list[memoryview]:
        count = self._call(self._descriptor, self._address, MANY, socket.MSG_DONTWAIT, None)
        if count < 0:
            code = ctypes.get_errno()
            if code in (errno.EAGAIN, errno.EINTR):
                return []
            raise OSError(code, os.strerror(code))
        slots = self._slots
        return [_whole(slots[i], length) for i, length in enumerate(self._lengths[:count].tolist())]


class OneByOneReader:
    """recv_into(2), datagram by datagram."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        slab = memoryview(np.zeros(MANY * LARGEST, np.uint8).data)
        self._slots = [slab[i * LARGEST : (i + 1) * LARGEST] for i in range(MANY)]

    def read(self) -> list[memoryview]:
        found: list[memoryview] = []
        for slot in self._slots:
            try:
                length = self._socket.recv_into(slot)
            except BlockingIOError:
                break
            found.append(_whole(slot, length))
        return found


def _whole(slot: memoryview, length: int) -> memoryview:
    if length < LARGEST:
        return slot[:length]
    return slot[: bytes(slot).rfind(b"\n") + 1]
