"""What is personal data and what only looks like it, kind by kind."""

from __future__ import annotations

import pytest

from monitor.pipeline.found import PiiKind
from monitor.pipeline.pii import PiiFilter, PiiPolicy

EVERYTHING = PiiFilter(dict.fromkeys(PiiKind, PiiPolicy.REDACT))
JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"


def found(text: str) -> list[tuple[str, str]]:
    return [(kind.value, text[start:end]) for kind, start, end in EVERYTHING.find(text)]


VALID = {
    "email": {
        "mail to maria.lopez+x@mail.example.co.uk, please": "maria.lopez+x@mail.example.co.uk",
        "/login?user=1&mail=bob%40example.org&x=1": "bob%40example.org",
        "<jürgen@bücher.de>": "jürgen@bücher.de",
        "bob@example.com_2024": "bob@example.com",
    },
    "ipv4": {"client 203.0.113.9:443 said": "203.0.113.9", "GET http://10.1.2.3/x": "10.1.2.3", "[192.168.0.1]": "192.168.0.1"},
    "ipv6": {
        "from 2001:db8::8a2e:370:7334 ok": "2001:db8::8a2e:370:7334",
        "6e40:4041:c617:e898:c11:40d2:c669:2eb4": "6e40:4041:c617:e898:c11:40d2:c669:2eb4",
        "[fe80::1%eth0]:80": "fe80::1",
        "mapped ::ffff:192.0.2.128 here": "::ffff:192.0.2.128",
        "net 2001:db8:1:2::/64": "2001:db8:1:2::",
    },
    "card": {
        "card 4111111111111111 ok": "4111111111111111",
        "4111 1111 1111 1111 12/27": "4111 1111 1111 1111",
        "5500-0000-0000-0004": "5500-0000-0000-0004",
        "amex 3782 822463 10005": "3782 822463 10005",
        "3530111333300000": "3530111333300000",
        "6304000000000000 x": "6304000000000000",
        "30569309025904": "30569309025904",
        '{"pan":"2221000000000009"}': "2221000000000009",
    },
    "iban": {
        "to GB82 WEST 1234 5698 7654 32 today": "GB82 WEST 1234 5698 7654 32",
        "DE89370400440532013000": "DE89370400440532013000",
        "gb82west12345698765432": "gb82west12345698765432",
        "NO9386011117947 and": "NO9386011117947",
        "MT84MALT011000012345MTLCAST001S": "MT84MALT011000012345MTLCAST001S",
        "FR14 2004 1010 0505 0001 3M02 606": "FR14 2004 1010 0505 0001 3M02 606",
    },
    "ssn": {"is 536-90-4399.": "536-90-4399", "SSN: 536904399": "536904399", "social security number 536 90 4399": "536 90 4399"},
    "phone": {
        "+44 20 7946 0958": "+44 20 7946 0958",
        "call +1 (415) 555-2671 now": "+1 (415) 555-2671",
        "+14155552671": "+14155552671",
        "+46 (0)8 928 571 38": "+46 (0)8 928 571 38",
        "001-518-640-0854": "001-518-640-0854",
        "(579)888-3058": "(579)888-3058",
        "345-899-3560x4587": "345-899-3560x4587",
        "call 415.555.2671": "415.555.2671",
        "03.93.92.16.85": "03.93.92.16.85",
        "07700 900 123": "07700 900 123",
        "030/1234567": "030/1234567",
        "Phone: 451 5986": "451 5986",
        "fax=9498777106": "9498777106",
        "416 60 039 office": "416 60 039",
        "reach me at 72 128 827.": "72 128 827",
        '"phone": "5403926876"': "5403926876",
        "+49 30 901820 2024-01-02": "+49 30 901820",
    },
    "jwt": {f"got {JWT}; next": JWT},
    "secret": {
        "aws AKIAIOSFODNN7EXAMPLE x": "AKIAIOSFODNN7EXAMPLE",
        "ghp_" + "a1B2" * 9: "ghp_" + "a1B2" * 9,
        "password=hunter2 x": "hunter2",
        '"db_password": "s3cr&t"': "s3cr",
        "api_key=Zq8dK2mX0aP4rT7uW9yB next": "Zq8dK2mX0aP4rT7uW9yB",
        "Authorization: Bearer 7f3a9c0d1e2b4a5f": "7f3a9c0d1e2b4a5f",
        "postgres://app:s3cret@db:5432/x": "s3cret",
        "token: 9f86d081884c7d659a2feaa0c55ad015": "9f86d081884c7d659a2feaa0c55ad015",
        "AIza" + "Sy_0" * 8 + "abc": "AIza" + "Sy_0" * 8 + "abc",
    },
    "name": {
        'x "full_name": "Ada Lovelace", y': "Ada Lovelace",
        "user=alice action=x": "alice",
        "customer: Šárka Ottová paid": "Šárka Ottová",
        "name=Alice Smith age=3": "Alice Smith",
        "first_name=jane": "jane",
        "/q?last_name=O'Neil&x": "O'Neil",
        r"{\"customer_name\": \"Bob van Dyke\"}": "Bob van Dyke",
    },
}
CASES = [(kind, text, value) for kind, texts in VALID.items() for text, value in texts.items()]


