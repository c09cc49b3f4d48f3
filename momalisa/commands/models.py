"""The command `models`: lists them, checks a folder, brings one from the hub."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from momalisa.models import registry
from momalisa.models.cards import SHIPPED_MODELS, ModelCard
from momalisa.models.fit import (
    Demand,
    Machine,
    describe_fit,
    format_bytes,
    name_fit,
    plan_fit,
)
from momalisa.models.folder_check import Examination, examine
from momalisa.models.hub_cards import HUB_MODELS
from momalisa.models.memory import read_machine
from momalisa.models.weights import read_weights
from momalisa.settings import settings

DONE, FAILED = 0, 1
GATES = {True: "gated", False: "open", None: ""}
COLUMNS = ("name", "here", "this machine", "memory", "disk", "pixels", "steps", "guidance")
WIDTHS = (20, 8, 12, 8, 8, 6, 5, 8)
DEVICES = {"cuda": "a GPU", "mps": "Apple's GPU", "cpu": "the processor"}


def add_to(commands: Any) -> None:
    """Add `models` with its actions; without one it lists."""
    models = commands.add_parser(
        "models",
        help="list the models that can be walked, check a folder, bring one from the hub",
        description="Without an action: lists the models that are known or on this machine.",
    )
    models.add_argument("--search", metavar="TEXT", default="", help="only those with this word")
    models.add_argument("--here", action="store_true", help="only those on this machine")
    models.add_argument("--json", action="store_true", help="as JSON")
    models.set_defaults(run=_run_list)
    actions = models.add_subparsers(title="actions", metavar="ACTION")
    check = actions.add_parser("check", help="say what a folder is, and whether it is whole")
    check.add_argument("folder", type=Path, metavar="FOLDER", help="or a file, or a model's name")
    check.set_defaults(run=_run_check)
    pull = actions.add_parser(
        "pull",
        help="bring a model from the hub: safetensors and configurations, checked by digest",
        description="Downloads what is loaded of a model and no more, into the hub's cache. Run it "
        "again to go on after an interruption.",
    )
    pull.add_argument("name", metavar="NAME", help="of the list, or a hub id such as owner/name")
    pull.add_argument("--revision", help="a branch, tag or commit (the newest)")
    pull.set_defaults(run=_run_pull)


def _run_list(options: argparse.Namespace) -> int:
    machine = read_machine(settings().device)
    word = options.search.casefold()
    cards = [
        card
        for card in registry.available()
        if word in f"{card.name} {card.title} {card.licence} {card.family}".casefold()
        and (card.ready or not options.here)
    ]
    if options.json:
        print(json.dumps([_as_json(card, machine) for card in cards], indent=2))
        return DONE
    print(_format_row(COLUMNS) + "  title, licence")
    for card in cards:
        print(f"{_format_row(_cells(card, machine))}  {_describe(card)}")
    print(
        f"\nThis machine paints with {DEVICES[machine.kind]}, {format_bytes(machine.memory)} of "
        "memory. Memory is an estimate, for one picture of the model's own size."
    )
    if any(not card.ready for card in cards):
        print("To bring one that is not here: python -m momalisa models pull NAME")
    return DONE


def _cells(card: ModelCard, machine: Machine) -> tuple[str, ...]:
    demand = card.demand()
    plan = demand and plan_fit(demand, machine)
    return (
        card.name,
        _name_state(card),
        name_fit(plan) if plan else "?",
        format_bytes(plan.memory) if plan else "?",
        format_bytes(card.disk) if card.disk else "?",
        str(card.size),
        str(card.steps),
        f"{card.guidance:g}" if card.guidance > 1 else "none",
    )


def _name_state(card: ModelCard) -> str:
    if card.refusal:
        return "refused"
    if card.ready or card.damaged:
        return "here" if card.ready else "damaged"
    return "partly" if card.hint.startswith("Only") else "-"


def _format_row(cells: tuple[str, ...]) -> str:
    return " ".join(f"{cell:{width}}" for cell, width in zip(cells, WIDTHS, strict=True))


def _describe(card: ModelCard) -> str:
    parts = (card.title, card.licence, GATES[card.gated])
    return ", ".join(part for part in parts if part)


def _as_json(card: ModelCard, machine: Machine) -> dict[str, Any]:
    demand = card.demand()
    plan = demand and plan_fit(demand, machine)
    return {
        "name": card.name,
        "title": card.title,
        "source": card.source,
        "family": card.family,
        "licence": card.licence or None,
        "gated": card.gated,
        "here": card.ready,
        "damaged": card.damaged,
        "refused": card.refusal or None,
        "disk": card.disk or None,
        "memory": plan.memory if plan else None,
        "fit": plan.placement if plan else None,
        "size": card.size,
        "steps": card.steps,
        "guidance": card.guidance,
        "distilled": card.distilled,
    }


def _run_check(options: argparse.Namespace) -> int:
    path = Path(os.path.expanduser(options.folder))
    card = None if path.exists() else _find_card(str(options.folder))
    found = examine(Path(card.source) if card and Path(card.source).is_absolute() else path)
    if card and not card.ready and not found.family:
        print(f"The model “{card.name}” {card.explain_missing()}")
        return FAILED
    _print_examination(found)
    return FAILED if found.problems else DONE


def _find_card(name: str) -> ModelCard | None:
    """The card of a model's name or hub id, for who checks a model and not a folder."""
    return next((c for c in registry.available() if name in (c.name, c.source)), None)


def _run_pull(options: argparse.Namespace) -> int:
    from momalisa.models.download import hub_id_of_name, pull

    current = settings()  # before the hub is asked at the address that they check
    if options.name in {card.name for card in SHIPPED_MODELS}:
        print(f"“{options.name}” ships with MOMA Lisa, and is here.")
        return DONE
    hub_id = hub_id_of_name(options.name)
    card = next((card for card in HUB_MODELS if card.source == hub_id), None)
    if card and (demand := card.demand()):
        print(f"{_describe(card)}. {describe_fit(demand, read_machine(current.device))}")
    found = examine(pull(options.name, options.revision))
    _print_examination(found)
    if options.revision not in (None, "main"):
        print(
            f"“{hub_id}” goes on meaning the newest revision. To walk this one: --model "
            f"{found.folder}, or a link to it in {current.models_folder}"
        )
    return FAILED if found.problems else DONE


def _print_examination(found: Examination) -> None:
    if found.family:
        print(f"{found.folder}: {found.family}")
    for part in found.parts:
        size = format_bytes(part.bytes) if part.bytes else ""
        print(f"  {part.name:16} {part.class_name:34} {size}")
    weights = read_weights(found.folder) if found.parts else None
    if weights:
        machine = read_machine(settings().device)
        print(describe_fit(Demand(weights, registry.size_of(found.folder) ** 2), machine))
    for problem in found.problems:
        print(problem, file=sys.stderr)
    if not found.problems:
        print("It is whole, and can be walked.")
        if doubt := registry.find(str(found.folder)).doubt:
            print(doubt)
