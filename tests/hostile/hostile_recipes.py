"""How to build hostile documents. Recipes, not bombs; they need nothing but the limits."""

from collections.abc import Callable

from gateway.safexml import DEFAULT

MEGABYTE = 1024 * 1024


def nested(depth: int) -> bytes:
    return b"<a>" * depth + b"</a>" * depth


def attributes(count: int) -> bytes:
    return b"<r " + b" ".join(b'a%d=""' % i for i in range(count)) + b"/>"


def namespaces(count: int) -> bytes:
    """Declared one inside the other, so that no single tag has many."""
    opened = b"".join(b'<r xmlns:n%d="urn:u%d">' % (i, i) for i in range(count))
    return opened + b"<c/>" * 2000 + b"</r>" * count


def declared(encoding: str, text: str = "<a>测试</a>") -> bytes:
    head = f'<?xml version="1.0" encoding="{encoding}"?>'
    return (head + text).encode(encoding)


def laughs(levels: int) -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, levels))
    return f'<!DOCTYPE l [<!ENTITY l0 "lol">{entities}]><l>&l{levels - 1};</l>'.encode()


# recipe, code, rule
ATTACKS: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "empty": (lambda: b"", "malformed", "well-formed"),
    "blanks": (lambda: b" " * 9 * MEGABYTE, "malformed", "well-formed"),
    "no XML": (lambda: b"{}", "malformed", "well-formed"),
    "binary": (lambda: bytes(range(1, 256)), "malformed", "well-formed"),
    "truncated": (lambda: b"<a><b>text</b", "malformed", "well-formed"),
    "truncated in a character": (lambda: "<a>测".encode()[:-1], "malformed", "well-formed"),
    "two roots": (lambda: b"<a/><b/>", "malformed", "well-formed"),
    "text behind": (lambda: b"<a/>x", "malformed", "well-formed"),
    "crossed tags": (lambda: b"<a><b></a></b>", "malformed", "well-formed"),
    "attribute twice": (lambda: b'<a x="1" x="2"/>', "malformed", "well-formed"),
    "undeclared prefix": (lambda: b"<p:a/>", "malformed", "well-formed"),
    "undeclared entity": (lambda: b"<a>&x;</a>", "malformed", "well-formed"),
    "illegal character": (lambda: b"<a>\x01</a>", "malformed", "well-formed"),
    "reference to it": (lambda: b"<a>&#1;</a>", "malformed", "well-formed"),
    "surrogate": (lambda: b"<a>\xed\xa0\x80</a>", "malformed", "well-formed"),
    "overlong octets": (lambda: b"<a>\xc0\xbc</a>", "malformed", "well-formed"),
    "GB18030 called UTF-8": (
        lambda: '<?xml version="1.0" encoding="UTF-8"?><a>测试</a>'.encode("gb18030"),
        "malformed",
        "well-formed",
    ),
    "TCVN3 octets": (lambda: b"<a>\xb5\xb8\xd3</a>", "malformed", "well-formed"),
    "declared GB18030": (lambda: declared("GB18030"), "encoding-unsupported", "utf-8"),
    "declared UTF-7": (lambda: declared("UTF-7", "<a>+ADw-</a>"), "encoding-unsupported", "utf-8"),
    "declared latin": (lambda: declared("ISO-8859-1", "<a/>"), "encoding-unsupported", "utf-8"),
    "UTF-7 mark": (lambda: b"+/v8-<a/>", "encoding-unsupported", "utf-8"),
    "UTF-16": (lambda: "<a>测试</a>".encode("utf-16"), "encoding-unsupported", "utf-8"),
    "UTF-16 BE": (lambda: "<a/>".encode("utf-16-be"), "encoding-unsupported", "utf-8"),
    "UTF-16 LE": (lambda: "<a/>".encode("utf-16-le"), "encoding-unsupported", "utf-8"),
    "UTF-32": (lambda: "<a/>".encode("utf-32"), "encoding-unsupported", "utf-8"),
    "UTF-8 mark, declared UTF-16": (
        lambda: b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-16"?><a/>',
        "encoding-unsupported",
        "utf-8",
    ),
    "two marks": (lambda: b"\xef\xbb\xbf\xef\xbb\xbf<a/>", "malformed", "well-formed"),
    "EBCDIC": (
        lambda: '<?xml version="1.0"?><a/>'.encode("cp500"),
        "encoding-unsupported",
        "utf-8",
    ),
    "XML 1.1": (lambda: b'<?xml version="1.1"?><a/>', "malformed", "xml-version"),
    "doctype": (lambda: b"<!DOCTYPE a><a/>", "malformed", "doctype"),
    "doctype behind a comment": (
        lambda: b"<?xml version='1.0'?><!-- x --><?p i?> <!DOCTYPE a [ ]><a/>",
        "malformed",
        "doctype",
    ),
    "doctype behind a mark": (lambda: b"\xef\xbb\xbf<!DOCTYPE a><a/>", "malformed", "doctype"),
    "external entity": (
        lambda: b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        "malformed",
        "doctype",
    ),
    "external DTD": (
        lambda: b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>',
        "malformed",
        "doctype",
    ),
    "billion laughs": (lambda: laughs(12), "malformed", "doctype"),
    "quadratic blow-up": (
        lambda: b'<!DOCTYPE a [<!ENTITY x "%b">]><a>%b</a>' % (b"x" * MEGABYTE, b"&x;" * 100_000),
        "malformed",
        "doctype",
    ),
    "attribute defaults": (
        lambda: b'<!DOCTYPE a [<!ATTLIST a Id CDATA "x">]><a/>',
        "malformed",
        "doctype",
    ),
    "depth 65": (lambda: nested(65), "schema-invalid", "depth"),
    "depth 257": (lambda: nested(257), "schema-invalid", "depth"),
    "depth 100,000": (lambda: nested(100_000), "schema-invalid", "depth"),
    "65 attributes": (lambda: attributes(65), "schema-invalid", "attributes"),
    "900,000 attributes": (lambda: attributes(900_000), "too-large", "equals"),
    "200,000 attributes": (lambda: attributes(200_000), "schema-invalid", "attributes"),
    "65 namespaces on one": (
        lambda: b"<r " + b" ".join(b'xmlns:n%d="urn:u"' % i for i in range(65)) + b"/>",
        "schema-invalid",
        "attributes",
    ),
    "33 namespaces": (lambda: namespaces(33), "schema-invalid", "namespaces"),
    "33 namespaces on one": (
        lambda: b"<r " + b" ".join(b'xmlns:n%d="urn:u"' % i for i in range(33)) + b"/>",
        "schema-invalid",
        "namespaces",
    ),
    "one beyond the size": (
        lambda: b"<a>" + b"x" * (DEFAULT.max_bytes - 6) + b"</a>",
        "too-large",
        "size",
    ),
    "a million elements": (lambda: b"<a>" + b"<b/>" * 1_000_000 + b"</a>", "too-large", "markup"),
    "a million comments": (lambda: b"<!---->" * 1_000_000 + b"<a/>", "too-large", "markup"),
    "a text of 10 MB": (
        lambda: b"<a>" + b"x" * 10_200_000 + b"</a>",
        "too-large",
        "well-formed",
    ),
    "a name of 60 kB": (lambda: b"<" + b"a" * 60_000 + b"/>", "too-large", "well-formed"),
    "an open comment": (lambda: b"<!-- " + b"x" * 9 * MEGABYTE, "malformed", "well-formed"),
    "an open tag": (lambda: b"<a " + b"x" * 9 * MEGABYTE, "too-large", "well-formed"),
    "instructions": (lambda: b"<?a" * 250_000, "malformed", "well-formed"),
}


