"""Alembic environment: runs on the connection of `db.session.migrate`, or opens one."""

from alembic import context
from sqlalchemy import Connection

from db import credits  # noqa: F401 - its table
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


connection = context.config.attributes.get("connection")
if connection is not None:
    _run(connection)
else:
    with migration_transaction(context.get_x_argument(as_dictionary=True)["url"]) as new_connection:
        _run(new_connection)
