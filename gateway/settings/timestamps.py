"""[timestamps]: the time-stamping authorities that we ask and believe."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from gateway.settings.values import Duration, File, Name, Section


class Authority(Section):
    """[timestamps.authority.NAME] Where it answers. Plain http is allowed: a token is signed,
    and shows a digest only. anchors: authorities of its TLS certificate (PEM)."""

    url: Annotated[str, Field(pattern=r"^https?://[^/]+")]
    anchors: File | None = None


class TimestampsSection(Section):
    """[timestamps] anchors: certificates (PEM, one a file) that issue to time-stamping
    authorities; only tokens below them are believed. The authorities are asked in order.
    deadline: of one request."""

    anchors: tuple[File, ...] = ()
    authority: dict[Name, Authority] = Field(default_factory=dict)
    deadline: Duration = timedelta(seconds=10)
