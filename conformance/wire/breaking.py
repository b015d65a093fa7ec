"""Ways to break XML so that no parser may take it (XML 1.0), each by its name."""

from collections.abc import Callable, Mapping

_END = b"</xp:Message>"


def _inside(content: bytes, what: bytes) -> bytes:
    """Put octets between two elements of the envelope."""
    return content.replace(b"<xp:ConversationID>", what + b"<xp:ConversationID>", 1)


BREAKS: Mapping[str, Callable[[bytes], bytes]] = {
    "unclosed-root": lambda c: c.removesuffix(_END),
    "extra-end": lambda c: c + _END,
    "bare-ampersand": lambda c: _inside(c, b" & "),
    "unknown-entity": lambda c: _inside(c, b"&nbsp;"),
    "null-reference": lambda c: _inside(c, b"&#0;"),
    "control-character": lambda c: _inside(c, b"\x01"),
    "two-roots": lambda c: c + b"<a/>",
    "text-before": lambda c: b"x" + c,
    "text-after": lambda c: c + b"x",
    "bare-lt": lambda c: _inside(c, b" < "),
    "unquoted-attribute": lambda c: _inside(c, b"<a b=1/>"),
    "double-attribute": lambda c: _inside(c, b'<a b="1" b="2"/>'),
    "unbound-prefix": lambda c: _inside(c, b"<nowhere:a/>"),
    "bad-comment": lambda c: _inside(c, b"<!-- -- -->"),
    "cdata-end": lambda c: _inside(c, b"]]>"),
    "invalid-name": lambda c: _inside(c, b"<1a/>"),
}
"""By name."""


def crowd(shape: str) -> str:
    """Return a body that is small and costly: `depth`, `attributes` or `namespaces`."""
    if shape == "depth":
        return "<a>" * 100 + "</a>" * 100
    if shape == "attributes":
        return "<a " + " ".join(f'b{n}="1"' for n in range(2000)) + "/>"
    if shape == "namespaces":
        spaces = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(500))
        return f"<a {spaces}>{'<b/>' * 500}</a>"
    raise LookupError(shape)
