"""Moments on the wire: real dates only, offset first, a day stays a day."""

from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.codec.convert import ConversionError, Converter, converter
from gateway.model.values import Moment, Precision, moment_of

AT = date(2026, 5, 14)
VN, CN = 420, 480
_QUICK = settings(max_examples=100, deadline=None)


def form(name: str) -> Converter:
    return converter(f"moment:{name}", AT)


def refused(convert: Converter, *texts: str) -> ConversionError:
    with pytest.raises(ConversionError) as caught:
        convert.decode(*texts)
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("31022026", "ddMMyyyy"),
        ("00000000", "ddMMyyyy"),
        ("12302026", "ddMMyyyy (this looks like MMddyyyy)"),
        ("20260514", "ddMMyyyy (this looks like yyyyMMdd)"),
        ("30022028", "ddMMyyyy"),
        ("29022026", "ddMMyyyy"),
        (" 1052026", "ddMMyyyy"),
        ("1052026", "ddMMyyyy"),
        ("１4052026", "ddMMyyyy"),
        ("14051026", "ddMMyyyy"),
        ("14/05/26", "ddMMyyyy"),
    ],
)
def test_trap_31_dates_that_are_none(text: str, expected: str) -> None:
    error = refused(form("ddMMyyyy:420"), text)
    assert (error.code, error.rule, error.expected) == ("schema-invalid", "date", expected)
    assert refused(form("ddMMyyyy+HHmm:420"), text, "0830").expected == expected


def test_trap_31_a_leap_day_is_a_day() -> None:
    assert form("ddMMyyyy:420").decode("29022028").local == "2028-02-29"


@pytest.mark.parametrize("clock", ["2460", "2400", "8:30", "830", "08 3", "083０"])
def test_times_that_are_none(clock: str) -> None:
    assert refused(form("ddMMyyyy+HHmm:420"), "14052026", clock).rule == "date"


@pytest.mark.parametrize(
    "text",
    ["20260512081575125", "20260512246030125", "2026051208153012", "20261312081530125", "x" * 17],
)
def test_instants_that_are_none(text: str) -> None:
    assert refused(form("yyyyMMddHHmmssSSS:480"), text).rule == "date"


def test_trap_32_the_offset_comes_before_the_cut() -> None:
    departure = form("ddMMyyyy+HHmm:420").decode("14052026", "2330")
    assert departure == Moment(precision=Precision.MINUTE, local="2026-05-14T23:30", offset=VN)
    assert form("yyyyMMdd:480").encode(departure) == "20260515"
    assert form("yyyyMMddHHmmss:480").encode(departure) == "20260515003000"
    assert form("ddMMyyyy+HHmm:420").encode(departure) == ("14052026", "2330")


def test_trap_33_a_day_is_copied_and_never_midnight() -> None:
    day = form("ddMMyyyy+HHmm:420").decode("14052026", "")
    assert day == Moment(precision=Precision.DAY, local="2026-05-14")
    assert form("yyyyMMdd:480").encode(day) == "20260514"
    assert form("ddMMyyyy:420").encode(day) == "14052026"
    assert form("ddMMyyyy+HHmm:420").encode(day) == ("14052026", "")
    for name in ("yyyyMMddHHmmss:480", "yyyyMMddHHmmssSSS:480", "iso-local:420"):
        with pytest.raises(ConversionError) as caught:
            form(name).encode(day)
        assert (caught.value.code, caught.value.rule) == ("rule-broken", "precision")


def test_trap_34_zones_of_json_times() -> None:
    assumed = form("iso-local:420").decode("2026-05-14T08:06:00")
    assert (assumed.offset, assumed.offset_assumed) == (VN, True)
    stated = form("iso-local:420").decode("2026-05-14T01:06:00Z")
    assert (stated.offset, stated.offset_assumed) == (0, False)
    assert assumed.instant() == stated.instant()
    assert form("iso-local:420").encode(stated) == "2026-05-14T08:06:00"
    east = form("iso-local:420").decode("2026-05-14T09:06:00+08:00")
    assert east.offset == CN


@pytest.mark.parametrize(
    "text",
    ["2026-05-14 08:06:00", "2026-02-31T08:06:00", "2026-05-14T25:00:00", "14/05/2026",
     "2026-05-14T08:06:00+25:00", "0000-05-14T08:06:00", "2026-05-14T", ""],
)  # fmt: skip
def test_json_times_that_are_none(text: str) -> None:
    assert refused(form("iso-local:420"), text).rule == "date"