@pytest.mark.parametrize(("kind", "text", "value"), CASES, ids=[f"{kind}: {text[:40]}" for kind, text, _ in CASES])
def test_it_finds_the_whole_value_and_nothing_else(kind: str, text: str, value: str) -> None:
    assert found(text) == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "root@host",
        "icon@2x.png",
        "user@1000.service started",
        "npm i react@18.2.0",
        "git@github.com:org/repo",
        "1.2.3.4.5",
        "999.1.1.1",
        "version 1.2.3.4",
        "Chrome/121.0.0.0 Safari",
        "v1.2.3.4",
        "listen 0.0.0.0:80 and 127.0.0.1",
        "std::vector<a::b> at 12:34:56",
        "::1",
        "00:1b:44:11:3a:b7",
        "02:42:ac:11:00:02:aa:bb",
        "4111111111111112",
        "4111 1111 1111 1112",
        "epoch 1700000000000 and 1700000000000000000",
        "0.4111111111111111",
        "id a854-317407485496",
        "9111111111111111",
        "GB82WEST12345698765433",
        "DE8937040044053201300",
        "XX82WEST12345698765432",
        "000-12-3456",
        "666-12-3456",
        "900-12-3456",
        "536-00-4399",
        "536-90-0000",
        "1536-90-4399",
        "078-05-1120",
        "2024-01-02 12:00:00",
        "01.02.2024 10:11:12",
        "09-12-2024",
        "took 123 4567 ms",
        "+0100",
        "heap +123456789 bytes",
        "1e+12345678",
        "status 200 512 1234",
        "order 5403926876",
        "call 2024-01-02 12:00",
        "eyJ.a.b",
        "cache key=user:profile:123",
        "key=cache-user-0001-profile-x",
        "password=null",
        "password: ******",
        "password must be long",
        "bypass=everything",
        "token count: 17",
        "user=root",
        "name=billing-api",
        "hostname=Web1 filename=Report.pdf",
        "service.name=Checkout",
        "user=12345",
        "name: null",
    ],
)
def test_it_leaves_alone_what_only_looks_like_it(text: str) -> None:
    assert found(text) == []


def test_of_two_that_overlap_it_takes_the_longer() -> None:
    assert found("::ffff:192.0.2.128") == [("ipv6", "::ffff:192.0.2.128")]
    assert found(f"token={JWT}") == [("jwt", JWT)]
    assert found("password=bob@example.com!") == [("secret", "bob@example.com!")]


def test_it_finds_all_that_a_line_holds() -> None:
    text = "bob@example.com from 203.0.113.9 paid with 4111 1111 1111 1111, phone +44 20 7946 0958"
    assert [kind for kind, _ in found(text)] == ["email", "ipv4", "card", "phone"]


def test_places_are_characters_where_the_text_is_not_ascii() -> None:
    assert found("Grüße, Zoë 😀 <bob@example.com> und 203.0.113.9") == [("email", "bob@example.com"), ("ipv4", "203.0.113.9")]
