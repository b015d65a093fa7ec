"""How long two pinned keys of one usage are good side by side."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import combinations

from cryptography import x509

from gateway.signing.trust import PinnedKey, Usage


def window(pin: PinnedKey) -> tuple[datetime, datetime]:
    """Return when a pin is good: its own window within that of its certificate."""
    certificate = x509.load_der_x509_certificate(pin.certificate)
    starts = (certificate.not_valid_before_utc, pin.not_before)
    ends = (certificate.not_valid_after_utc, pin.not_after)
    return (
        max(each for each in starts if each is not None),
        min(each for each in ends if each is not None),
    )


def longest_overlap(pins: Iterable[PinnedKey]) -> tuple[timedelta, Usage | None]:
    """Return the longest time for which two pins of one usage are good at once, and which
    usage that is. Zero and None when none are."""
    by_usage: dict[Usage, list[tuple[datetime, datetime]]] = defaultdict(list)
    for pin in pins:
        by_usage[pin.usage].append(window(pin))
    found: tuple[timedelta, Usage | None] = (timedelta(0), None)
    for usage, windows in by_usage.items():
        for (start, end), (other_start, other_end) in combinations(windows, 2):
            shared = min(end, other_end) - max(start, other_start)
            if shared > found[0]:
                found = (shared, usage)
    return found
