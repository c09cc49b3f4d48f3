"""The models that are known by name: what a curator chooses them by. Imports no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from momalisa.models.fit import Demand, Weights
from momalisa.spec import LEFT_OUT, SHORTCUTS, STEPS, Interpolation, WalkSpec

SHIPPED = Path(__file__).parent


class Family(NamedTuple):
    """A pipeline class of diffusers: its adapter, and its checkpoints' usual settings."""

    module: str
    size: int
    """Pixels of a side."""
    steps: int
    guidance: float
    squares: bool = False
    """Whether its checkpoints were trained on squares only."""
    attends: bool = False
    """Whether its networks can be walked by attention (`attends` of its adapter)."""
    weighs: bool = False
    """Whether words of its prompts can have weights (`weighs` of its adapter)."""
    reads_negative: bool = True
    """Whether a negative prompt has an effect; it has none where guidance is but a number."""
    revision: int = 1
    """Rises where its adapter paints other frames than before, which are then painted anew."""


FAMILIES = {
    "StableDiffusionPipeline": Family(
        "momalisa.models.sd", 512, 20, 7.5, squares=True, attends=True, weighs=True
    ),
    "LatentConsistencyModelPipeline": Family(
        "momalisa.models.lcm",
        512,
        4,
        8.5,
        squares=True,
        attends=True,
        weighs=True,
        reads_negative=False,
    ),
    "StableDiffusionXLPipeline": Family(
        "momalisa.models.sdxl", 1024, 20, 5.0, attends=True, weighs=True
    ),
    "StableDiffusion3Pipeline": Family("momalisa.models.sd3", 1024, 28, 7.0),
    "FluxPipeline": Family(
        "momalisa.models.flux", 1024, 28, 3.5, weighs=True, reads_negative=False
    ),
    "ChromaPipeline": Family("momalisa.models.chroma", 1024, 35, 5.0),
    "PixArtSigmaPipeline": Family("momalisa.models.pixart", 1024, 20, 4.5),
    "ZImagePipeline": Family("momalisa.models.z_image", 1024, 28, 5.0, revision=2),
    "QwenImagePipeline": Family("momalisa.models.qwen_image", 1024, 50, 4.0, revision=2),
    "SanaPipeline": Family("momalisa.models.sana", 1024, 20, 4.5),
    "SanaSprintPipeline": Family("momalisa.models.sana_sprint", 1024, 2, 4.5, reads_negative=False),
    "Lumina2Pipeline": Family("momalisa.models.lumina2", 1024, 30, 4.0),
    "Flux2KleinPipeline": Family("momalisa.models.flux2", 1024, 50, 4.0),
    "PRXPipeline": Family("momalisa.models.prx", 512, 28, 4.0),
}
"""The pipeline classes that can be walked."""
TAESD, TAESDXL, TAESD3, TAEF1 = (
    *("madebyollin/taesd", "madebyollin/taesdxl"),
    *("madebyollin/taesd3", "madebyollin/taef1"),
)
PREVIEWS = {
    "StableDiffusionPipeline": TAESD,
    "LatentConsistencyModelPipeline": TAESD,
    "StableDiffusionXLPipeline": TAESDXL,
    "PixArtSigmaPipeline": TAESDXL,
    "StableDiffusion3Pipeline": TAESD3,
    "FluxPipeline": TAEF1,
    "ChromaPipeline": TAEF1,
    "ZImagePipeline": TAEF1,
    "Lumina2Pipeline": TAEF1,
}
"""Tiny autoencoders on the hub that decode previews of a family's latents."""


