"""What Create says of a model before a walk is made: its licence, its size, whether it fits."""

from momalisa.models.cards import ModelCard
from momalisa.models.fit import Machine, describe_fit, format_bytes, plan_fit
from momalisa.models.memory import read_machine
from momalisa.settings import Settings, settings

PAGE = "https://huggingface.co"


def painting_machine(*, here: bool) -> Machine | None:
    """The machine that paints; None where it is another one, of which nothing is known."""
    current = settings()
    return read_machine(current.device) if here and _paints_here(current) else None


def _paints_here(current: Settings) -> bool:
    return current.worker == "local"


def label(card: ModelCard, machine: Machine | None) -> str:
    """A model's name in the list, with why it cannot be chosen right away."""
    demand = card.demand()
    reasons = [] if card.ready else [_name_absence(card)]
    if machine and demand and not plan_fit(demand, machine).fits:
        reasons.append("too large")
    return " · ".join([card.title, *reasons])


def _name_absence(card: ModelCard) -> str:
    if card.refusal:
        return "cannot be used"
    return "damaged" if card.damaged else "not here"


def describe(card: ModelCard, machine: Machine | None, pixels: int) -> str:
    """What a curator should know of a model, in a line or two.

    `pixels` are those of the pictures that are asked for.
    """
    facts = [card.licence and f"Licence: {card.licence}."]
    absent = not (card.ready or card.damaged or card.refusal)
    if card.gated and absent:
        facts.append(f"Gated: its terms are accepted at {PAGE}/{card.source}.")
    if card.disk and absent:
        facts.append(f"{format_bytes(card.disk)} to download.")
    if machine and (demand := card.demand(pixels)):
        facts.append(describe_fit(demand, machine))
    if not card.ready:
        facts.append(f"It {card.explain_missing()}")
    return " ".join(fact for fact in facts if fact)
