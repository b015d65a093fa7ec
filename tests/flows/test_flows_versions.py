"""Replace and cancel: out-of-order arrivals come to the same state (XP-ORD)."""

import itertools
import re

import pytest
from flow_sides import NAMES, Clock, Wire, peer, side_of
from test_flows_crossing import agency, parameters, settle, taken, upload

from gateway.errors import GatewayError
from gateway.flows import query
from gateway.flows.receive import receive
from gateway.flows.submit import Upload, submit
from gateway.model.parameters import Parameters


def version(folder: str, name: str, function: str, number: int) -> Upload:
    """The same manifest again, with another function, message id and mass."""
    text = upload(folder, name).content.decode()
    text = re.sub(r"<FunctionCode>\d", f"<FunctionCode>{function}", text)
    text = re.sub(r"(<MessageID>.*)\d{3}<", rf"\g<1>{number:03d}<", text)
    return Upload(name, text.encode())


def three_versions(sides) -> list[bytes]:
    caught = []
    for number, function in enumerate(("9", "5", "5"), 1):
        wire = sides["cn"].wire
        post, got = wire.peers["vn"], []
        wire.peers["vn"] = lambda body, got=got, post=post: (got.append(body), post(body))[1]
        each = version("electronics", "mt2401.xml", function, number)
        submit(sides["cn"].services, agency(sides["cn"]), [each], Parameters())
        sides["cn"].work()
        wire.peers["vn"] = post
        caught += got
    return caught


@pytest.fixture
def versions(tmp_path, keys, formats):
    """The link messages of three versions, made by a pair of gateways of their own."""
    clock, wire = Clock(), Wire()
    pair = {
        name: side_of(name, other, keys, formats, clock, wire, tmp_path / f"maker-{name}.db")
        for name, other in (("vn", "cn"), ("cn", "vn"))
    }
    for name, other in (("vn", "cn"), ("cn", "vn")):
        wire.peers[name] = peer(pair[name].services, NAMES[other])
    yield three_versions(pair)
    for side in pair.values():
        side.services.store.close()


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_highest_version_counts_in_every_order(sides, versions, order):
    vn = sides["vn"]
    for index in order:
        assert receive(vn.services, "cn", versions[index]).ok
        vn.work()
    found = query.search(vn.services, agency(vn, "operator"), key=("batch", "5100260518001"))
    standing = {m.document_version: str(m.state) for m in found.messages if m.kind == "inbound"}
    assert standing == {1: "superseded", 2: "superseded", 3: "waiting"}


def test_a_replacement_takes_its_place_in_a_crossing_that_was_translated(sides):
    cn = sides["cn"]
    for name in ("mt2401.xml", "mt4402.xml"):
        submit(cn.services, agency(cn), [upload("electronics", name)], Parameters())
        settle(sides)
    assert len(taken(sides, "canonical.manifest")) == 1
    newer = version("electronics", "mt2401.xml", "5", 7)
    newer = Upload("x", newer.content.replace(b"1560000.00", b"1570000.00"))
    submit(cn.services, agency(cn), [newer], Parameters())
    settle(sides)
    first, second = taken(sides, "canonical.manifest")
    assert b"1560000" in first
    assert b"1570000" in second


def test_a_cancelled_half_leaves_the_other_waiting(sides):
    cn, vn = sides["cn"], sides["vn"]
    for name in ("mt2401.xml", "mt4402.xml"):
        submit(cn.services, agency(cn), [upload("electronics", name)], Parameters())
        settle(sides)
    submit(cn.services, agency(cn), [version("electronics", "mt2401.xml", "3", 8)], Parameters())
    settle(sides)
    page = query.search(vn.services, agency(vn, "operator"), key=("batch", "5100260518001"))
    inbound = {
        (m.document_type, m.document_version): str(m.state)
        for m in page.messages
        if m.kind == "inbound"
    }
    assert inbound == {
        ("cn.mt2401", 1): "superseded",
        ("cn.mt2401", 2): "distributed",
        ("cn.mt4402", 1): "waiting",
    }
    assert len(taken(sides, "canonical.manifest")) == 1


def test_replacements_from_viet_nam_are_refused_until_their_path_is_agreed(sides):
    tor = upload("dragon-fruit", "tor.edi")
    at = tor.content.index(b"\r\n") + 2
    assert tor.content[at : at + 1] == b"9"
    amended = Upload("tor.edi", tor.content[:at] + b"5" + tor.content[at + 1 :])
    others = [upload("dragon-fruit", name) for name in ("eda-1.edi", "eda-2.edi")]
    given = parameters("dragon-fruit")
    with pytest.raises(GatewayError):
        submit(sides["vn"].services, agency(sides["vn"]), [amended, *others], given)
