"""Settings of the property tests: the same examples in every run of CI, others elsewhere.
And the table of what the tests prove (tests/trust_table.py)."""

import os
from dataclasses import astuple

from hypothesis import settings
from trust_table import PROPERTY, Table, render, rows

settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("here", deadline=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_addoption(parser):
    parser.addoption("--trust-table", choices=["write", "show"], help="see tests/trust_table.py")


def pytest_configure(config):
    if config.getoption("--trust-table") == "write":
        config.pluginmanager.register(Table(), "trust-table")


def pytest_collection_finish(session):
    found = rows(session.items)
    if session.config.getoption("--trust-table") == "show":
        session.config.get_terminal_writer().write("\f" + render(found) + "\f")


def pytest_runtest_setup(item):
    item.user_properties += [(PROPERTY, astuple(row)) for row in rows([item])]
