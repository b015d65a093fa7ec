"""What of the store is not evidence, and why: a change there is not what the audit looks for."""

from collections.abc import Mapping

_PROJECTION = "made from documents that evidence names, and made again from them"
_WORK = "work that is under way: what came of it has its own rows"
_GIVEN = "where given, it stands in a document that evidence names"
_NUMBERING = "tells rows apart; nothing refers to it outside this table"

NOT_EVIDENCE: Mapping[str, str] = {
    "allocation": "numbers bound once: " + _GIVEN,
    "counter": "the next number: " + _GIVEN,
    "data_key.created": "which data key encrypts next; a key that opens nothing is found",
    "destination": "the health of a destination, judged anew by each attempt",
    "event.id": _NUMBERING,
    "half": _WORK,
    "half_key": _WORK,
    "hold": "leases, for seconds",
    "idempotency": "the answer to a repeated request; the messages it names have their rows",
    "lane": _WORK,
    "ledger_alarm": "tells a person; its cause is found again, its proof verifies by itself",
    "ledger_day.at": "when the day was compared; the statements themselves have the time",
    "ledger_restoration.at": "when it was noted; the statement itself has the time",
    "log_head.stamped_at": "when we stored the token; the token itself has the time",
    "log_queue": "rows that the log will take; a row that is in neither is found",
    "message_key.created": "the message's own time again, for the order of a search",
    "recognition_claim": "what claims are worth: decided anew from the statements at any time",
    "recognition_doubt": _WORK,
    "recognition_key": "what statements are found by: made from the statements",
    "recognition_receipt.at": "when it was stored; the receipt itself has the instant",
    "recognition_statement.delivered_at": "whether to send it again: " + _WORK,
    "recognition_statement.party": "who brought it: stands in its row of evidence",
    "recognition_statement.received_at": "when it came: stands in its row of evidence",
    "revocation_source": "a cache of what authorities publish, each with its signature",
    "status": "where things stand: " + _PROJECTION,
    "task": _WORK,
}
"""Table, or table.column, to the reason."""


def is_evidence(table: str, column: str) -> bool:
    """True when the audit finds a change of this column."""
    return table not in NOT_EVIDENCE and f"{table}.{column}" not in NOT_EVIDENCE