def test_a_json_date_with_its_time_of_day() -> None:
    pair = form("iso-date+HH:mm:420")
    assert pair.decode("2026-05-14T00:00:00", "") == Moment(
        precision=Precision.DAY, local="2026-05-14"
    )
    stated = pair.decode("2026-05-14T00:00:00", "08:30")
    assert (stated.local, stated.offset, stated.offset_assumed) == ("2026-05-14T08:30", VN, True)
    assert pair.encode(stated) == ("2026-05-14T00:00:00", "08:30")
    assert refused(pair, "2026-05-14T00:00:00", "8h30").rule == "time"


def test_trap_65_send_time_to_the_other_zone() -> None:
    sent = form("yyyyMMddHHmmssSSS:480").decode("20260513003000123")
    assert form("yyyy-MM-dd_HH:mm:ss:420").encode(sent) == "2026-05-12 23:30:00"


def test_hours_are_not_minutes() -> None:
    hour = form("ddMMyyyy+HH:420").decode("14052026", "08")
    assert hour == Moment(precision=Precision.HOUR, local="2026-05-14T08", offset=VN)


@pytest.mark.parametrize("name", ["yyyyMMddXX:480", "yyyyMMdd", "yyyyMMdd:x", ""])
def test_forms_that_are_none(name: str) -> None:
    with pytest.raises(Exception, match="not-mapped"):
        form(name)


_FORMS = {
    "yyyyMMddHHmmssSSS": Precision.MILLISECOND,
    "yyyyMMddHHmmss": Precision.SECOND,
    "yyyyMMdd": Precision.DAY,
    "ddMMyyyy": Precision.DAY,
    "dd/MM/yyyy": Precision.DAY,
    "ddMMyyyy+HHmm": Precision.MINUTE,
    "ddMMyyyy+HH": Precision.HOUR,
    "yyyy-MM-dd_HH:mm:ss": Precision.SECOND,
    "iso-local": Precision.SECOND,
    "iso-date+HH:mm": Precision.MINUTE,
}
_FIRST, _LAST = datetime.fromisoformat("1900-01-03"), datetime.fromisoformat("2999-12-29")
_LOCAL = st.datetimes(_FIRST, _LAST)


def _texts(written: Any) -> tuple[str, ...]:
    return written if isinstance(written, tuple) else (written,)


@pytest.mark.parametrize("name", _FORMS)
@pytest.mark.parametrize("offset", [VN, CN, -210])
def test_what_is_written_is_read(name: str, offset: int) -> None:
    convert, precision = form(f"{name}:{offset}"), _FORMS[name]

    @_QUICK
    @given(_LOCAL)
    def holds(local: datetime) -> None:
        day = precision is Precision.DAY
        value = moment_of(local, precision, None if day else offset)
        back = convert.decode(*_texts(convert.encode(value)))
        assert (back.precision, back.local, back.offset) == (
            value.precision,
            value.local,
            value.offset,
        )
        assert convert.encode(back) == convert.encode(value)

    holds()


@_QUICK
@given(_LOCAL, st.sampled_from([0, VN, CN, 330]))
def test_the_instant_survives_another_zone(local: datetime, offset: int) -> None:
    value = moment_of(local, Precision.SECOND, offset)
    back = form("yyyyMMddHHmmss:480").decode(form("yyyyMMddHHmmss:480").encode(value))
    assert back.instant() == value.instant()
    assert back.naive() - value.naive() == timedelta(minutes=CN - offset)


def test_a_moment_at_the_end_of_time_is_refused() -> None:
    value = Moment(precision=Precision.SECOND, local="9999-12-31T23:59:59", offset=VN)
    with pytest.raises(ConversionError):
        form("yyyyMMddHHmmss:480").encode(value)
    with pytest.raises(ConversionError):
        form("yyyyMMdd:480").encode(Moment(precision=Precision.DAY, local="next week"))


@_QUICK
@given(st.text(max_size=20), st.text(max_size=6))
def test_no_text_breaks_a_form(text: str, second: str) -> None:
    for name in _FORMS:
        convert = form(f"{name}:420")
        texts = (text, second)[: convert.parts]
        with suppress(ConversionError):
            assert isinstance(convert.decode(*texts), Moment)
