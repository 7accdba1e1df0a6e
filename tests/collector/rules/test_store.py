"""Rule files on disk: taken up when good, refused whole when not, written back without losing a character."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from collector.rules.files import MAX_FILES
from collector.rules.store import RuleFileError, RuleStore
from monitor.alerting.rules import RulesError


def text_of(*ids: str, value: int = 1) -> str:
    return "\n".join(
        f'[[rule]]\nid = "{rule_id}"  # keep me\nmetric = "m"\n'
        f'condition = {{ type = "threshold", operator = "gt", value = {value}, window = "5m" }}\n'
        for rule_id in ids
    )


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    directory = tmp_path / "rules"
    directory.mkdir()
    (directory / "a.toml").write_text(text_of("one", "two"))
    return directory


def loaded(directory: Path) -> RuleStore:
    store = RuleStore(directory)
    store.load(0.0)
    return store


def ids(store: RuleStore) -> list[str]:
    return [rule.id for rule in store.rules]


def test_the_first_start_writes_the_default_rules_and_never_again(tmp_path: Path) -> None:
    directory = tmp_path / "deep" / "rules"
    store = loaded(directory)
    assert [file.name for file in store.files] == ["example.toml", "host.toml"]
    assert "high_error_rate" in ids(store)
    for path in directory.glob("*.toml"):
        path.unlink()
    assert ids(loaded(directory)) == []


def test_rules_come_in_the_order_of_files_and_lines(rules: Path) -> None:
    (rules / "0.toml").write_text(text_of("three"))
    (rules / "notes.txt").write_text("not a rule file")
    (rules / ".hidden.toml").write_text("[[rule]]")
    store = loaded(rules)
    assert ids(store) == ["three", "one", "two"]
    assert store.rules[1].file == "a.toml"


def test_a_changed_file_is_taken_up_and_an_unchanged_one_costs_nothing(rules: Path) -> None:
    store = loaded(rules)
    before, revision = store.rules, store.revision
    assert store.poll(1.0) == ()
    assert store.rules is before
    (rules / "a.toml").write_text(text_of("one"))
    events = store.poll(2.0)
    assert [(event.kind, event.at) for event in events] == [("rules_reloaded", 2.0)]
    assert ids(store) == ["one"]
    assert store.revision > revision


def test_a_file_added_and_a_file_removed(rules: Path) -> None:
    store = loaded(rules)
    (rules / "b.toml").write_text(text_of("three"))
    (rules / "a.toml").unlink()
    assert {event.kind for event in store.poll(1.0)} == {"rules_reloaded"}
    assert ids(store) == ["three"]
    assert ids(loaded(rules)) == ["three"]


def test_an_invalid_file_is_refused_whole_and_the_old_rules_stay_in_force(rules: Path) -> None:
    store = loaded(rules)
    (rules / "a.toml").write_text(text_of("one", value=5) + "\n[[rule]]\nid = 3\n")
    events = store.poll(1.0)
    assert events[0].kind == "rules_refused"
    assert "a.toml, line 6" in events[0].text
    assert "earlier rules stay in force" in events[0].text
    assert ids(store) == ["one", "two"]
    assert store.rules[0].condition.value == 1
    assert store.files[0].problems
    assert "value = 5" in store.files[0].text, "the file is shown as it lies on disk"
    (rules / "a.toml").write_text(text_of("one", value=5))
    assert store.poll(2.0)[0].kind == "rules_reloaded"
    assert [rule.condition.value for rule in store.rules] == [5]
    assert store.files[0].problems == ()


def test_old_rules_of_an_invalid_file_stay_in_force_over_a_restart(rules: Path) -> None:
    store = loaded(rules)
    (rules / "a.toml").write_text("[[rule")
    store.poll(1.0)
    again = RuleStore(rules)
    assert [event.kind for event in again.load(2.0)] == ["rules_refused"]
    assert ids(again) == ["one", "two"]
    assert again.files[0].problems


def test_an_invalid_file_from_the_start_has_no_rules(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("[[rule")
    store = RuleStore(tmp_path)
    assert "none of its rules is in force" in store.load(1.0)[0].text
    assert ids(store) == []


def test_a_file_that_is_emptied_counts_only_when_it_stays_empty(rules: Path) -> None:
    store = loaded(rules)
    (rules / "a.toml").write_text("")
    assert store.poll(1.0) == ()
    assert ids(store) == ["one", "two"]
    assert store.poll(2.0)
    assert ids(store) == []


def test_an_id_taken_by_another_file_refuses_the_newcomer(rules: Path) -> None:
    store = loaded(rules)
    (rules / "0.toml").write_text(text_of("three", "two"))
    store.poll(1.0)
    assert ids(store) == ["one", "two"]
    assert "already used in a.toml, line 6" in store.files[0].problems[0].reason
    (rules / "a.toml").write_text(text_of("one"))
    store.poll(2.0)
    assert ids(store) == ["three", "two", "one"], "it is taken up as soon as the id is free"
    assert store.files[0].problems == ()


def test_rules_may_be_moved_and_swapped_between_files_at_once(rules: Path) -> None:
    (rules / "b.toml").write_text(text_of("three"))
    store = loaded(rules)
    (rules / "a.toml").write_text(text_of("three"))
    (rules / "b.toml").write_text(text_of("one", "two"))
    store.poll(1.0)
    assert ids(store) == ["three", "one", "two"]
    assert not any(file.problems for file in store.files)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"# \xe9\n", b"#" * ((1 << 20) + 1)])
def test_files_that_are_not_text_or_too_big_are_refused(rules: Path, content: bytes) -> None:
    (rules / "b.toml").write_bytes(content)
    store = loaded(rules)
    assert store.files[1].problems
    assert ids(store) == ["one", "two"]


def test_the_number_of_files_is_bounded(rules: Path) -> None:
    for number in range(MAX_FILES + 5):
        (rules / f"f{number:03}.toml").write_text("")
    assert len(loaded(rules).files) == MAX_FILES


def test_a_directory_that_vanishes_leaves_the_rules_in_force_and_says_so(rules: Path) -> None:
    store = loaded(rules)
    shutil.rmtree(rules)
    assert store.poll(1.0) == ()
    assert ids(store) == ["one", "two"]
    assert "cannot be read" in store.notice


def test_a_read_only_directory_can_be_loaded(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, text: str) -> None:
        raise RuleFileError(f"{path.name} cannot be written: read-only")

    monkeypatch.setattr("collector.rules.store.write_text", refuse)
    assert ids(loaded(rules)) == ["one", "two"]


# ---------------------------------------------------------------- editing


def test_saving_writes_the_text_as_it_is_and_puts_it_in_force(rules: Path) -> None:
    store = loaded(rules)
    text = "# mine\n" + text_of("one", value=7)
    revision, events = store.save("a.toml", text, store.files[0].revision, "Ana", 5.0)
    assert (rules / "a.toml").read_text() == text
    assert [rule.condition.value for rule in store.rules] == [7]
    assert store.files[0].revision == revision
    assert [(event.kind, event.who, event.at) for event in events] == [("rule_saved", "Ana", 5.0)]
    assert store.poll(6.0) == (), "what was saved here is not read again"


def test_a_new_file_is_saved_with_base_zero(rules: Path) -> None:
    store = loaded(rules)
    store.save("b.toml", text_of("three"), 0, "Ana")
    assert ids(store) == ["one", "two", "three"]
    with pytest.raises(RuleFileError, match="Ana saved"):
        store.save("b.toml", text_of("four"), 0, "Bo")


def test_a_save_over_somebody_elses_change_writes_nothing(rules: Path) -> None:
    store = loaded(rules)
    base = store.files[0].revision
    store.save("a.toml", text_of("one", value=7), base, "Ana")
    with pytest.raises(RuleFileError, match=r"Ana saved a\.toml while you edited it"):
        store.save("a.toml", text_of("one", value=8), base, "Bo")
    (rules / "a.toml").write_text(text_of("one", value=9))
    with pytest.raises(RuleFileError, match="changed on disk"):
        store.save("a.toml", text_of("one", value=8), base, "Bo")
    assert (rules / "a.toml").read_text() == text_of("one", value=9)
    (rules / "a.toml").unlink()
    with pytest.raises(RuleFileError, match="was removed"):
        store.save("a.toml", text_of("one", value=8), base, "Bo")


def test_a_draft_can_be_saved_after_a_restart_when_the_file_is_still_the_same(rules: Path) -> None:
    base = loaded(rules).files[0].revision
    after = loaded(rules)
    assert after.save("a.toml", text_of("one"), base)[0] != base


def test_an_invalid_text_is_not_saved(rules: Path) -> None:
    store = loaded(rules)
    with pytest.raises(RulesError):
        store.save("a.toml", "[[rule", store.files[0].revision)
    with pytest.raises(RulesError, match="already used"):
        store.save("b.toml", text_of("one"), 0)
    assert not (rules / "b.toml").exists()
    assert ids(store) == ["one", "two"]


def test_check_says_what_save_would_refuse(rules: Path) -> None:
    store = loaded(rules)
    assert store.check("a.toml", text_of("one")) == ()
    assert "already used" in store.check("b.toml", text_of("one"))[0].reason
    assert "missing" in store.check("a.toml", "[[rule]]")[0].reason
    assert "named with" in store.check("../a.toml", "")[0].reason


@pytest.mark.parametrize(
    "name", ["../x.toml", "/etc/x.toml", "x", "x.txt", ".x.toml", "a/b.toml", "a\\b.toml", "a..toml", "\n.toml", "", "é.toml"]
)
def test_file_names_that_could_lead_elsewhere_are_refused(rules: Path, name: str) -> None:
    store = loaded(rules)
    with pytest.raises(RuleFileError, match="named with"):
        store.save(name, "", 0)


def test_a_link_is_read_but_not_replaced(rules: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.toml").write_text(text_of("three"))
    os.symlink(tmp_path / "elsewhere.toml", rules / "l.toml")
    store = loaded(rules)
    assert "three" in ids(store)
    with pytest.raises(RuleFileError, match="is a link"):
        store.set_enabled("three", False)


def test_switching_a_rule_off_and_on_leaves_the_rest_of_the_file_as_it_was(rules: Path) -> None:
    store = loaded(rules)
    before = (rules / "a.toml").read_text()
    _, events = store.set_enabled("two", False, "Ana", 3.0)
    assert events[0].text == "Ana switched off the rule two in a.toml."
    assert [rule.enabled for rule in store.rules] == [True, False]
    assert (rules / "a.toml").read_text() == before.replace('id = "two"  # keep me\n', 'id = "two"  # keep me\nenabled = false\n')
    store.set_enabled("two", True)
    assert all(rule.enabled for rule in store.rules)


def test_deleting_a_rule_leaves_the_others_as_they_were(rules: Path) -> None:
    store = loaded(rules)
    store.delete("one", "Ana")
    assert (rules / "a.toml").read_text() == text_of("two")
    assert ids(store) == ["two"]


def test_editing_takes_up_what_changed_on_disk_first(rules: Path) -> None:
    store = loaded(rules)
    (rules / "a.toml").write_text("# new\n" + text_of("one", "two", value=9))
    store.set_enabled("one", False)
    assert (rules / "a.toml").read_text().startswith("# new\n")
    assert store.rules[0].condition.value == 9


def test_rules_that_are_not_there_or_in_a_broken_file_are_not_edited(rules: Path) -> None:
    store = loaded(rules)
    with pytest.raises(RuleFileError, match="no rule 'zzz'"):
        store.delete("zzz")
    (rules / "a.toml").write_text("[[rule")
    with pytest.raises(RuleFileError, match="mend it first"):
        store.set_enabled("one", False)
    assert (rules / "a.toml").read_text() == "[[rule"


def test_a_disk_that_refuses_leaves_the_old_file_and_no_litter(rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = loaded(rules)
    before = (rules / "a.toml").read_text()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RuleFileError, match="No space left"):
        store.save("a.toml", text_of("one", value=7), store.files[0].revision)
    assert (rules / "a.toml").read_text() == before
    assert sorted(path.name for path in rules.iterdir()) == [".in-force", "a.toml"]
    assert ids(store) == ["one", "two"]


def test_the_mode_of_the_file_is_kept(rules: Path) -> None:
    os.chmod(rules / "a.toml", 0o600)
    loaded(rules).set_enabled("one", False)
    assert (rules / "a.toml").stat().st_mode & 0o777 == 0o600
