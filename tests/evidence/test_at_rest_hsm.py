"""A wrapping key in a token: it encrypts payloads end to end and never leaves the token."""

from dataclasses import replace

import pytest
from evidence_world import closing, hand_in, two_sides
from pkcs11 import Attribute
from pkcs11.constants import ObjectClass
from pkcs11.exceptions import PKCS11Error
from softhsm import MODULE, PIN, soft_hsm

from gateway import store as stores
from gateway.errors import StateError, UnavailableError
from gateway.signing.pkcs11_token import KeyRef, Token
from gateway.signing.pkcs11_wrap import TokenWrapper, make_wrapping_key
from gateway.store.vault import Vault

REF = KeyRef("at-rest")
LABEL = "at rest"


@pytest.fixture(scope="module")
def token() -> Token:
    soft_hsm().new(LABEL)
    made = Token(MODULE, LABEL, lambda: PIN.encode(), pause=0.0)
    make_wrapping_key(made, REF)
    return made


def vault_of(side, token: Token, ref: KeyRef = REF) -> Vault:
    services = side.services
    wrapper = TokenWrapper(token, ref, services.randomness)
    return Vault({"token": wrapper}, services.clock, services.ids, services.randomness)


def original(store, message_id: str) -> bytes:
    return store.read(lambda tx: tx.content(message_id, "original"))


@pytest.mark.proves(
    attack="The token with the key at rest is away",
    code="unavailable",
    rule="hsm",
    behaviour="A gateway that starts is not ready; one that runs goes on; it recovers by itself",
)
def test_a_token_wraps_the_data_key(token, tmp_path, keys, formats):
    url = f"sqlite:///{tmp_path}/store.db"
    with closing(two_sides(tmp_path, keys, formats, {})) as sides:
        stores.upgrade(url)
        with stores.open(url, vault=vault_of(sides["vn"], token)) as store:
            store.check()
            side = replace(sides["vn"], services=replace(sides["vn"].services, store=store))
            done = hand_in(side, "tor.edi")
            assert b"NGUYEN VAN MAU" in original(store, done.messages[0])
            assert b"NGUYEN VAN MAU" not in (tmp_path / "store.db").read_bytes()
            soft_hsm().take_away(LABEL)
            again = hand_in(side, "eda-1.edi")
            assert original(store, again.messages[0]), "the data key is known here"
            with stores.open(url, vault=vault_of(side, token)) as other:
                with pytest.raises(UnavailableError) as caught:
                    other.check()
                assert caught.value.findings[0].rule == "hsm"
                soft_hsm().put_back(LABEL)
                other.check()
                assert b"NGUYEN VAN MAU" in original(other, done.messages[0])


def test_wrapped_octets_open_for_their_name_only(token):
    wrapper = TokenWrapper(token, REF, lambda size: bytes(range(size)))
    wrapped = wrapper.wrap(b"k" * 32, "one")
    assert wrapper.unwrap(wrapped, "one") == b"k" * 32
    assert b"k" * 8 not in wrapped
    for octets, name in ((wrapped, "other"), (wrapped[:-1] + bytes([wrapped[-1] ^ 1]), "one")):
        with pytest.raises(UnavailableError):
            wrapper.unwrap(octets, name)
    for octets in (b"", wrapped[:-1], wrapped + b"x"):
        with pytest.raises(ValueError, match="length"):
            wrapper.unwrap(octets, "one")


def test_the_key_is_made_once_and_cannot_be_read(token):
    with pytest.raises(StateError) as caught:
        make_wrapping_key(token, REF)
    assert caught.value.code == "conflict"

    def read(session):
        key = session.get_key(object_class=ObjectClass.SECRET_KEY, label=REF.label)
        with pytest.raises(PKCS11Error):
            _ = key[Attribute.VALUE]
        return key[Attribute.SENSITIVE], key[Attribute.EXTRACTABLE]

    assert token.manage(read) == (True, False)


def test_a_key_that_is_not_there_is_named(token, sides):
    wrapper = TokenWrapper(token, KeyRef("another"), lambda size: bytes(size))
    with pytest.raises(UnavailableError) as caught:
        wrapper.wrap(b"k" * 32, "one")
    assert caught.value.findings[0].rule == "hsm-key"
