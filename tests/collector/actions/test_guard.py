"""Notices go nowhere inside unless the settings say so, whatever a name says it is."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import pytest

from collector.actions.guard import ForbiddenAddressError, GuardedResolver, check_url, guarded_socket, is_public
from collector.actions.posting import Letter, Post
from collector.actions.receiver import NotToldError
from tests.collector.actions.flaky import flaky

INSIDE = (
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "169.254.170.2",
    "100.64.0.1",
    "100.100.100.200",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2001:0:7f00:1::1",
)
OUTSIDE = (
    "1.1.1.1",
    "8.8.8.8",
    "93.184.215.14",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700::1111",
    "2a00:1450::1",
    "64:ff9b::808:808",
    "::ffff:8.8.8.8",
)


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_outside_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    ["ftp://example.com/", "file:///etc/passwd", "gopher://x/", "https://", "http:///x", "http://a:99999/", "http://a b/", "x"],
)
def test_only_addresses_of_http_are_taken(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        check_url(url, True)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://[::1]:80/", "https://[::ffff:10.1.2.3]/", "http://169.254.169.254/x"]
)
def test_a_literal_address_inside_is_refused_when_the_settings_are_read(url: str) -> None:
    with pytest.raises(ValueError, match="private = true"):
        check_url(url, False)
    check_url(url, True)


async def test_a_name_with_one_address_inside_is_refused_though_others_are_outside() -> None:
    async def look(host: str, port: int) -> Sequence[str]:
        return ["1.1.1.1", "169.254.169.254"]

    with pytest.raises(ForbiddenAddressError, match=r"169\.254\.169\.254"):
        await GuardedResolver(False, look).resolve("metadata.example.com", 80)


async def test_a_name_is_looked_up_once_and_the_connection_goes_to_what_was_looked_at() -> None:
    """A name that says it is inside the second time it is asked is asked only once; the socket is looked at again besides."""
    asked = []

    async def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    async with flaky() as server:
        port = server.url.rpartition(":")[2]
        post = Post(2.0, False, look=rebinding)
        with pytest.raises(NotToldError, match=r"127\.0\.0\.1 is on this machine"):
            await post.send(Letter(f"http://hooks.example.com:{port}/x", b"{}", {}))
        await post.close()
        allowed = Post(2.0, True, look=rebinding)
        await allowed.send(Letter(f"http://hooks.example.com:{port}/x", b"{}", {}))
        await allowed.close()
    assert len(server.got) == 1
    assert asked == ["hooks.example.com"] * 2


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "127.0.0.1."])
async def test_no_way_of_writing_this_machine_gets_there(host: str) -> None:
    async with flaky() as server:
        post = Post(2.0, False)
        with pytest.raises(NotToldError):
            await post.send(Letter(f"http://{host}:{server.url.rpartition(':')[2]}/x", b"{}", {}))
        await post.close()
    assert server.got == []


def test_the_last_look_is_at_the_address_of_the_socket() -> None:
    with pytest.raises(ForbiddenAddressError):
        guarded_socket(False)((2, 1, 6, "", ("10.0.0.1", 80)))
