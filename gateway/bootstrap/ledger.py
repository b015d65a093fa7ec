"""Settings become the parts of the mutual ledger: where it is asked, and when."""

from dataclasses import replace
from functools import partial

from gateway.bootstrap import outside, parts
from gateway.flows.chores import Chore
from gateway.flows.services import Services
from gateway.flows.settle import settle_now
from gateway.flows.settle_heads import offer_now
from gateway.flows.settle_talk import destination_of
from gateway.settings.sections import Settings
from gateway.transport.link import Endpoint

ROOM = 2
"""A statement that gives messages back may be so many times as large as one of them."""


def endpoints(settings: Settings) -> list[Endpoint]:
    """Return where the ledger of each counterpart is asked: below its path for messages."""
    found = []
    for name, section in settings.counterpart.items():
        counterpart = parts.counterpart(name, section)
        endpoint = next(each for each in parts.endpoints(settings) if each.name == name)
        found.append(
            replace(
                endpoint,
                name=destination_of(counterpart),
                url=f"{endpoint.url.rstrip('/')}/ledger",
                max_answer=2 * ROOM * settings.limits.document_bytes,
                connections=2,
            )
        )
    return found


def chores(services: Services, settings: Settings) -> list[Chore]:
    """List what a node does for the ledger. Nothing where a head key is missing: ours, or the
    counterpart's."""
    if services.head_signer is None or not any(c.heads for c in services.counterparts.values()):
        return []
    owner, stated = outside.new_id(), settings.settlement
    return [
        Chore("offer-head", stated.heads_every, partial(offer_now, services, owner)),
        Chore("settle", stated.every, partial(settle_now, services, owner)),
    ]
