"""Relabelling: rules that keep, drop and rewrite sets of labels, as Prometheus' relabel_config has them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from monitor.model.matchers import SelectorError, compile_pattern

MOST_RULES = 200
"""Of one list."""
MOST_LABELS = 256
"""That a labelmap may leave on one set; further ones are not made."""
ANY = "(.*)"
_REFERENCE = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})", re.ASCII)
_KEYS = ("source_labels", "separator", "target_label", "regex", "modulus", "replacement", "action")


@dataclass(frozen=True, slots=True)
class Rule:
    """One step. `regex` is RE2 and matches the whole text; `replacement` and `target_label` may name its groups: $1, ${name}."""

    action: str = "replace"
    source_labels: tuple[str, ...] = ()
    separator: str = ";"
    target_label: str = ""
    regex: str = ANY
    replacement: str = "$1"
    modulus: int = 0


def read_rules(written: Any) -> tuple[Rule, ...]:
    """Rules from a list of tables as a file has them. Raises `ValueError` saying which is wrong and what to write."""
    if not isinstance(written, (list, tuple)) or not all(isinstance(entry, Mapping) for entry in written):
        raise ValueError('expected a list of rules like { source_labels = ["x"], regex = "…", action = "keep" }')
    if len(written) > MOST_RULES:
        raise ValueError(f"{len(written)} relabelling rules are more than the {MOST_RULES} allowed")
    rules = []
    for number, entry in enumerate(written, 1):
        try:
            rules.append(_read_rule(entry))
        except ValueError as error:
            raise ValueError(f"rule {number}: {error}") from None
    return tuple(rules)


def _read_rule(entry: Mapping[str, Any]) -> Rule:
    for key in entry:
        if key not in _KEYS:
            raise ValueError(f"{str(key)[:40]!r} is no part of a rule; known: {', '.join(_KEYS)}")
    sources = entry.get("source_labels", ())
    if not isinstance(sources, (list, tuple)) or not all(isinstance(name, str) and name for name in sources):
        raise ValueError('source_labels is a list of names, as in ["__address__"]')
    modulus = entry.get("modulus", 0)
    if not isinstance(modulus, int) or isinstance(modulus, bool) or not 0 <= modulus < 1 << 64:
        raise ValueError("modulus is a whole number above zero")
    texts = {name: entry.get(name, getattr(_DEFAULT, name)) for name in ("separator", "target_label", "regex", "replacement")}
    for name, text in texts.items():
        if not isinstance(text, str):
            raise ValueError(f"{name} is a text in quotes")
    action = entry.get("action", _DEFAULT.action)
    check = _CHECKS.get(action.lower()) if isinstance(action, str) else None
    if check is None:
        raise ValueError(f"the action {action!r} is none; known: {', '.join(_CHECKS)}")
    rule = Rule(action.lower(), tuple(sources), modulus=modulus, **texts)
    try:
        compile_pattern(rule.regex)
    except SelectorError as error:
        raise ValueError(f"regex: {error}") from None
    check(rule, entry)
    return rule


def _needs_target(rule: Rule, entry: Mapping[str, Any]) -> None:
    if not rule.target_label:
        raise ValueError(f"{rule.action} needs a target_label")
    if rule.action == "hashmod" and not rule.modulus:
        raise ValueError("hashmod needs a modulus above zero")


def _needs_sources(rule: Rule, entry: Mapping[str, Any]) -> None:
    if not rule.source_labels:
        raise ValueError(f"{rule.action} needs source_labels")


def _compares(rule: Rule, entry: Mapping[str, Any]) -> None:
    _needs_target(rule, entry)
    _needs_sources(rule, entry)


def _names_only(rule: Rule, entry: Mapping[str, Any]) -> None:
    allowed = ("regex", "action", *(("replacement",) if rule.action == "labelmap" else ()))
    for key in entry:
        if key not in allowed:
            raise ValueError(f"{rule.action} goes by the names of labels: only {' and '.join(allowed)} say something to it")


_DEFAULT = Rule()
_CHECKS: dict[str, Callable[[Rule, Mapping[str, Any]], None]] = {
    "replace": _needs_target,
    "keep": _needs_sources,
    "drop": _needs_sources,
    "keepequal": _compares,
    "dropequal": _compares,
    "hashmod": _needs_target,
    "labelmap": _names_only,
    "labeldrop": _names_only,
    "labelkeep": _names_only,
    "lowercase": _needs_target,
    "uppercase": _needs_target,
}


def relabelled(labels: Mapping[str, str], rules: Iterable[Rule]) -> dict[str, str] | None:
    """The labels after all rules, those that became empty left out; None where a rule drops the whole set."""
    now = {name: value for name, value in labels.items() if value}
    for rule in rules:
        if not _apply(rule, now):
            return None
    return now


def _apply(rule: Rule, labels: dict[str, str]) -> bool:
    """Change `labels` in place; false where they are dropped."""
    match rule.action:
        case "labelmap" | "labeldrop" | "labelkeep":
            _by_name(rule, labels)
            return True
        case _:
            value = rule.separator.join([labels.get(name, "") for name in rule.source_labels])
    match rule.action:
        case "keep":
            return compile_pattern(rule.regex).fullmatch(value) is not None
        case "drop":
            return compile_pattern(rule.regex).fullmatch(value) is None
        case "keepequal":
            return labels.get(rule.target_label, "") == value
        case "dropequal":
            return labels.get(rule.target_label, "") != value
        case "hashmod":
            digest = hashlib.md5(value.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
            _set(labels, rule.target_label, str(int.from_bytes(digest[8:], "big") % rule.modulus))
        case "lowercase":
            _set(labels, rule.target_label, value.lower())
        case "uppercase":
            _set(labels, rule.target_label, value.upper())
        case _:
            match = compile_pattern(rule.regex).fullmatch(value)
            if match is not None and (target := expanded(rule.target_label, match)):
                _set(labels, target, expanded(rule.replacement, match))
    return True


def _by_name(rule: Rule, labels: dict[str, str]) -> None:
    pattern = compile_pattern(rule.regex)
    if rule.action == "labelmap":
        for name, value in list(labels.items()):
            match = pattern.fullmatch(name)
            if match is not None and len(labels) < MOST_LABELS and (target := expanded(rule.replacement, match)):
                labels[target] = value
        return
    drops = rule.action == "labeldrop"
    for name in list(labels):
        if (pattern.fullmatch(name) is not None) == drops:
            del labels[name]


def _set(labels: dict[str, str], name: str, value: str) -> None:
    if value:
        labels[name] = value
    else:
        labels.pop(name, None)


def expanded(template: str, match: Any) -> str:
    """`template` with $1, ${1}, $name and ${name} replaced by what the groups of `match` hold, $$ by a dollar sign.

    As Go's Regexp.Expand: the longest name counts, a group that is not there is empty, a lone dollar sign stays.
    """
    if "$" not in template:
        return template

    def group(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        if name is None:
            return "$"
        if name.isdecimal():
            number = -1 if name[0] == "0" and len(name) > 1 else int(name[:6])
            return (match.group(number) or "") if 0 <= number <= match.re.groups else ""
        return (match.group(name) or "") if name in match.re.groupindex else ""

    return _REFERENCE.sub(group, template)
