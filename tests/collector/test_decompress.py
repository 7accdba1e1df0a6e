"""The bounded decompressor: encodings, limits, bombs and broken data."""

from __future__ import annotations

import contextlib
import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import cramjam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.decompress import DecompressionError, TooLargeError, UnknownEncodingError, decompress

LIMIT = 1_000_000


def raw_deflate(data: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(data) + deflater.flush()


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "snappy": lambda data: bytes(cramjam.snappy.compress_raw(data)),
    "identity": bytes,
    "": bytes,
    "GZIP ": gzip.compress,
}


@given(data=st.binary(max_size=3000), encoding=st.sampled_from(sorted(ENCODERS)))
def test_what_was_encoded_comes_back(data: bytes, encoding: str) -> None:
    assert decompress(ENCODERS[encoding](data), encoding, LIMIT) == data


@given(data=st.binary(max_size=3000))
def test_raw_deflate_is_understood_as_deflate_too(data: bytes) -> None:
    assert decompress(raw_deflate(data), "deflate", LIMIT) == data


def test_several_gzip_members_are_one_content() -> None:
    assert decompress(gzip.compress(b"one ") + gzip.compress(b"two"), "gzip", LIMIT) == b"one two"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "snappy", "identity"])
def test_the_limit_is_exact(encoding: str) -> None:
    data = bytes(1000)
    assert decompress(ENCODERS[encoding](data), encoding, 1000) == data
    with pytest.raises(TooLargeError):
        decompress(ENCODERS[encoding](data), encoding, 999)


def test_a_bomb_costs_no_more_memory_than_the_limit() -> None:
    bomb = gzip.compress(bytes(200_000_000), 9)
    tracemalloc.start()
    with pytest.raises(TooLargeError):
        decompress(bomb, "gzip", LIMIT)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3 * LIMIT


@given(data=st.binary(max_size=200), encoding=st.sampled_from(["gzip", "deflate", "snappy", "br", "zstd", "x" * 100]))
def test_noise_raises_nothing_but_the_typed_error(data: bytes, encoding: str) -> None:
    with contextlib.suppress(DecompressionError):
        assert len(decompress(data, encoding, 1000)) <= 1000


def test_a_length_that_snappy_only_declares_is_never_allocated() -> None:
    declares_four_gigabytes = b"\xff\xff\xff\xff\x0f" + bytes(20)
    tracemalloc.start()
    with pytest.raises(TooLargeError, match="4294967295 bytes"):
        decompress(declares_four_gigabytes, "snappy", LIMIT)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < LIMIT


def test_cut_off_data_are_an_error() -> None:
    whole = gzip.compress(b"x" * 10_000)
    with pytest.raises(DecompressionError, match="end too early"):
        decompress(whole[:-9], "gzip", LIMIT)


def test_an_unknown_encoding_is_named() -> None:
    with pytest.raises(UnknownEncodingError, match="'br' is not one of"):
        decompress(b"", "br", LIMIT)
