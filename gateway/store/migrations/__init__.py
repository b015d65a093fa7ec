"""How the tables came to be: one numbered step per change (`versions`), run by alembic.

A step only adds, so that code of the release before runs on the new schema; what nobody
uses any more is dropped one release later.
"""
