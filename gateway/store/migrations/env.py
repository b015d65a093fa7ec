"""What alembic runs for each command, in the transaction of `gateway.store.migrate`.

SQLite rolls DDL back too, in a transaction that we begin ourselves.
"""

from alembic import context

from gateway.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
)
context.run_migrations()
