"""Moments of digits: the quick reading and writing agree with the calendar."""

from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.codec.convert import ConversionError, converter
from gateway.model.values import Moment, Precision

FORMS = {
    "yyyyMMdd": (Precision.DAY, "%Y%m%d", 10),
    "yyyyMMddHHmmss": (Precision.SECOND, "%Y%m%d%H%M%S", 19),
}
times = st.datetimes(datetime(1900, 1, 1), datetime(2999, 12, 31))  # noqa: DTZ001


@settings(max_examples=100)
@given(at=times, form=st.sampled_from(sorted(FORMS)))
def test_digits_are_read_as_the_calendar_reads_them(at: datetime, form: str) -> None:
    made = converter(f"moment:{form}:480", date(2026, 5, 14))
    precision, pattern, length = FORMS[form]
    text = f"{at.year:04d}" + at.strftime(pattern.removeprefix("%Y"))
    moment = made.decode(text)
    assert moment.local == at.isoformat(timespec="seconds")[:length]
    assert moment.precision is precision
    assert made.keeps is not None
    assert made.keeps(moment)
    assert made.encode(moment) == text


@settings(max_examples=100)
@given(
    at=times,
    precision=st.sampled_from([Precision.DAY, Precision.SECOND]),
    offset=st.sampled_from([None, 420, 480]),
    assumed=st.booleans(),
    form=st.sampled_from(sorted(FORMS)),
)
def test_what_is_said_to_come_back_does(
    at: datetime, precision: Precision, offset: int | None, assumed: bool, form: str
) -> None:
    made = converter(f"moment:{form}:480", date(2026, 5, 14))
    local = at.isoformat(timespec="seconds")[: 10 if precision is Precision.DAY else 19]
    moment = Moment(precision=precision, local=local, offset=offset, offset_assumed=assumed)
    assert made.keeps is not None
    if made.keeps(moment):
        assert made.decode(made.encode(moment)) == moment


@pytest.mark.parametrize("text", ["20260230", "2026-5-1", "2026051٤", "18990101", "30000101"])
def test_no_real_day_refuses(text: str) -> None:
    with pytest.raises(ConversionError):
        converter("moment:yyyyMMdd:480", date(2026, 5, 14)).decode(text)
