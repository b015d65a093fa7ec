"""Both databases, real: a SQLite file, and a PostgreSQL server of our own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from postgres import postgres_database, postgres_server
from store_sample import KINDS, Databases

from gateway import store as stores
from gateway.store import Store


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a server that lives as long as this test process."""
    with postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> Iterator[str]:
    """The name of a database with the current schema, to copy."""
    with postgres_database(postgresql_server) as url:
        stores.upgrade(url)
        yield url.partition("?")[0].rpartition("/")[2]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the current schema, to copy."""
    path = tmp_path_factory.mktemp("template") / "store.db"
    stores.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of the kind that the test is run with."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/store.db"
    else:
        with postgres_database(request.getfixturevalue("postgresql_server")) as url:
            yield url


@pytest.fixture(scope="session")
def databases(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Databases:
    """Make the URL of a new database of a kind, with the current schema."""

    @contextmanager
    def make(kind: str) -> Iterator[str]:
        if kind == "sqlite":
            path = tmp_path_factory.mktemp("store") / "store.db"
            shutil.copy(request.getfixturevalue("sqlite_template"), path)
            yield f"sqlite:///{path}"
        else:
            server = request.getfixturevalue("postgresql_server")
            template = request.getfixturevalue("postgresql_template")
            with postgres_database(server, template) as url:
                yield url

    return make


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, databases: Databases) -> Iterator[str]:
    """The URL of a database with the current schema; tests run once per kind."""
    with databases(request.param) as made:
        yield made


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An open store."""
    with stores.open(url) as opened:
        yield opened
