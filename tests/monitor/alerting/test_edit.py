"""Editing one rule leaves every other character of the file as it was."""

from __future__ import annotations

import pytest

from monitor.alerting.edit import EditError, delete_rule, set_enabled
from monitor.alerting.rules import RulesError, parse_rules

CONDITION = 'condition = { type = "threshold", operator = "gt", value = 1, window = "5m" }'
TEXT = f"""# our rules

# about a
[[rule]]
id = "a" # the id
metric   =   "x"
{CONDITION}
# value = 200 was too much

# a word between

# about b
# more on b
[[rule]]
  id = "b"
  metric = "y"
  enabled = true # on
  [rule.condition]
  type = "threshold"
  operator = "gt"
  value = 1
  window = "5m"

[[rule]]
id = "c"
metric = "x"
{CONDITION}

# the end
"""


def test_switching_off_adds_one_line_below_the_id() -> None:
    assert set_enabled(TEXT, "a", False) == TEXT.replace('id = "a" # the id\n', 'id = "a" # the id\nenabled = false\n')


def test_switching_off_changes_the_word_that_is_there() -> None:
    assert set_enabled(TEXT, "b", False) == TEXT.replace("enabled = true # on", "enabled = false # on")
    assert set_enabled(set_enabled(TEXT, "b", False), "b", True) == TEXT


def test_the_line_ends_of_the_file_are_kept() -> None:
    text = TEXT.replace("\n", "\r\n")
    edited = set_enabled(text, "c", False)
    assert edited.count("\r\n") == edited.count("\n") == text.count("\n") + 1


def test_a_file_without_a_last_line_end() -> None:
    text = f'[[rule]]\nmetric = "x"\n{CONDITION}\nid = "a"'
    assert set_enabled(text, "a", False) == text + "\nenabled = false\n"


def test_deleting_takes_the_rule_and_the_comments_that_belong_to_it() -> None:
    start, end = TEXT.index("# about a"), TEXT.index("# a word between")
    assert delete_rule(TEXT, "a") == TEXT[:start] + TEXT[end:]
    start, end = TEXT.index("# about b"), TEXT.index('[[rule]]\nid = "c"')
    assert delete_rule(TEXT, "b") == TEXT[:start] + TEXT[end:]
    start, end = TEXT.index('[[rule]]\nid = "c"'), TEXT.index("# the end")
    assert delete_rule(TEXT, "c") == TEXT[:start] + TEXT[end:]


def test_the_last_rule_may_go_too() -> None:
    text = TEXT
    for rule_id in "cab":
        text = delete_rule(text, rule_id)
    assert parse_rules(text, "t") == ()
    assert [line for line in text.split("\n") if line] == ["# our rules", "# a word between", "# the end"]
    assert delete_rule(f'[[rule]]\nid = "a"\nmetric = "x"\n{CONDITION}', "a") == ""


def test_what_cannot_be_edited_by_machine_is_refused() -> None:
    with pytest.raises(EditError, match="not in this file"):
        set_enabled(TEXT, "zzz", False)
    with pytest.raises(RulesError):
        delete_rule("[[rule]]", "a")
    inline = f'rule = [ {{ id = "a", metric = "x", {CONDITION} }} ]'
    assert parse_rules(inline, "t")
    with pytest.raises(EditError, match="change the file itself"):
        set_enabled(inline, "a", False)
    with pytest.raises(EditError, match="change the file itself"):
        delete_rule(inline, "a")
