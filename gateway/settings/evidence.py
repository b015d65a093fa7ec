"""[evidence], [retention] and [at_rest]: the log, how long documents stay, how they lie."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field, model_validator

from gateway.settings.values import Duration, File, Name, Positive, Section


class EvidenceSection(Section):
    """[evidence] sequence_every: rows become leaves of the log. head_every, head_rows: a signed
    head so long, or so many rows, after the last. stamped_within: a head without its timestamp
    for longer is an alarm. earlier_heads: certificates of head keys that we used before.
    sealed: formats whose documents can later be shown in part, as each field is sealed."""

    sequence_every: Duration = timedelta(seconds=1)
    head_every: Duration = timedelta(seconds=60)
    head_rows: Positive = 1000
    stamped_within: Duration = timedelta(hours=1)
    earlier_heads: tuple[File, ...] = ()
    sealed: frozenset[str] = frozenset()


class RetentionSection(Section):
    """[retention] How long the bytes of documents stay, from the message's creation. What is
    not named stays for good. document, report, evidence: classes. roles: of one role, which
    goes before its class. prune_every: how often it is looked after."""

    document: Duration | None = None
    report: Duration | None = None
    evidence: Duration | None = None
    roles: dict[Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")], Duration] = Field(
        default_factory=dict
    )
    prune_every: Duration = timedelta(hours=1)


class AtRestKey(Section):
    """[[at_rest.key]] file: 32 octets as 64 hexadecimal digits, for the gateway alone; or
    label: of an AES-256 key in the token of [hsm]."""

    id: Name
    file: File | None = None
    label: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _is_in_one_place(self) -> Self:
        if (self.file is None) == (self.label is None):
            raise ValueError("either `file` or `label` says where the key is")
        return self


class AtRestSection(Section):
    """[at_rest] Keys that wrap the keys that payloads are encrypted with. The first wraps what
    is made from now on; the others open what is older. None: payloads lie in clear."""

    key: tuple[AtRestKey, ...] = ()

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        names = [key.id for key in self.key]
        if len(set(names)) < len(names):
            raise ValueError("two keys have one id")
        return self