HEAVY_BUT_LEGAL: dict[str, Callable[[], bytes]] = {
    "depth 64": lambda: nested(64),
    "64 attributes": lambda: attributes(64),
    "64 attributes each": lambda: b"<r>" + attributes(64) * 4_000 + b"</r>",
    "32 namespaces, many children": lambda: namespaces(32),
    "namespaces on siblings": lambda: (
        b"<r>" + b'<c xmlns:a="urn:u" a:b="">x</c>' * 140_000 + b"</r>"
    ),
    "as many elements as may be": lambda: b"<a>" + b"<b/>x" * 299_999 + b"</a>",
    "equal signs in text": lambda: b"<r>" + (b"=" * 64 + b"<a/>") * 4_500 + b"</r>",
    "a long run of equal signs": lambda: b"<r>" + b"=" * 290_000 + b"<a/></r>",
    "character references": lambda: b"<a>" + b"&#60;" * 1_900_000 + b"</a>",
    "a text of 9 MB": lambda: b"<a>" + b"x" * 9_000_000 + b"</a>",
    "many comments before": lambda: b"<!-- -->" * 290_000 + b"<a/>",
    "a doctype in CDATA": lambda: b"<a><![CDATA[<!DOCTYPE x>]]></a>",
    "a byte order mark": lambda: b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?><a/>',
    "new names": lambda: b"<a>" + b"".join(b"<n%06d/>" % i for i in range(290_000)) + b"</a>",
}
