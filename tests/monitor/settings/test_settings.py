"""Settings come from one declaration, and every problem names its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.settings import places
from monitor.settings.address import Address, read_address
from monitor.settings.declared import SETTINGS, TABLES
from monitor.settings.kinds import read_duration, read_size
from monitor.settings.load import SettingsError, load_settings, without_password
from monitor.settings.reference import reference_page, toml_value


def problems_of(text: str, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_settings(text, "lightship.toml", environ)
    return [str(problem) for problem in caught.value.problems]


def test_the_defaults_are_valid_and_bind_to_loopback() -> None:
    settings = load_settings()
    assert settings["http"] == Address("127.0.0.1", 7070)
    assert settings["statsd"] == (Address("127.0.0.1", 8125),)
    assert settings["windows"] == (60.0, 300.0, 900.0, 3600.0)


def test_a_flag_wins_over_the_environment_and_that_over_the_file() -> None:
    text = 'name = "file"\nlateness = "2m"\nseries_limit = 5\n'
    environ = {"LIGHTSHIP_NAME": "environment", "LIGHTSHIP_LATENESS": "3m"}
    settings = load_settings(text, "lightship.toml", environ, {"name": "flag", "http": None})
    assert (settings["name"], settings["lateness"], settings["series_limit"]) == ("flag", 180.0, 5)
    assert settings.sources == {"name": "--name", "lateness": "LIGHTSHIP_LATENESS", "series_limit": "lightship.toml, line 3"}


def test_an_unknown_key_is_named_with_its_line_and_what_was_meant() -> None:
    assert problems_of('name = "a"\nlatenes = "5m"\n') == [
        "lightship.toml, line 2: latenes: no such setting; did you mean lateness?"
    ]


def test_all_problems_are_told_at_once() -> None:
    found = problems_of('http = "nowhere"\n[[scrape]]\njob = "a"\n', {"LIGHTSHIP_CLIENTS": "many"})
    assert found == [
        "LIGHTSHIP_CLIENTS: clients: expected a whole number above zero, found 'many'",
        "lightship.toml, line 1: http: expected an address like \"127.0.0.1:7070\", found 'nowhere'",
        "lightship.toml, line 2: scrape.url: is missing; every one needs it, or targets, file_sd, http_sd",
    ]


def test_a_text_that_is_not_toml_is_refused_with_its_line() -> None:
    assert problems_of('name = "a"\nhttp = \n')[0].startswith("lightship.toml, line 2: not valid TOML")


def test_a_table_written_as_a_value_says_how_to_write_it() -> None:
    assert problems_of('scrape = "http://a"\n') == ["lightship.toml, line 1: scrape: write each one under its own [[scrape]]"]


def test_what_an_engine_or_scraper_would_refuse_is_refused_with_its_line() -> None:
    text = 'windows = ["2h"]\n[[derived]]\nname = "a"\nformula = "hits / ("\n[[scrape]]\nurl = "localhost:9100"\n'
    lines = [problem.partition(": ")[0] for problem in problems_of(text)]
    assert lines == ["lightship.toml, line 1", "lightship.toml, line 4", "lightship.toml, line 6"]


def test_scrape_targets_are_read_with_their_defaults() -> None:
    settings = load_settings('[[scrape]]\nurl = "http://a:9100/metrics"\nlabels = { env = "prod" }\n', "lightship.toml")
    (target,) = settings.tables["scrape"]
    assert (target["url"], target["interval"], target["labels"]) == ("http://a:9100/metrics", 15.0, {"env": "prod"})


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("127.0.0.1:1", Address("127.0.0.1", 1)),
        ("[::1]:7", Address("::1", 7)),
        (":9", Address("127.0.0.1", 9)),
        (8, Address("127.0.0.1", 8)),
    ],
)
def test_addresses_are_read(written: object, address: Address) -> None:
    assert read_address(written) == address


@pytest.mark.parametrize("written", ["", "a:b", "a:70000", "::1:80", "host", True])
def test_what_is_no_address_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="address"):
        read_address(written)


def test_durations_are_written_with_a_unit_or_in_milliseconds() -> None:
    assert (read_duration("1h30m"), read_duration(300_000)) == (5400.0, 300.0)


def test_sizes_have_binary_and_decimal_units() -> None:
    assert (read_size("4 MiB"), read_size("64kB"), read_size(10)) == (4 << 20, 64_000, 10)


def test_every_default_is_read_without_a_problem_and_survives_being_written() -> None:
    for setting in SETTINGS:
        text = f"{setting.name} = {toml_value(setting.default)}\n"
        assert load_settings(text, "a.toml").values[setting.name] == setting.read(setting.default)


def test_the_reference_page_in_the_docs_is_the_declared_one() -> None:
    page = Path(__file__).parents[3] / "docs" / "settings.md"
    assert page.read_text(encoding="utf-8") == reference_page(), "write it anew: lightship config reference > docs/settings.md"


def test_every_setting_has_a_sentence() -> None:
    declared = [*SETTINGS, *(setting for table in TABLES.values() for setting in table)]
    assert [
        setting.name for setting in declared if not setting.help.rstrip(".…").isprintable() or len(setting.help.split()) < 4
    ] == []


def test_places_follow_the_platform() -> None:
    assert places.data_folder({}, "linux", "/home/a") == "/home/a/.local/share/lightship"
    assert places.data_folder({"XDG_DATA_HOME": "/x"}, "linux", "/home/a") == "/x/lightship"
    assert places.data_folder({}, "darwin", "/Users/a") == "/Users/a/Library/Application Support/lightship"
    assert places.config_file({}, "linux", "/home/a") == "/home/a/.config/lightship/lightship.toml"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("http://bob:s3cret@node:9100/metrics", "http://bob:***@node:9100/metrics"),
        ("http://bob:a@b:c@node/metrics?x=1", "http://bob:***@node/metrics?x=1"),
        ("http://node/a@b:c", "http://node/a@b:c"),
        ("http://bob@node/metrics", "http://bob@node/metrics"),
        (15.0, 15.0),
    ],
)
def test_passwords_are_not_shown(written: object, shown: object) -> None:
    assert without_password(written) == shown


def test_a_refused_address_is_told_without_its_password() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings('[[scrape]]\nurl = "ftp://bob:s3cret@node/metrics"', "l.toml")
    assert "s3cret" not in str(caught.value)
    assert "node/metrics" in str(caught.value)


@pytest.mark.parametrize(
    ("address", "loopback"),
    [("127.0.0.1:1", True), ("[::1]:1", True), ("localhost:1", True), ("0.0.0.0:1", False), ("[::]:1", False), ("mine:1", False)],
)
def test_what_only_this_machine_reaches(address: str, loopback: bool) -> None:
    assert read_address(address).is_loopback is loopback


def test_secrets_are_never_shown() -> None:
    settings = load_settings(
        'remote_token = "s3cret"\nremote_headers = { X-Scope-OrgID = "s3cret" }\nremote_write = "http://me:s3cret@store/write"\n'
    )
    assert settings["remote_token"] == "s3cret"
    assert "s3cret" not in repr(settings.shown)
    assert settings.shown["remote_password"] == "", "what is not set is not hidden"


def test_no_time_can_be_none_where_that_means_something() -> None:
    assert load_settings('remote_recent = "0s"')["remote_recent"] == 0.0
    assert problems_of('lateness = "0s"')[0].startswith("lightship.toml, line 1: lateness: expected a time above zero")
