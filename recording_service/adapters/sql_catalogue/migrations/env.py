"""Run by Alembic for each command: on the connection that it was given, in the transaction that is open there."""

from alembic import context

from recording_service.adapters.sql_catalogue.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
