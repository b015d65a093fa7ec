"""Round trips of the invented formats, both ways, on documents made by hypothesis."""

import unicodedata
from datetime import datetime
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import safexml
from gateway.codec.formats import Formats
from gateway.model.manifest import (
    Audience,
    Consignment,
    ConsignmentItem,
    Direction,
    Manifest,
    Remark,
)
from gateway.model.values import (
    Code,
    Communication,
    Identifier,
    Location,
    Measure,
    Moment,
    Party,
    Precision,
    Text,
)

# Every character that XML can hold, those that need care often.
CHARACTERS = st.one_of(
    st.sampled_from("\r\t\n\"'<>&]\u0085\u2028𝄞越é"),
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
)
NASTY = st.sampled_from(["]]>", "<script>", "&#13;", "a\r\nb", "{x}", "%s", "{{", "=cmd"])


def words(longest: int = 20) -> st.SearchStrategy[str]:
    free = st.text(CHARACTERS, min_size=1, max_size=longest)
    return st.one_of(free, NASTY).map(lambda t: unicodedata.normalize("NFC", t)[:longest])


MASS = st.decimals(min_value=0, max_value=10**9, places=3).map(
    lambda d: Measure(value=Decimal(d), unit="KGM")
)
ITEM = st.builds(
    lambda n, text, more, mass: ConsignmentItem(
        sequence=n,
        descriptions=(Text(value=text, lang="vi"), *(Text(value=m, lang="zh") for m in more)),
        gross_mass=mass,
    ),
    st.integers(1, 99999),
    words(40),
    st.lists(words(), max_size=1),
    st.none() | MASS,
)
REACH = st.builds(Communication, type=st.sampled_from(["TE", "EM", "FX"]), value=words())
OWNER = st.builds(
    lambda name, reach: Party(names=(Text(value=name, lang="vi"),), communications=tuple(reach)),
    words(),
    st.lists(REACH, max_size=2),
)
LOT = st.builds(
    lambda mass, via, owner, items, boxes: Consignment(
        gross_mass=mass,
        itinerary=tuple(via),
        consignor=owner,
        items=tuple(items),
        equipment_refs=tuple(boxes),
    ),
    MASS,
    st.lists(st.sampled_from(["VN", "CN", "LA"]), min_size=1, max_size=3),
    st.none() | OWNER,
    st.lists(ITEM, min_size=1, max_size=3),
    st.lists(st.sampled_from(["TEMU1234565", "NO-ISO", "X1"]), max_size=2),
)
EARLIEST = datetime(1990, 1, 1)  # noqa: DTZ001  a local time
LATEST = datetime(2090, 1, 1)  # noqa: DTZ001
SENT = st.datetimes(EARLIEST, LATEST).map(
    lambda d: Moment(
        precision=Precision.SECOND, local=d.replace(microsecond=0).isoformat()[:19], offset=480
    )
)
CRATE = st.builds(
    lambda batch, sent, remark, agent, lots: Manifest(
        direction=Direction.VN_CN,
        issued_at=sent,
        identifiers=(Identifier(scheme="cn.road-batch", value=batch),),
        remarks=tuple(Remark(text=Text(value=r), audience=Audience.BOTH) for r in remark),
        agent=agent,
        consignments=tuple(lots),
    ),
    st.text("0123456789", min_size=13, max_size=13),
    SENT,
    st.lists(words(), max_size=1),
    st.none() | words().map(lambda v: Party(ids=(Identifier(scheme="cn.sender", value=v),))),
    st.lists(LOT, min_size=1, max_size=3),
)


@given(document=CRATE, message=words())
@settings(max_examples=100, deadline=None)
def test_document_comes_back(formats: Formats, document: Manifest, message: str) -> None:
    encoded = formats.encode("zz.crate", document, {"messageId": message})
    decoded = formats.decode("zz.crate", encoded.content)
    assert decoded.document == document
    assert decoded.head == {"messageId": message}


@given(document=CRATE, message=words())
@settings(max_examples=100, deadline=None)
def test_output_is_its_own_canonical_form(
    formats: Formats, document: Manifest, message: str
) -> None:
    content = formats.encode("zz.crate", document, {"messageId": message}).content
    assert safexml.c14n(safexml.parse(content)) == content


@given(document=CRATE)
@settings(max_examples=60, deadline=None)
def test_wire_comes_back(formats: Formats, document: Manifest) -> None:
    content = formats.encode("zz.crate", document, {"messageId": "M1"}).content
    decoded = formats.decode("zz.crate", content)
    assert formats.encode("zz.crate", decoded.document, decoded.head).content == content


@given(document=CRATE)
@settings(max_examples=60, deadline=None)
def test_output_fits_the_schema(formats: Formats, document: Manifest) -> None:
    formats.check_output(
        "zz.crate", formats.encode("zz.crate", document, {"messageId": "M"}).content
    )


PARCEL = st.builds(
    lambda ref, title, goods: Manifest(
        direction=Direction.CN_VN,
        identifiers=(Identifier(scheme="vn.declarant-ref", value=ref),),
        border_gate=Location(
            code=Code(list="zz.gate", value="G1"), names=(Text(value=title, lang="vi"),)
        ),
        consignments=tuple(
            Consignment(gross_mass=mass, marks=Text(value=text, lang="vi")) for mass, text in goods
        ),
    ),
    words(),
    words(),
    st.lists(st.tuples(st.none() | MASS, words()), min_size=1, max_size=3),
)


@given(document=PARCEL)
@settings(max_examples=60, deadline=None)
def test_json_document_comes_back(formats: Formats, document: Manifest) -> None:
    encoded = formats.encode("zz.parcel", document, {})
    decoded = formats.decode("zz.parcel", encoded.content)
    assert decoded.document == document
    assert formats.encode("zz.parcel", decoded.document, {}).content == encoded.content


@given(document=CRATE)
@settings(max_examples=50, deadline=None)
def test_canonical_manifest_passes_through(formats: Formats, document: Manifest) -> None:
    content = formats.encode("canonical.manifest", document, {}).content
    assert formats.detect(content) == "canonical.manifest"
    assert formats.decode("canonical.manifest", content).document == document
