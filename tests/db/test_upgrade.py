"""The previous release goes on working while a new one has migrated its database.

`releases/` holds the code of the previous release, named after its schema: see the rule in
CONTRIBUTING. A program of the previous release that already runs is not stopped by an upgrade; one
that is started afterwards says that the history was written by a newer version.

How the archive is made, at the release's commit (a clone may lack the history, so it is kept):
git archive --format=zip -9 -o tests/db/releases/SCHEMA.zip COMMIT
db momalisa pages streamlit_app.py
":(exclude)momalisa/ui/example/film.gif" ":(exclude)momalisa/atelier" ":(exclude)momalisa/cloud"
":(exclude,glob)momalisa/models/atelier/**/*.safetensors"
":(exclude)momalisa/models/atelier/contact-sheet.webp" ":(exclude)momalisa/models/atelier/tokenizer"
"""

from pathlib import Path

from tests.support.previous_release import run_beside_previous_release

ROUNDS = 2


def test_running_previous_release_works_on_the_new_schema(blank: str, tmp_path: Path) -> None:
    """It writes walks, claims, films, titles, tags, votes and deletions; pages are drawn.

    `python -m tests.chaos previous-release --seconds 60` does it for a minute.
    """
    outcome = run_beside_previous_release(blank, tmp_path, rounds=ROUNDS)
    assert outcome.faults == []
    assert outcome.rounds == ROUNDS
    assert (outcome.lost, outcome.numbers_given_twice) == (0, 0)
    for operation in ("walks submitted", "films made", "searches", "edits and votes"):
        assert outcome.done["old"][operation]
        assert outcome.done["new"][operation]
    assert outcome.done["old"]["deletions"] == ROUNDS
    assert outcome.done["old"]["pages drawn"] == 4 * ROUNDS
