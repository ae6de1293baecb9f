"""Where webhooks may go: to public addresses, and to networks that the operator allows.

Checked when an endpoint is saved and again for every connection, which is made to the very address
that was checked: a name that means something else a moment later gains nothing.
"""

import re
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

Network = IPv4Network | IPv6Network
Ip = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Sequence[str]]
"""(host, port) → addresses as text; raises OSError."""

_LONGEST = 2000
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE | re.ASCII)
_ENDS_IN_A_NUMBER = re.compile(r"(^|\.)(\d+|0x[0-9a-f]*)\.?$", re.IGNORECASE | re.ASCII)
"""What some programs take for an IPv4 address in an odd notation (URL Standard, "ends in a number")."""
_PORTS = {"https": 443, "http": 80}
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052, section 2.1
_PATIENCE = 1.0
"""Seconds that an operator waits for a name to be looked up."""


class AddressRefused(Exception):
    """Nothing may be sent there; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address taken apart."""

    scheme: str
    host: str
    """A name, or an IP address without brackets."""
    port: int
    path: str
    """With its query; what stands in the request line."""
    authority: str
    """What stands in the Host header."""

    @property
    def is_secure(self) -> bool:
        return self.scheme == "https"


class AddressRules:
    """What an installation allows. `networks` may be reached besides public addresses, without TLS too."""

    def __init__(self, networks: Iterable[Network] = ()) -> None:
        self._networks = tuple(networks)

    def refusal(self, address: str, resolve: Resolve | None = None) -> str | None:
        """Why an address cannot be saved; None: it can.

        A name that cannot be looked up in time is taken: each connection is checked anyway.
        """
        try:
            target = target_of(address)
            found = _promptly(resolve or look_up, target.host, target.port)
            if found or not target.is_secure:
                self.choose(target, found)
        except AddressRefused as refused:
            return str(refused)
        return None

    def choose(self, target: Target, found: Sequence[str]) -> list[str]:
        """Those of the addresses of a host that may be connected to; raise `AddressRefused`."""
        allowed = [text for text in found if self._allows(text, secure=target.is_secure)]
        if allowed:
            return allowed
        if not target.is_secure and (not found or any(self._allows(text, secure=True) for text in found)):
            raise AddressRefused("must begin with https://")
        raise AddressRefused("leads to a network that is not public; give a public address")

    def _allows(self, text: str, *, secure: bool) -> bool:
        try:
            ip = _meant(ip_address(text))
        except ValueError:
            return False
        return any(ip in network for network in self._networks) or (secure and _is_public(ip))


def target_of(address: str) -> Target:
    """Take an address apart; raise `AddressRefused` where it is none that webhooks can go to."""
    if len(address) > _LONGEST or not address.isascii() or not address.isprintable() or " " in address:
        raise AddressRefused("must be a web address of at most 2000 plain characters")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise AddressRefused("is no web address") from None
    if parts.scheme not in _PORTS or not address.lower().startswith(f"{parts.scheme}://"):
        raise AddressRefused("must begin with https://")
    if "@" in parts.netloc:
        raise AddressRefused("must not hold a user name or password; use a static field, or the signature")
    if parts.fragment or "\\" in address:
        raise AddressRefused("must not hold a # or a backslash")
    host = _host(parts.hostname or "", is_ip=parts.netloc.startswith("["))
    if port == 0:
        raise AddressRefused("has a port that is none")
    bracketed = f"[{host}]" if ":" in host else host
    authority = bracketed if port in {None, _PORTS[parts.scheme]} else f"{bracketed}:{port}"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or _PORTS[parts.scheme], path, authority)


def look_up(host: str, port: int) -> list[str]:
    """The addresses of a host, in the order in which to try them. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _host(host: str, *, is_ip: bool) -> str:
    if is_ip or _ENDS_IN_A_NUMBER.search(host):
        try:
            # A scope (fe80::1%eth0) names a network of this machine.
            return str(ip_address(host.replace("%", "?")))
        except ValueError:
            raise AddressRefused("has an IP address in a notation that is not plain") from None
    if not _NAME.fullmatch(host):
        raise AddressRefused("has no host name")
    return host.lower()


def _promptly(resolve: Resolve, host: str, port: int) -> Sequence[str]:
    """Look a name up, or give up after a second. Nobody can be called off who waits for a name server."""
    found: list[str] = []

    def ask() -> None:
        try:
            found.extend(resolve(host, port))
        except (OSError, UnicodeError):
            return

    asking = threading.Thread(target=ask, name="look-up", daemon=True)
    asking.start()
    asking.join(_PATIENCE)
    return list(found)


def _meant(ip: Ip) -> Ip:
    """The IPv4 address that is reached by an IPv6 address, where it is one that is mapped or translated."""
    if isinstance(ip, IPv6Address):
        if ip in _NAT64:
            return IPv4Address(int(ip) & 0xFFFFFFFF)
        return ip.ipv4_mapped or ip
    return ip


def _is_public(ip: Ip) -> bool:
    if isinstance(ip, IPv6Address) and (ip.is_site_local or ip.sixtofour or ip.teredo):
        return False  # tunnels end at an IPv4 address that nobody has checked
    strange = ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_loopback or ip.is_link_local
    return ip.is_global and not strange
