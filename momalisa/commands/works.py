"""The command `works`: search museums' open collections, and take a work's picture along."""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from momalisa.errors import BadInput, ServiceError
from momalisa.settings import settings
from momalisa.works.collection import LARGEST_SIZE, MUSEUMS, SIZE, open_museums, write_picture
from momalisa.works.museum import Museum
from momalisa.works.work import Work

DONE, FAILED = 0, 1
LONGEST_SEARCH, MOST_WORKS = 200, 1000


def add_to(commands: Any) -> None:
    """Add `works` with its actions."""
    works = commands.add_parser(
        "works",
        help="search museums' open collections, get a work's picture",
        description="Works of art that museums give away as public domain or CC0.",
    )
    actions = works.add_subparsers(title="actions", required=True, metavar="ACTION")
    keys = [museum.key for museum in MUSEUMS]
    search = actions.add_parser("search", help="list works by any words")
    search.add_argument("text", metavar="TEXT", help='such as "water lilies"')
    search.add_argument("--museum", choices=keys, help="only this one (all)")
    search.add_argument("--limit", type=int, default=10, help="works of each museum (10)")
    search.set_defaults(run=_run_search)
    get = actions.add_parser("get", help="write a work's picture, and print its label")
    get.add_argument("museum", choices=keys, metavar="MUSEUM", help=", ".join(keys))
    get.add_argument("id", metavar="ID", help="as `works search` prints it")
    get.add_argument("--out", type=Path, help="a PNG, JPEG or WebP file (MUSEUM-ID.png)")
    get.add_argument(
        "--size", type=int, default=SIZE, help=f"most pixels of the longer side ({SIZE})"
    )
    get.set_defaults(run=_run_get)


def _run_search(options: argparse.Namespace) -> int:
    if not options.text.strip() or len(options.text) > LONGEST_SEARCH:
        raise BadInput(f"Search for one to {LONGEST_SEARCH} characters.")
    if not 1 <= options.limit <= MOST_WORKS:
        raise BadInput(f"--limit is from 1 to {MOST_WORKS:,}.")
    museums = open_museums(settings().home)
    asked = [m for key, m in museums.items() if options.museum in (None, key)]
    with ThreadPoolExecutor(len(asked)) as pool:
        answers = list(pool.map(lambda m: _search(m, options.text, options.limit), asked))
    works = [work for found, _ in answers for work in found]
    for work in works:
        if not work.withheld:
            print(f"{work.museum:12} {work.id:12} {work.caption}. {work.licence}")
    for work in works:
        if work.withheld:
            print(f"not offered: {work.caption} ({museums[work.museum].name}): {work.withheld}")
    sentences = [sentence for _, sentence in answers if sentence]
    for sentence in sentences:
        print(sentence, file=sys.stderr)
    if not works and not sentences:
        print("No work was found. Other words, or English ones, may find more.")
    return FAILED if sentences else DONE


def _search(museum: Museum, text: str, limit: int) -> tuple[list[Work], str]:
    """What a museum finds, and the sentence of what went wrong."""
    works: list[Work] = []
    try:
        for work in museum.search(text, limit):
            works.append(work)
    except ServiceError as error:
        return works, str(error)
    return works, ""


def _run_get(options: argparse.Namespace) -> int:
    if not 1 <= options.size <= LARGEST_SIZE:
        raise BadInput(f"--size is from 1 to {LARGEST_SIZE:,} pixels.")
    museum = open_museums(settings().home)[options.museum]
    work = museum.get(options.id)
    out = options.out or Path(f"{work.museum}-{work.id}.png".replace("/", "-"))
    width, height = write_picture(museum, work, out, options.size)
    credit = f"{museum.name}, {work.accession_number}".rstrip(", ")
    lines = (work.caption, work.medium, credit, work.credit_line, work.licence, work.page)
    print("\n".join(line for line in lines if line))
    print(f"{out}: {width} × {height} pixels")
    return DONE
