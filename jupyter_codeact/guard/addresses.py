"""Addresses of the person's own machine, in all the spellings that browsers take for them.

A Jupyter server is usually there: a link to its `/logout`, with a harmless name, would log her out.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from urllib.parse import unquote

# Whatever number of slashes, and of either kind; a name before an @ is nobody's host.
_HOST = re.compile(r"https?:[/\\]*(?:[^/\\?#]*@)?(\[[^\]/\\?#]*\]|[^/\\?#:]*)", re.IGNORECASE | re.ASCII)
_USER = re.compile(r"\s*https?:[/\\]*[^/\\?#]*@", re.IGNORECASE | re.ASCII)
# What browsers drop out of an address.
_DROPPED = re.compile(r"[\t\r\n]|^[\x00-\x20]+")
# Letters of which nothing is seen: browsers drop them.
_UNSEEN = "\u115f\u1160\u3164\uffa0"
_BITS = 32
_LOCAL = tuple(map(ipaddress.ip_network, ("127.0.0.0/8", "0.0.0.0/8")))


def has_user(address: str) -> bool:
    """Whether a name stands before its host, which reads as if it were the host: ``http://example.org@localhost/``."""
    return _USER.match(_DROPPED.sub("", address)) is not None


def is_own(address: str) -> bool:
    """Whether a browser looks for this address on the machine that it runs on, or may do so."""
    found = _HOST.match(_DROPPED.sub("", address))
    if found is None:
        return False
    host = _spelled(found[1])
    if any(_is_odd(letter) for letter in host if not letter.isascii()):
        return True
    if host.startswith("["):
        return _is_own_ipv6(host[1:-1])
    number = _ipv4(host)
    return host == "localhost" or host.endswith(".localhost") or (number is not None and _is_local(number))


def _spelled(host: str) -> str:
    """As browsers spell it: without escapes, other alphabets' digits and dots, and signs that nobody sees."""
    letters = unicodedata.normalize("NFKC", unquote(host)).replace("\N{IDEOGRAPHIC FULL STOP}", ".")
    seen = (letter for letter in letters if unicodedata.category(letter) not in ("Cf", "Mn"))
    return "".join(seen).casefold().rstrip(".")


def _is_odd(letter: str) -> bool:
    """Whether a browser, which may know a newer Unicode than Python, may read another letter in it, or none."""
    return letter in _UNSEEN or not (letter.isalnum() or unicodedata.category(letter) == "Mc")


def _is_own_ipv6(text: str) -> bool:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return False
    # The last four bytes may be an IPv4 address.
    inner = int(address) & 0xFFFFFFFF
    return address in (ipaddress.IPv6Address("::"), ipaddress.IPv6Address("::1")) or (
        int(address) >> _BITS in (0, 0xFFFF) and _is_local(inner)
    )


def _is_local(number: int) -> bool:
    return any(ipaddress.IPv4Address(number) in network for network in _LOCAL)


def _ipv4(host: str) -> int | None:
    """One to four numbers, decimal, octal or hexadecimal; the last one fills what is left of 32 bits."""
    numbers = [_number(part) for part in host.split(".")]
    known = [number for number in numbers if number is not None]
    if len(known) != len(numbers) or len(known) > _BITS // 8:
        return None
    *first, last = known
    whole = sum(number << (_BITS - 8 * place) for place, number in enumerate(first, 1)) + last
    return whole if whole < 1 << _BITS else None


def _number(part: str) -> int | None:
    hexadecimal = part.startswith("0x")
    base = 16 if hexadecimal else 8 if part.startswith("0") else 10
    digits = part[2:] if hexadecimal else part
    try:
        return int(digits, base) if digits.isalnum() else 0 if hexadecimal and not digits else None
    except ValueError:
        return None
