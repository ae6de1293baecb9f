"""Where a request really comes from: proxies are believed when they are named, nobody else."""

import ipaddress

import pytest

from admin.access.address import client_address, throttled_as

PROXIES = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "really"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.7", "203.0.113.9"),
        ("10.0.0.2", "", "10.0.0.2"),
        ("10.0.0.2", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.2", "198.51.100.7, 10.0.0.9", "198.51.100.7"),
        ("10.0.0.2", "192.0.2.1, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.2", "192.0.2.1, nonsense", "10.0.0.2"),
        ("10.0.0.2", "10.0.0.3", "10.0.0.3"),
        ("fd00::2", "2001:db8::7", "2001:db8::7"),
        ("", "198.51.100.7", "127.0.0.1"),
        ("", "", "127.0.0.1"),
    ],
)
def test_the_last_address_that_no_proxy_has_is_the_client(peer: str, forwarded: str, really: str) -> None:
    assert client_address(peer, forwarded, PROXIES) == really


def test_without_named_proxies_no_header_is_believed() -> None:
    assert client_address("10.0.0.2", "198.51.100.7", ()) == "10.0.0.2"


def test_a_proxy_at_a_unix_socket_is_one_on_this_machine() -> None:
    here = (ipaddress.ip_network("127.0.0.1"),)
    assert client_address("", "198.51.100.7", here) == "198.51.100.7"


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("", ""),
    ],
)
def test_who_has_a_whole_ipv6_network_is_counted_once(address: str, counted: str) -> None:
    assert throttled_as(address) == counted
