"""The one place where database errors become ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
    SQLAlchemyError,
    StatementError,
    TimeoutError,
)

from gateway.errors import GatewayError, InternalError, UnavailableError

RETRY_AFTER = 5.0  # seconds: longer than a restart of the database, shorter than a user's patience

# Classes that mean a mistake in our statements. What is left is the database's state: down,
# locked, full, read-only, corrupt.
_MISTAKES = (ProgrammingError, IntegrityError, DataError, NotSupportedError)
# PostgreSQL calls a missing table or column a mistake; SQLite does not, and it is the
# operator's: the schema is old.
_OLD_SCHEMA = {"42P01", "42703"}
# PostgreSQL ended this transaction in favour of another one: run again.
_COLLISIONS = {"40001", "40P01"}


class CollisionError(UnavailableError):
    """Two processes stood in each other's way; the same work can succeed at once."""


@contextmanager
def translated() -> Iterator[None]:
    """Turn database errors into UnavailableError, or InternalError for a mistake of ours."""
    try:
        yield
    except SQLAlchemyError as error:
        raise _ours(error) from error


def _ours(error: SQLAlchemyError) -> GatewayError:
    cause = error.orig if isinstance(error, StatementError) else None
    if isinstance(cause, GatewayError):  # a column type refused a value
        return cause
    state = getattr(cause, "sqlstate", None)
    if state in _COLLISIONS:
        return CollisionError("unavailable", retry_after=RETRY_AFTER)
    if isinstance(error, TimeoutError) or state in _OLD_SCHEMA:
        return UnavailableError("unavailable", retry_after=RETRY_AFTER)
    if isinstance(error, DBAPIError) and not isinstance(error, _MISTAKES):
        return UnavailableError("unavailable", retry_after=RETRY_AFTER)
    return InternalError("internal")
