"""Every key and value of a TOML text is found where it stands."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.text.toml_map import Path, TomlMap

TEXT = """# a comment with = and [[rule]]
title = '''several
lines = 1'''
[[rule]]
id = "a"  # id = "b"
metric = ["x", "y # no", 'z']
condition = { type = "t", inner = { deep = [1, [2, 3]] } }
dotted . "key with space" = 1979-05-27 07:32:00
[rule.labels]
team = "she \\"said\\" ]"
[[rule]]
text = \"\"\"quote \\\"\"\" end\"\"\"
[[rule.child]]
n = 1
"""


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("title",), "'''several\nlines = 1'''"),
        (("rule", 0, "id"), '"a"'),
        (("rule", 0, "metric", 1), '"y # no"'),
        (("rule", 0, "condition", "type"), '"t"'),
        (("rule", 0, "condition", "inner", "deep", 1, 0), "2"),
        (("rule", 0, "dotted", "key with space"), "1979-05-27 07:32:00"),
        (("rule", 0, "labels", "team"), '"she \\"said\\" ]"'),
        (("rule", 1), "[[rule]]"),
        (("rule", 1, "text"), '"""quote \\""" end"""'),
        (("rule", 1, "child", 0, "n"), "1"),
    ],
)
def test_places(path: Path, value: str) -> None:
    place = TomlMap(TEXT).places[path]
    assert TEXT[place.value_start : place.value_end] == value


def test_lines_and_columns_count_characters_from_one() -> None:
    places = TomlMap('a = "ü"\nbb = 2')
    assert places.position(places.places[("bb",)].key_start) == (2, 1)
    assert places.position(places.places[("bb",)].value_start) == (2, 6)


def test_a_path_that_is_not_there_is_found_at_its_parent() -> None:
    places = TomlMap(TEXT)
    assert places.find(("rule", 1, "missing", "deeper")) == places.places[("rule", 1)]
    assert TomlMap("").find(("rule",)) is None


def test_text_that_is_not_as_expected_keeps_what_was_found() -> None:
    assert set(TomlMap("a = 1\nb = [[[" + "[" * 100).places) == {("a",)}


leaves = st.integers(-5, 5) | st.booleans() | st.sampled_from(["x", "a b", "q#,]}", 'with "quotes"'])
values = st.recursive(
    leaves, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.sampled_from("abc"), v, max_size=3), max_leaves=6
)


def toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace('"', '\\"') + '"'
    if isinstance(value, list):
        return "[ " + ", ".join(map(toml, value)) + " ]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(inner)}" for key, inner in value.items()) + "}"
    return str(value)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from("abcdef"), values, max_size=5))
def test_every_value_stands_where_the_map_says(table: dict[str, object]) -> None:
    text = "".join(f"{key}  =  {toml(value)}  # {key}\n" for key, value in table.items())
    for path, place in TomlMap(text).places.items():
        found: object = table
        for part in path:
            found = found[part]  # type: ignore[index]  # the path is one of the table
        assert tomllib.loads("v = " + text[place.value_start : place.value_end])["v"] == found
