"""The README's way to restore a PostgreSQL history, as it stands there, with real programs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command

from db import deletions, walks
from db.session import alembic_config, get_engine, migrate, migration_transaction, reading, writing
from tests.support.databases import postgresql_programs, running_postgresql
from tests.support.walks import claim_walk, enqueue_walk, finish_walk

ROOT = Path(__file__).parents[2]


def run(script: str, url: str, folder: Path) -> None:
    """Run shell commands that name DATABASE and FILE; a failed one does not stop the others."""
    programs = postgresql_programs()
    script = script.replace("DATABASE", url.replace("+psycopg", "")).replace("FILE", "history.dump")
    script = f"shopt -s expand_aliases\n{script}"
    path = f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    environment |= {"MOMALISA_DATABASE_URL": url, "MOMALISA_HOME": str(folder)}
    subprocess.run(["bash", "-c", script], cwd=folder, env=environment, check=True)


@pytest.mark.parametrize("release", ["head", "-1"])
def test_walk_that_was_deleted_since_the_backup_stays_deleted(tmp_path: Path, release: str) -> None:
    """Of an earlier release's backup it came back, and `sync` hung its film again."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    [restore] = re.findall(r"^```bash\n([^`]*pg_restore[^`]*)```", readme, flags=re.MULTILINE)
    if (programs := postgresql_programs()) is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with running_postgresql(programs) as server:
        url = server.fresh()
        kept, gone = enqueue_walk(url), enqueue_walk(url)
        for walk in (kept, gone):
            claimed = claim_walk(url)
            assert claimed is not None
            assert claimed.id == walk.id
            assert finish_walk(url, claimed)
        downgrade(url, release)
        run("pg_dump --format=custom --file=FILE 'DATABASE'", url, tmp_path)
        migrate(url)
        with writing(url) as session:
            assert walks.delete(session=session, walk_id=gone.id)
        get_engine(url).dispose()
        run(restore.replace("DATABASE", "'DATABASE'"), url, tmp_path)
        with reading(url) as session:
            assert walks.find_existing_ids(session=session, ids=[kept.id, gone.id]) == {kept.id}
            assert deletions.is_deleted(session=session, walk_id=gone.id)
            assert deletions.list_open(session=session) == [gone.id]
        get_engine(url).dispose()


def downgrade(url: str, release: str) -> None:
    """Give the history the schema of a release before this one, or leave it as it is."""
    if release == "head":
        return
    config = alembic_config()
    with migration_transaction(url) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, release)
