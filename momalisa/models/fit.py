"""Decides how a checkpoint is put on a device: in which precision, whole or in parts, in tiles.

Numbers in, a plan out: nothing is loaded or measured here. Imports no torch. What a model needs
besides its weights is an estimate, rather too much than too little.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

Precision = Literal["float32", "float16", "bfloat16"]
Placement = Literal["whole", "parts", "groups", "none"]

GB = 10**9
BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}
"""Of a number in each precision."""
NETWORK_NUMBERS, AUTOENCODER_NUMBERS = 500, 1000
"""Numbers that are in memory for each pixel of one picture, while it is sampled and decoded: the
widest autoencoders have 256 channels of a picture's full size, of which four copies are alive."""
TILE_PIXELS = 512 * 512
"""Of a tile in which large pictures are decoded."""
GROUP_SHARE = 0.1
"""Of the largest part's weights: groups of layers that are on the GPU at a time."""
SMALL_SHARE = 0.25
"""Of a memory that weights may take before their precision is what does not fit."""
RESERVE = {"cuda": GB // 2, "mps": 2 * GB, "cpu": GB}
"""Bytes for what else is on a device: the driver's context, or Python and the libraries."""


class Weights(NamedTuple):
    """A checkpoint's weights, as numbers and not as bytes."""

    total: int
    largest: int
    """Those of its largest part: the network or a text encoder."""


@dataclass(frozen=True)
class Machine:
    """The device that paints, and its memory in bytes."""

    kind: Literal["cuda", "mps", "cpu"]
    memory: int
    """Of the device."""
    ram: int
    """Of the machine: the same, unless the device has memory of its own."""
    bf16: bool = True
    """Whether the device computes in bfloat16 by itself."""


@dataclass(frozen=True)
class Demand:
    """What is asked of a machine: a checkpoint, and pictures of a size."""

    weights: Weights
    pixels: int
    """Of a picture."""
    half: Precision = "float16"
    """The family's half precision: bfloat16 where it overflows in float16."""
    upcasts: bool = False
    """Whether the autoencoder works in single precision."""


@dataclass(frozen=True)
class Plan:
    """How a checkpoint is put on a device."""

    placement: Placement
    """Whole; in parts, of which one at a time is on the GPU; in groups of layers likewise; or not
    at all."""
    precision: Precision
    tiled: bool
    """Whether a picture of that size is decoded in tiles, which changes it a little."""
    room: int
    """Bytes for what is computed, beside the weights on the device."""
    memory: int
    """Bytes of the device, about; of a plan that does not fit the least that it would take."""

    @property
    def fits(self) -> bool:
        """Whether the checkpoint can be used at all."""
        return self.placement != "none"


def plan_fit(demand: Demand, machine: Machine) -> Plan:
    """The plan with the best pictures in the least time among those that fit."""
    for plan in _plans(demand, machine):
        if _fits(plan, demand, machine):
            return plan
    return replace(plan, placement="none")


def _plans(demand: Demand, machine: Machine) -> Iterator[Plan]:
    """The plans for a machine, the best first."""
    ways: list[tuple[Placement, bool]] = [("whole", False), ("whole", True)]
    if machine.kind == "cuda":
        # Apple's GPUs share the machine's memory: there is nowhere to put the other parts.
        ways += [("parts", False), ("parts", True), ("groups", True)]
    for placement, tiled in ways:
        for precision in _precisions(demand, machine):
            yield _make_plan(placement, tiled, precision, demand, machine)


def _precisions(demand: Demand, machine: Machine) -> list[Precision]:
    if machine.kind == "cuda":
        emulated = demand.half == "bfloat16" and not machine.bf16
        return ["float32", demand.half] if emulated else [demand.half]
    if BYTES["float32"] * demand.weights.total < SMALL_SHARE * machine.memory:
        return ["float32"]  # half precision would not make room
    # A processor is slow in float16.
    return ["float32", "bfloat16" if machine.kind == "cpu" else demand.half]


def _make_plan(
    placement: Placement, tiled: bool, precision: Precision, demand: Demand, machine: Machine
) -> Plan:
    width = BYTES[precision]
    resident = {
        "whole": demand.weights.total,
        "parts": demand.weights.largest,
        "groups": int(GROUP_SHARE * demand.weights.largest),
    }[placement]
    decoded = min(demand.pixels, TILE_PIXELS) if tiled else demand.pixels
    decoding = AUTOENCODER_NUMBERS * decoded * (4 if demand.upcasts else width)
    sampling = NETWORK_NUMBERS * demand.pixels * width
    base = resident * width + RESERVE[machine.kind]
    memory = base + max(decoding, sampling)
    return Plan(placement, precision, tiled, max(machine.memory - base, 0), memory)


def _fits(plan: Plan, demand: Demand, machine: Machine) -> bool:
    waiting = 0 if plan.placement == "whole" else demand.weights.total * BYTES[plan.precision]
    return plan.memory <= machine.memory and waiting + RESERVE["cpu"] <= machine.ram


def is_certainly_too_large(demand: Demand, machine: Machine) -> bool:
    """Whether the weights alone, which are no estimate, have no place on a machine."""
    room = machine.memory if machine.kind != "cuda" else max(machine.memory, machine.ram)
    return demand.weights.total * BYTES["float16"] > room


def plan_decoding(room: int, pixels: int, batch: int, width: int) -> tuple[bool, bool]:
    """Whether pictures are decoded in tiles, and one after another, to keep within `room` bytes.

    `width` is that of the autoencoder's numbers in bytes, `pixels` are those of a picture.
    """
    tiled = AUTOENCODER_NUMBERS * pixels * width > room
    each = AUTOENCODER_NUMBERS * (min(pixels, TILE_PIXELS) if tiled else pixels) * width
    return tiled, batch > 1 and batch * each > room


def describe_fit(demand: Demand, machine: Machine) -> str:
    """A sentence: whether and how a checkpoint fits a machine, and what it lacks."""
    plan = plan_fit(demand, machine)
    where = {"cuda": "GPU", "mps": "machine", "cpu": "machine"}[machine.kind]
    have, need = format_bytes(machine.memory), format_bytes(plan.memory)
    waiting = format_bytes(demand.weights.total * BYTES[plan.precision])
    if plan.placement == "whole":
        tiles = "; large pictures are decoded in tiles" if plan.tiled else ""
        return f"Fits this {where}: about {need} of {have}{tiles}."
    if plan.placement == "parts":
        return (
            f"Fits this GPU in parts, which is slower: about {need} of {have} at a time, while "
            f"{waiting} of weights wait in the machine's memory."
        )
    if plan.placement == "groups":
        return (
            f"Fits this GPU layer by layer, which is slow: about {need} of {have} at a time, while "
            f"{waiting} of weights wait in the machine's memory."
        )
    if machine.kind == "cuda" and plan.memory <= machine.memory:
        return (
            f"Too large for this machine: {waiting} of weights do not fit its GPU ({have}), and "
            f"its memory of {format_bytes(machine.ram)} cannot hold them beside it."
        )
    return f"Too large for this {where}: it needs about {need} of memory, and there are {have}."


def name_fit(plan: Plan) -> str:
    """Two words for a plan, as in a table."""
    return {
        "whole": "fits",
        "parts": "in parts",
        "groups": "by layers",
        "none": "too large",
    }[plan.placement]


def format_bytes(count: int) -> str:
    """A number of bytes for people: 640 MB, 6.9 GB, 34 GB."""
    if count < GB:
        return f"{count / 10**6:.0f} MB"
    return f"{count / GB:.1f} GB" if count < 10 * GB else f"{count / GB:.0f} GB"
