"""Laws of the plan by which a checkpoint is put on a device."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from momalisa.models.fit import (
    GB,
    Demand,
    Machine,
    Plan,
    Weights,
    describe_fit,
    is_certainly_too_large,
    plan_decoding,
    plan_fit,
)
from momalisa.models.hub_cards import HUB_MODELS
from momalisa.models.memory import _read_cards

SD15 = Demand(Weights(1_067_000_000, 860_000_000), 512**2)
SDXL = Demand(Weights(3_469_000_000, 2_567_000_000), 1024**2, upcasts=True)
FLUX = Demand(Weights(16_900_000_000, 11_900_000_000), 1024**2, half="bfloat16")


def gpu(gigabytes: float, ram: float = 64) -> Machine:
    """A GPU with that much memory, in a machine with `ram`, both in GB."""
    return Machine("cuda", int(gigabytes * GB), int(ram * GB))


def cpu(gigabytes: float) -> Machine:
    return Machine("cpu", int(gigabytes * GB), int(gigabytes * GB))


PLANS: dict[str, tuple[Demand, Machine, str, bool]] = {
    "SD 1.5 on 4 GB": (SD15, gpu(4), "whole", False),
    "SDXL on 24 GB": (SDXL, gpu(24), "whole", False),
    "SDXL on 10 GB, in tiles": (SDXL, gpu(10), "whole", True),
    "SDXL on 8 GB": (SDXL, gpu(8), "parts", True),
    "SDXL on 4 GB": (SDXL, gpu(4), "groups", True),
    "FLUX on 80 GB": (FLUX, gpu(80), "whole", False),
    "FLUX on 32 GB": (FLUX, gpu(32), "parts", False),
    "FLUX on 12 GB": (FLUX, gpu(12), "groups", True),
    "FLUX on 12 GB beside little memory": (FLUX, gpu(12, ram=16), "none", True),
    "SD 1.5 on a laptop": (SD15, cpu(16), "whole", False),
    "FLUX on a laptop": (FLUX, cpu(16), "none", True),
}


@pytest.mark.parametrize("case", PLANS)
def test_a_model_is_put_where_it_fits(case: str) -> None:
    demand, machine, placement, tiled = PLANS[case]
    plan = plan_fit(demand, machine)
    assert (plan.placement, plan.tiled) == (placement, tiled)


def test_a_family_that_overflows_takes_bfloat16() -> None:
    assert plan_fit(SD15, gpu(24)).precision == "float16"
    assert plan_fit(FLUX, gpu(80)).precision == "bfloat16"


def test_a_gpu_without_bfloat16_takes_single_precision_where_that_fits() -> None:
    demand = replace(SD15, half="bfloat16")
    old = replace(gpu(24), bf16=False)
    assert plan_fit(demand, old).precision == "float32"
    assert plan_fit(demand, replace(old, memory=4 * GB)).precision == "bfloat16"
    assert plan_fit(SD15, old).precision == "float16"


def test_a_processor_takes_half_precision_only_where_single_does_not_fit() -> None:
    assert plan_fit(FLUX, cpu(96)).precision == "float32"
    assert plan_fit(FLUX, cpu(40)).precision == "bfloat16"


def test_a_small_model_is_never_in_half_precision_on_a_processor() -> None:
    """It would change its pictures, and make no room."""
    atelier = Demand(Weights(13_000_000, 10_000_000), 256**2)
    for gigabytes in (0.5, 1.2, 2, 16):
        assert plan_fit(atelier, cpu(gigabytes)).precision == "float32"


def test_apples_gpu_puts_no_parts_elsewhere() -> None:
    small = Machine("mps", 12 * GB, 16 * GB)
    assert plan_fit(SDXL, small).precision == "float16"
    assert not plan_fit(FLUX, small).fits


def test_a_batch_is_decoded_in_slices_and_tiles_only_where_it_has_no_room() -> None:
    picture = 2 * 1000 * 1024**2
    assert plan_decoding(4 * picture, 1024**2, 4, 2) == (False, False)
    assert plan_decoding(3 * picture, 1024**2, 4, 2) == (False, True)
    assert plan_decoding(picture, 1024**2, 1, 2) == (False, False)
    assert plan_decoding(picture // 2, 1024**2, 1, 2) == (True, False)
    assert plan_decoding(picture // 2, 1024**2, 4, 2) == (True, True)


machines = st.builds(
    gpu, st.floats(0.5, 200, allow_nan=False), st.floats(1, 400, allow_nan=False)
) | st.builds(cpu, st.floats(1, 400, allow_nan=False))
demands = st.builds(
    lambda largest, rest, side, upcasts: Demand(
        Weights(largest + rest, largest), side**2, "bfloat16", upcasts
    ),
    st.integers(10**6, 10**11),
    st.integers(0, 10**11),
    st.integers(64, 2048),
    st.booleans(),
)
BEST_FIRST = ("whole", "parts", "groups", "none")


@given(demands, machines)
def test_a_plan_that_fits_keeps_to_the_memory(demand: Demand, machine: Machine) -> None:
    plan = plan_fit(demand, machine)
    assert not plan.fits or plan.memory <= machine.memory
    assert describe_fit(demand, machine)
    if is_certainly_too_large(demand, machine):
        assert not plan.fits


@given(demands, machines)
def test_more_memory_never_makes_the_plan_worse(demand: Demand, machine: Machine) -> None:
    def rank(plan: Plan) -> tuple[int, bool, int]:
        return BEST_FIRST.index(plan.placement), plan.tiled, -plan.room

    more = replace(machine, memory=2 * machine.memory, ram=2 * machine.ram)
    assert rank(plan_fit(demand, more)) <= rank(plan_fit(demand, machine))


def test_what_does_not_fit_is_told_with_both_numbers() -> None:
    told = describe_fit(FLUX, cpu(16))
    assert "Too large" in told
    assert "16 GB" in told
    assert "its memory of 16 GB" in describe_fit(FLUX, gpu(12, ram=16))


def test_cards_of_the_hub_tell_what_they_demand() -> None:
    for card in HUB_MODELS:
        assert card.weights
        # The parts are stored in half precision at least, unless nothing is said.
        assert not card.disk or card.disk >= 1.9 * card.weights.total


def test_the_drivers_answer_is_read() -> None:
    assert _read_cards("24564, 8.9\n8192, 7.5\n") == [(24564 * 2**20, 8.9), (8192 * 2**20, 7.5)]
    assert _read_cards("NVIDIA-SMI has failed\n") == []
