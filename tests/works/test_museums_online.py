"""The museums themselves: whether they still answer as the stand-ins do. Needs a network.

`python -m pytest tests/works -m online`. A failure here means that a museum has changed its
interface, or cannot be reached; the message says which.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from momalisa.errors import BadInput
from momalisa.works.collection import MUSEUMS, close_museums, open_museums, write_picture
from momalisa.works.museum import Museum

pytestmark = pytest.mark.online

WORKS = {
    "chicago": ("16568", "Water Lilies", "Monet"),
    "cleveland": ("125249", "Plane Trees", "Gogh"),
    "met": ("437853", "", ""),
    "rijksmuseum": ("SK-C-5", "Night Watch", "Rembrandt"),
    "smk": ("KMS1", "Titans", "Cornelis"),
}
"""A work that each museum has shown for long: id, and words of its title and maker."""


@pytest.fixture(params=[museum.key for museum in MUSEUMS])
def museum(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Museum]:
    yield open_museums(tmp_path)[request.param]
    close_museums(tmp_path)


def test_a_well_known_work_has_its_label_and_picture(museum: Museum, tmp_path: Path) -> None:
    work_id, title, maker = WORKS[museum.key]
    work = museum.get(work_id)
    assert work.withheld == "", f"{museum.name} no longer offers {work.caption}: {work.withheld}"
    assert title in work.title
    assert maker in work.artist
    assert work.accession_number
    width, height = write_picture(museum, work, tmp_path / "work.png", 600)
    assert max(width, height) == 600


def test_a_search_finds_free_works_on_more_pages_than_one(museum: Museum) -> None:
    works = list(museum.search("flowers", 105 if museum.key in ("chicago", "smk") else 12))
    assert len({work.id for work in works}) == len(works) >= 12
    free = [work for work in works if not work.withheld]
    assert len(free) >= len(works) // 2, f"{museum.name}: most of what it finds is not offered"


def test_an_unknown_work_is_a_sentence(museum: Museum) -> None:
    with pytest.raises(BadInput, match="there is no work"):
        museum.get("KMS0000001" if museum.key == "smk" else "999999999")