@dataclass(frozen=True)
class ModelCard:
    """What a curator chooses a model by."""

    name: str
    title: str
    source: str
    """A folder's path or a hub id."""
    size: int
    """Pixels of a side that it was trained on."""
    steps: int
    guidance: float
    distilled: bool = False
    """Whether it was distilled to these steps and this guidance: others make pictures worse."""
    interpolation: Interpolation = "lerp"
    """Of its new walks: another than lerp where films were measured to be better by it."""
    most_steps: int = STEPS[1]
    """More cannot be asked of its scheduler."""
    doubt: str = ""
    """Why its steps and guidance may not fit, in sentences; "" where they are certain."""
    base: str = ""
    """The guided model that it was distilled from, and whose place it took under this name."""
    ready: bool = True
    hint: str = ""
    """How to bring it, where it is not ready."""
    damaged: bool = False
    """Whether it is not ready because a file of it is cut off or damaged."""
    refusal: str = ""
    """Why it is not ready though it is here: it would not be loaded. The end of a sentence."""
    family: str = "StableDiffusionPipeline"
    licence: str = ""
    """Empty where it is not known."""
    gated: bool | None = None
    """Whether the hub gives it only to those who accepted its terms; None where it is not known."""
    disk: int = 0
    """Bytes of its files; 0 where it is not known."""
    weights: Weights | None = None

    @property
    def new_walk(self) -> dict[str, Any]:
        """The fields of a new walk's spec whose defaults depend on the model."""
        return {
            "model": self.name,
            "size": self.size,
            "steps": self.steps,
            "guidance": self.guidance,
            "interpolation": self.interpolation,
            "without": SHORTCUTS if self.distilled else LEFT_OUT,
        }

    @property
    def is_settled(self) -> bool:
        """Whether nothing but a change of its configuration makes another card of it."""
        return self.ready or bool(self.refusal)

    def explain_missing(self) -> str:
        """Why it is not ready, as the end of a sentence that begins with its name; what helps."""
        if self.refusal:
            return f"cannot be used: {self.refusal}"
        return f"is not {'whole' if self.damaged else 'on this machine'}. {self.hint}"

    def demand(self, pixels: int = 0) -> Demand | None:
        """What it asks of a machine for a picture of so many pixels, or of its own size.

        None where its weights are not known.
        """
        return self.weights and Demand(self.weights, pixels or self.size**2)

    def warn_of_shape(self, width: int, height: int) -> str:
        """A sentence for who asks a model of squares for another shape; else ""."""
        if width == height or not FAMILIES[self.family].squares:
            return ""
        return (
            f"{self.title.partition(',')[0]} was trained on squares: in other shapes it may paint "
            "a thing twice, or the whole more loosely."
        )

    def warn_of_negative(self, guidance: float) -> str:
        """A sentence for who gives a negative prompt that has no effect; else ""."""
        if guidance <= 1.0:
            return "Without guidance the negative prompt has no effect."
        if FAMILIES[self.family].reads_negative:
            return ""
        return f"{self.title.partition(',')[0]} reads no negative prompt: it has no effect."

    def refuse(self, interpolation: str) -> str:
        """Why it cannot be walked by an interpolation, as a sentence; "" if it can."""
        family = FAMILIES.get(self.family)
        if interpolation != "attention" or family is None or family.attends:
            return ""
        return (
            f"{self.title.partition(',')[0]} cannot attend to both pictures: that takes a UNet. "
            "Please choose another interpolation, such as predictions."
        )

    def refuse_steps(self, steps: int) -> str:
        """Why it cannot be walked in so many steps, as a sentence; "" if it can."""
        if steps <= self.most_steps:
            return ""
        return (
            f"{self.title.partition(',')[0]} paints in at most {self.most_steps} steps. "
            "Please choose fewer."
        )

    def refuse_weights(self) -> str:
        """Why words of its prompts can have no weights, as a sentence; "" if they can."""
        family = FAMILIES.get(self.family)
        if family is None or family.weighs:
            return ""
        return refuse_weights(self.title.partition(",")[0])

    def refuse_walk(self, spec: WalkSpec) -> str:
        """Why it cannot make a walk, as far as no weights are read; "" if nothing is known."""
        weights = self.refuse_weights() if spec.prompt_weights else ""
        return self.refuse(spec.interpolation) or self.refuse_steps(spec.steps) or weights

    def warn(self, steps: int, guidance: float) -> str:
        """What to say to who asks for steps and guidance that may not fit; else ""."""
        if self.doubt:
            return f"{self.title.partition(',')[0]}: {self.doubt[0].lower()}{self.doubt[1:]}"
        # Guidance of 1 or less is none.
        if not self.distilled or (
            steps == self.steps and max(guidance, 1.0) == max(self.guidance, 1.0)
        ):
            return ""
        usual = "without guidance" if self.guidance <= 1.0 else f"at guidance {self.guidance:g}"
        return (
            f"{self.title.partition(',')[0]} was distilled to {self.steps} steps {usual}: "
            "others are possible, but make its pictures worse."
        )


def refuse_weights(name: str) -> str:
    """The sentence for who weighs words in prompts for a model that cannot."""
    return (
        f"{name} cannot weigh words. Please switch the weights of words off; signs such as + are "
        "text then."
    )


ATELIER = ModelCard(
    *("atelier", "Atelier, shipped with MOMA Lisa", str(SHIPPED / "atelier"), 256, 4, 1.0),
    distilled=True,
    interpolation="attention",
    base="atelier-base",
    licence="MIT",
)
ATELIER_BASE = ModelCard(
    "atelier-base",
    "Atelier base, the guided model that Atelier was distilled from",
    str(SHIPPED / "atelier-base"),
    *(256, 20, 4.0),
    licence="MIT",
)
SHIPPED_MODELS = (ATELIER, ATELIER_BASE)
