"""What alembic runs for each command; the connection comes from `gateway.store.migrate`."""

from alembic import context

from gateway.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,  # SQLite can roll DDL back too, in transactions that we begin
)
context.run_migrations()
