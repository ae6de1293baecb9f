"""Webhooks go to public addresses and nowhere else, unless the operator allows it."""

from ipaddress import ip_network

import pytest

from webhooks.outgoing.addresses import AddressRefused, AddressRules, target_of

PUBLIC, PUBLIC6 = "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"


def resolving(*addresses: str) -> object:
    return lambda _host, _port: list(addresses)


def refusal(address: str, *found: str, networks: tuple[str, ...] = ()) -> str | None:
    rules = AddressRules(map(ip_network, networks))
    return rules.refusal(address, resolving(*found))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "address",
    [
        "https://crm.example.com",
        "https://crm.example.com/",
        "https://crm.example.com:8443/hooks?token=1",
        "https://CRM.example.com./hooks",
        f"https://{PUBLIC}/hooks",
        f"https://[{PUBLIC6}]:8443/hooks",
    ],
)
def test_a_public_address_is_taken(address: str) -> None:
    assert refusal(address, PUBLIC6 if "[" in address else PUBLIC) is None


@pytest.mark.parametrize(
    "address",
    [
        "",
        "crm.example.com",
        "//crm.example.com/hooks",
        "https:crm.example.com",
        "https:///hooks",
        "file:///etc/passwd",
        "ftp://crm.example.com/",
        "gopher://crm.example.com/",
        "javascript:alert(1)",
        "https://user@crm.example.com/",
        "https://user:password@crm.example.com/",
        "https://crm.example.com@10.0.0.1/",
        "https://crm.example.com\\@10.0.0.1/",
        "https://crm.example.com/#fragment",
        "https://crm.example.com:0/",
        "https://crm.example.com:65536/",
        "https://crm.example.com:port/",
        "https://crm .example.com/",
        "https://crm.example.com/\r\nHost: other",
        "https://crm.example.com/\x00",
        "https://crm..example.com/",
        "https://büro.example.com/",
        "https://crm.example.com/" + "x" * 2000,
        "https://0x7f000001/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://127.0.0.1.0x1/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://[v1.x]/",
    ],
)
def test_what_is_no_plain_web_address_is_refused(address: str) -> None:
    assert refusal(address, PUBLIC) is not None
    with pytest.raises(AddressRefused):
        target_of(address)


@pytest.mark.parametrize(
    "ip",
    [
        "127.0.0.1",
        "127.255.255.254",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - nothing is bound
        "224.0.0.1",
        "239.255.255.250",
        "255.255.255.255",
        "240.0.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:7f00:1::1",
        "2002:5db8:d70e::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    ],
)
def test_an_address_that_is_not_public_is_refused_however_it_is_reached(ip: str) -> None:
    assert refusal("https://rebound.example.com/", ip) == (
        "leads to a network that is not public; give a public address"
    )
    with pytest.raises(AddressRefused):
        AddressRules().choose(target_of("https://rebound.example.com/"), [ip])


@pytest.mark.parametrize("ip", [PUBLIC, PUBLIC6, f"::ffff:{PUBLIC}", "64:ff9b::5db8:d70e"])
def test_a_public_address_is_public_also_when_it_is_mapped_or_translated(ip: str) -> None:
    assert refusal("https://crm.example.com/", ip) is None


def test_names_of_this_machine_are_refused_by_what_they_mean() -> None:
    assert AddressRules().refusal("https://localhost/") is not None
    assert AddressRules().refusal("https://127.0.0.1/") is not None
    assert AddressRules().refusal("https://[::1]/") is not None


def test_of_several_addresses_only_those_that_may_be_reached_are_chosen() -> None:
    target = target_of("https://crm.example.com/")
    assert AddressRules().choose(target, ["10.0.0.1", PUBLIC, "::1", PUBLIC6]) == [PUBLIC, PUBLIC6]


def test_a_name_that_cannot_be_looked_up_is_judged_when_it_can() -> None:
    def fail(_host: str, _port: int) -> list[str]:
        raise OSError

    assert AddressRules().refusal("https://not-yet.example.com/", fail) is None
    assert AddressRules().refusal("http://not-yet.example.com/", fail) == "must begin with https://"
    with pytest.raises(AddressRefused):
        AddressRules().choose(target_of("https://not-yet.example.com/"), [])


@pytest.mark.parametrize("address", ["http://crm.example.com/", f"http://{PUBLIC}/"])
def test_without_tls_nothing_public_is_told(address: str) -> None:
    assert refusal(address, PUBLIC) == "must begin with https://"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("ip", "network", "allowed"),
    [
        ("10.9.8.7", "10.9.0.0/16", True),
        ("::ffff:10.9.8.7", "10.9.0.0/16", True),
        ("fd00::7", "fd00::/8", True),
        ("10.8.8.7", "10.9.0.0/16", False),
        ("169.254.169.254", "10.9.0.0/16", False),
    ],
)
def test_the_operator_may_allow_networks(scheme: str, ip: str, network: str, *, allowed: bool) -> None:
    assert (refusal(f"{scheme}://crm.internal/", ip, networks=(network,)) is None) == allowed


def test_an_address_is_taken_apart_for_the_request() -> None:
    target = target_of("https://CRM.example.com:8443/hooks?a=1")
    assert (target.host, target.port, target.path) == ("crm.example.com", 8443, "/hooks?a=1")
    assert target.authority == "crm.example.com:8443"
    assert target_of("https://crm.example.com:443?a=1").authority == "crm.example.com"
    assert target_of("https://crm.example.com:443?a=1").path == "/?a=1"
    assert target_of(f"https://[{PUBLIC6}]:8443/").authority == f"[{PUBLIC6}]:8443"
