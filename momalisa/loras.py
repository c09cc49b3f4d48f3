"""LoRAs of a walk: small files that change a model's style or subject, each with a weight.

The weight may differ from stop to stop; between two stops a frame has the weight in between.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from momalisa.field_checks import check_number, check_text, refusal

WEIGHT = (-4.0, 4.0)
MOST = 4
"""LoRAs of one walk."""

_DIGEST = re.compile("[0-9a-f]{64}")


def _check_name(name: object) -> str:
    text = check_text(name, what="A LoRA's name")
    if not text:
        raise refusal("A LoRA has a name, that of its file.")
    return text


def _check_digest(digest: object) -> str:
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise refusal("A LoRA is named by the 64 hex digits of its file's SHA-256.")
    return digest


def _check_weights(weights: object) -> tuple[float, ...]:
    """One weight for all stops where they do not differ."""
    values = weights if isinstance(weights, list | tuple) else [weights]
    numbers = tuple(_check_weight(value) for value in values)
    if not numbers:
        raise refusal("A LoRA needs a weight, such as 0.8.")
    return numbers[:1] if len(set(numbers)) == 1 else numbers


def _check_weight(value: object) -> float:
    # Adding 0 makes of -0.0, which is another text in a digest, the same number.
    return check_number(value, what="A LoRA's weight", low=WEIGHT[0], high=WEIGHT[1]) + 0.0


class Lora(BaseModel):
    """A LoRA with its weight: one for all stops of a walk, or one for each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, BeforeValidator(_check_name)]
    """What people call it, without effect on the film."""
    digest: Annotated[str, BeforeValidator(_check_digest)]
    """SHA-256 of its file."""
    weights: Annotated[tuple[float, ...], BeforeValidator(_check_weights)] = (1.0,)

    def at(self, stop: int) -> float:
        """Its weight at a stop."""
        return self.weights[0] if len(self.weights) == 1 else self.weights[stop]

    @property
    def label(self) -> str:
        """Name and weight for a wall label: "Ukiyo-e at 0.8", "Ukiyo-e at 0, 1"."""
        return f"{self.name} at {', '.join(f'{weight:g}' for weight in self.weights)}"


def check_loras(loras: tuple[Lora, ...], stops: int) -> tuple[Lora, ...]:
    """Refuse too many LoRAs, one named twice, and weights for another number of stops."""
    if len(loras) > MOST:
        raise refusal(f"A walk takes up to {MOST} LoRAs, not {len(loras)}.")
    if len({lora.digest for lora in loras}) < len(loras):
        raise refusal("A LoRA is named twice. Please name each once.")
    for lora in loras:
        if len(lora.weights) not in (1, stops):
            raise refusal(
                f"The LoRA “{lora.name}” has {len(lora.weights)} weights for {stops} stops. "
                "Please give one for all stops, or one for each."
            )
    return loras


def digest_content(loras: Sequence[Lora]) -> list[dict[str, Any]]:
    """What has an effect on a film, in an order of its own."""
    in_use = [lora for lora in loras if any(lora.weights)]
    content = [{"digest": lora.digest, "weights": list(lora.weights)} for lora in in_use]
    return sorted(content, key=lambda lora: str(lora["digest"]))


def parse_lora(text: str) -> dict[str, Any]:
    """The fields of a LoRA as it is typed: "NAME", "NAME=0.8", or "NAME=0,1" for two stops.

    Its digest is left out. A comma separates, so decimals have a point.
    """
    # The last sign, since names of files may have others.
    name, _, weights = text.rpartition("=") if "=" in text else (text, "", "")
    return {"name": name.strip(), "weights": split_weights(weights)}


def split_weights(text: str) -> list[str]:
    """Weights as they are typed: "0.8", or "0, 1" for two stops; without any it is 1."""
    return [weight.strip() for weight in (text.strip() or "1").split(",")]
