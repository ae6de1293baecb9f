"""From which address a request really comes: forwarded headers are believed from named proxies only."""

import ipaddress
from collections.abc import Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_THIS_MACHINE = "127.0.0.1"
_NETWORK_OF_A_CUSTOMER = 64
"""The bits of an IPv6 address that tell subscribers apart; the rest each of them can choose."""


def client_address(peer: str, forwarded_for: str, trusted: Sequence[Network]) -> str:
    """The address of who asks: `peer`, or the last one in X-Forwarded-For that no trusted proxy has.

    An empty `peer` is a unix socket: its other end is on this machine. What is no address ends the
    search: the proxy that sent it is then the last that we know.
    """
    known = peer or _THIS_MACHINE
    for claimed in reversed(forwarded_for.split(",")):
        if not _is_proxy(known, trusted):
            break
        try:
            known = str(ipaddress.ip_address(claimed.strip()))
        except ValueError:
            break
    return known


def is_this_machine(address: str) -> bool:
    """Whether only somebody who is on this machine comes from there, or a proxy that nobody named."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def throttled_as(address: str) -> str:
    """What failures are counted under: the address, for IPv6 its /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, _NETWORK_OF_A_CUSTOMER), strict=False))
    return str(parsed)


def _is_proxy(address: str, trusted: Sequence[Network]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed.version == network.version and parsed in network for network in trusted)
