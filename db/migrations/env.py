"""Alembic's way in: on the connection that db.session.migrate holds, or one of its own."""

from alembic import context
from sqlalchemy import Connection

from db.models import Base
from db.session import migration_transaction


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    with migration_transaction(context.get_x_argument(as_dictionary=True)["url"]) as own:
        _run(own)
