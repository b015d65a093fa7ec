"""States of messages and tasks. Every change is an event in the timeline."""

from enum import StrEnum


class MessageKind(StrEnum):
    """What a message row is."""

    SUBMISSION = "submission"  # a document that an agency handed in
    OUTBOUND = "outbound"  # on the link, from us
    INBOUND = "inbound"  # on the link, to us
    DOMESTIC = "domestic"  # a document that we hand to an agency


class MessageState(StrEnum):
    """Where a message stands."""

    WAITING = "waiting"  # a submission whose other half has not come
    TRANSLATED = "translated"  # a submission whose link messages are queued
    FORWARDED = "forwarded"  # a submission that travels as it is
    EXPIRED = "expired"  # the other half did not come before the deadline
    QUEUED = "queued"  # outbound or domestic, not yet delivered
    RECEIPTED = "receipted"  # outbound, the counterpart's signed receipt is stored
    ACCEPTED = "accepted"  # inbound, our signed receipt is stored
    DISTRIBUTED = "distributed"  # inbound, handed on to the agencies' queues
    SUPERSEDED = "superseded"  # inbound, a higher version of the document counts
    DELIVERED = "delivered"  # domestic, the agency's system took it
    READY = "ready"  # domestic, waits to be fetched
    REFUSED = "refused"  # refused for good; the reason is in the timeline
    DEAD = "dead"  # given up; an operator must look


INTERNAL = "internal"
"""Destination of tasks that stay in the house."""


class TaskKind(StrEnum):
    """What the worker does with a task."""

    SEND = "send"  # sign, store, send to the counterpart
    DISTRIBUTE = "distribute"  # decode an accepted message for the agencies
    SEAL = "seal"  # sign the report of a domestic document
    HAND_OVER = "hand-over"  # post a domestic document to an agency's system
