"""docs/protocol.md says what the code does."""

from __future__ import annotations

import json
import re
import typing

import pytest

from monitor.wire import messages as m
from monitor.wire.codec import JSON, Codec
from monitor.wire.messages import Message, Request
from tests.monitor.wire.protocol_examples import BLOCK, EXAMPLES, PAGE, rewritten

TEXT = PAGE.read_text()
BLOCKS = [(found[2], found[1], found[3]) for found in BLOCK.finditer(TEXT)]
AGAIN = "run `python -m tests.monitor.wire.protocol_examples` and look at what changed"


def _decode(codec: Codec, name: str, data: bytes | str) -> Message:
    return codec.decode_request(data) if isinstance(EXAMPLES[name], Request) else codec.decode(data)


def test_every_message_has_an_example_in_both_forms() -> None:
    names = {re.sub("(?<!^)([A-Z])", r"_\1", kind.__name__).lower() for kind in _kinds()}
    for form in ("hex", "json"):
        assert {name for name, found, _ in BLOCKS if found == form} == names


def _kinds() -> tuple[type[Message], ...]:
    return typing.get_args(m.ServerMessage) + typing.get_args(m.ClientMessage)


@pytest.mark.parametrize(("name", "data"), [(name, data) for name, form, data in BLOCKS if form == "hex"])
def test_a_binary_example_is_decoded_and_encoded_to_the_same_bytes(name: str, data: str) -> None:
    codec, raw = Codec(), bytes.fromhex(data)
    assert codec.encode(_decode(codec, name, raw)) == raw, AGAIN


@pytest.mark.parametrize(("name", "data"), [(name, data) for name, form, data in BLOCKS if form == "json"])
def test_a_text_example_says_what_the_binary_one_says(name: str, data: str) -> None:
    codec = Codec(JSON)
    message = _decode(codec, name, data)
    assert json.loads(codec.encode(message)) == json.loads(data), AGAIN
    binary = next(raw for found, form, raw in BLOCKS if (found, form) == (name, "hex"))
    assert Codec().encode(message) == bytes.fromhex(binary), AGAIN


def test_the_page_is_what_its_generator_writes() -> None:
    assert rewritten(TEXT) == TEXT, AGAIN
