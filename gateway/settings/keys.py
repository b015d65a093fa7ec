"""[keys] and [hsm]: our keys, in files or in a hardware security module."""

from typing import Annotated, Self

from pydantic import AwareDatetime, Field, model_validator

from gateway.settings.values import File, Positive, Section

PURPOSES = ("message", "receipt", "statement", "head", "pack")
"""What our keys sign, as the keys of [keys]."""


class Pair(Section):
    """A private key (PKCS#8 PEM) and its certificate (PEM). password_file: opens the key."""

    key: File
    certificate: File
    password_file: File | None = None


class SigningKey(Section):
    """A certificate and where its private key is: a file (`key`, which `password_file`
    opens), or the token of [hsm], where `label`, `id` (hexadecimal) or both name it."""

    certificate: File
    key: File | None = None
    password_file: File | None = None
    label: Annotated[str, Field(min_length=1)] | None = None
    id: Annotated[str, Field(pattern=r"^([0-9A-Fa-f]{2}){1,32}$")] | None = None

    @property
    def in_token(self) -> bool:
        """True when the private key is in the token of [hsm]."""
        return self.key is None

    @property
    def place(self) -> str:
        """Where the private key is, to tell two keys apart."""
        return str(self.key) if self.key else f"hsm:{self.label or ''}:{self.id or ''}"

    @model_validator(mode="after")
    def _is_in_one_place(self) -> Self:
        named = self.label is not None or self.id is not None
        if named == (self.key is not None):
            raise ValueError("give either key, or label and id of a key in the token of [hsm]")
        return self


class NextKey(SigningKey):
    """[keys.PURPOSE.next] The key that takes over. starts: the instant from which it signs."""

    starts: AwareDatetime


class OurKey(SigningKey):
    """[keys.PURPOSE] The key that signs now. next: made by `gateway keys rotate`. second:
    signs behind it, where the counterpart's profile asks for two signatures."""

    next: NextKey | None = None
    second: SigningKey | None = None


class Keys(Section):
    """[keys] One key per purpose: none of them can stand for another.

    head: without it our log heads stay unsigned, so no counterpart can cosign them. pack:
    without it we can sign no bilateral pack.
    """

    message: OurKey
    receipt: OurKey
    statement: OurKey
    head: OurKey | None = None
    pack: OurKey | None = None

    def named(self) -> dict[str, OurKey]:
        """Return the keys that are there, by purpose."""
        found = {purpose: getattr(self, purpose) for purpose in PURPOSES}
        return {purpose: key for purpose, key in found.items() if key is not None}

    def all_of_them(self) -> dict[str, SigningKey]:
        """Return every key by its place in the settings: `keys.message`, `keys.message.next`,
        `keys.message.second` ..."""
        found: dict[str, SigningKey | None] = {}
        for purpose, key in self.named().items():
            found[f"keys.{purpose}"] = key
            found[f"keys.{purpose}.next"] = key.next
            found[f"keys.{purpose}.second"] = key.second
        return {name: key for name, key in found.items() if key is not None}

    @model_validator(mode="after")
    def _are_separate(self) -> Self:
        places = [key.place for key in self.all_of_them().values()]
        if len(set(places)) < len(places):
            raise ValueError(f"{', '.join(self.named())} need a key each")
        return self


class Hsm(Section):
    """[hsm] A token that is reached over PKCS#11. module: the library of its maker. token:
    its label. pin_file: the first line is the user PIN. sessions: signatures at once."""

    module: File
    token: Annotated[str, Field(min_length=1, max_length=32)]
    pin_file: File
    sessions: Positive = 8
