"""What Alembic runs for each command: our tables, on the connection that `models.migrate` opened."""

from alembic import context

from models.metadata import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite changes tables by copying them.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
