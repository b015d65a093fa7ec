"""Wrong peers: each is the reference peer with one thing done wrong.

The catalogue's names are permanent. A mutant that is not about the link is our gateway with
one function swapped (tests/mutants); it is not listed here.
"""

from collections.abc import Mapping

RECEIVER: Mapping[str, str] = {
    "MR01": "accepts any envelope version",
    "MR02": "ignores an unknown extension that must be understood",
    "MR03": "does not check the recipient nor the test indicator",
    "MR04": "skips schema validation and rules",
    "MR06": "accepts any code value",
    "MR07": "looks for a signature but does not verify it",
    "MR08": "verifies a signature but acts on something else",
    "MR09": "accepts algorithms that are not in the profile",
    "MR10": "takes the key from KeyInfo",
    "MR11": "ignores the validity dates of certificates",
    "MR13": "ignores key usage and the binding of parties",
    "MR14": "does not look at the time of a message",
    "MR15": "has no memory of duplicates",
    "MR16": "knows a duplicate by its id alone",
    "MR17": "loses its memory at a restart",
    "MR18": "gives no receipt",
    "MR19": "gives receipts without the right digest",
    "MR20": "does not sign receipts and refusals",
    "MR21": "gives the receipt before the message is durable",
    "MR22": "gives a receipt for what it rejects",
    "MR23": "lets the last arrival win",
    "MR24": "answers errors as free text with HTTP 200",
    "MR25": "shows its insides in errors",
    "MR26": "stops at the first error",
    "MR27": "has no limit of size",
    "MR28": "expands entities",
    "MR29": "ignores transforms and references that it does not know",
    "MR31": "takes local time for UTC",
    "MR35": "breaks text that is not ASCII",
    "MR51": "takes calls without a client certificate",
    "MR53": "refuses legal variants",
    "MR54": "recovers from what is not well formed",
    "MR57": "loses correlation",
}
"""Wrong receivers, by name."""


SENDER: Mapping[str, str] = {
    "MS01": "changes the message after signing it",
    "MS02": "never retries",
    "MS03": "retries with a new message id",
    "MS04": "retries without back-off",
    "MS05": "retries what was refused for good",
    "MS06": "takes HTTP 200 for a receipt",
    "MS07": "takes a receipt for another message or digest",
    "MS08": "takes a receipt that a stranger signed",
    "MS09": "gives up without a word",
    "MS10": "follows redirects",
    "MS11": "does not check the server's certificate",
    "MS12": "has no deadline for the whole exchange",
    "MS13": "sends messages of one order key out of order",
    "MS14": "puts personal data into addresses",
    "MS15": "sends documents that break their schema",
    "MS17": "stamps messages with a clock that is wrong",
    "MS18": "ignores Retry-After",
}
"""Wrong senders, by name."""


class Mutants(frozenset[str]):
    """The switches of a peer; the right peer has none."""

    def on(self, name: str) -> bool:
        """Tell whether the peer is wrong in this way."""
        return name in self
