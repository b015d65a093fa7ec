"""A message under construction, and what is read out of answers.

Written by hand as text, not through a library that would refuse to write what is wrong:
cases need messages that no correct sender makes.
"""

from dataclasses import dataclass, field, replace
from html import escape

NAMESPACE = "urn:bilateral-gateway:exchange:1"
PROFILE_VERSION = "1"
FIELDS = (
    "ProfileVersion", "MessageID", "ConversationID", "RefToID", "From", "To", "DocumentType",
    "DocumentTypeVersion", "Function", "DocumentVersion", "OrderKey", "Sequence", "Created",
    "Expires", "TestIndicator", "Commitment",
)  # fmt: skip
"""Elements of the envelope in their order (XP-ENV, xsd/exchange/exchange.xsd)."""

OPTIONAL = frozenset({"RefToID"})


@dataclass(frozen=True, slots=True)
class Draft:
    """A message that is not signed yet.

    fields: the envelope by element name. body: what stands in `Body`, as XML text.
    extras: XML text of attachments and extensions, after the fields. prefix: "" writes the
    namespace as the default one. namespace: of the message. declaration: before the root.
    """

    fields: dict[str, str]
    body: str
    extras: str = ""
    prefix: str = "xp"
    namespace: str = NAMESPACE
    declaration: str = ""
    order: tuple[str, ...] = FIELDS
    attributes: dict[str, str] = field(default_factory=dict)

    def with_fields(self, **values: str) -> "Draft":
        """Return a draft with other values."""
        return replace(self, fields={**self.fields, **values})

    def without(self, *names: str) -> "Draft":
        """Return a draft that lacks fields."""
        kept = {name: value for name, value in self.fields.items() if name not in names}
        return replace(self, fields=kept)

    def render(self) -> str:
        """Return the unsigned document."""
        tag, colon = self.prefix, ":" if self.prefix else ""
        binding = f"xmlns:{tag}" if tag else "xmlns"
        more = "".join(f' {key}="{escape(value)}"' for key, value in self.attributes.items())
        lines = [
            f"<{tag}{colon}{name}>{escape(self.fields[name], quote=False)}</{tag}{colon}{name}>"
            for name in self.order
            if name in self.fields
        ]
        envelope = f"<{tag}{colon}Envelope>{''.join(lines)}{self.extras}</{tag}{colon}Envelope>"
        body = f"<{tag}{colon}Body>{self.body}</{tag}{colon}Body>"
        root = f"{tag}{colon}Message"
        head = f'<{root} {binding}="{self.namespace}"{more}>'
        return f"{self.declaration}{head}{envelope}{body}</{root}>"
