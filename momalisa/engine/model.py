"""What the engine needs of a diffusion model. Each family of checkpoints has an adapter for it.

The engine knows latents (channels, height, width), conditions and a time. What is special about a
family stays in its adapter, in `momalisa.models`: how text is encoded, how latents are scaled or
packed, what the network is called with. Splitting batches, guidance, tracing and branching are the
engine's, once for all families.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from momalisa.engine.conditioning import Conditioning
from momalisa.engine.frame_cache import Frame
from momalisa.engine.sampling import Sampler
from momalisa.loras import Lora
from momalisa.prompt_weights import WeightedPrompt


class DiffusionModel(Protocol):
    """A loaded checkpoint: text and noise in, predictions, latents and frames out."""

    @property
    def name(self) -> str:
        """What curators call it."""

    @property
    def digest(self) -> str:
        """64 hex digits of its configuration and weights."""

    @property
    def device(self) -> torch.device:
        """Where it runs."""

    @property
    def dtype(self) -> torch.dtype:
        """The precision of its network."""

    @property
    def guidance(self) -> Literal["cfg", "embedded", "none"]:
        """Classifier-free guidance (a second, unconditional prediction a step), guidance as a
        number that the network reads (`extra["guidance"]` of the conditions), or none."""

    @property
    def traceable(self) -> bool:
        """Whether a recording of the network's operations serves any size and batch."""

    @property
    def attends(self) -> bool:
        """Whether frames can attend to both ends of their leg (interpolation "attention")."""

    @property
    def weighs(self) -> bool:
        """Whether words of its prompts can have weights."""

    @property
    def network(self) -> nn.Module:
        """The network that `predict` calls; its size decides how batches are split."""

    @property
    def latent_channels(self) -> int:
        """Channels of the latents."""

    @property
    def latent_factor(self) -> int:
        """Pixels of a latent cell's side."""

    def check(self, width: int, height: int) -> None:
        """Raise BadInput for a size in pixels that the model cannot paint."""

    def load_loras(self, loras: Sequence[Lora]) -> None:
        """Load these LoRAs, and no others; their weights are those of `engine.lora_weights`.

        Raises BadInput for one that is not there or does not fit; then none is loaded.
        """

    def unread(self, prompt: str) -> str:
        """The end of a prompt that is longer than the text encoder reads; usually empty."""

    def encode(self, prompts: Sequence[str], width: int, height: int) -> Conditioning:
        """Conditions of n prompts in fp32, each encoded by itself, for pictures of that size."""

    def encode_negative(self, prompt: str, width: int, height: int) -> Conditioning:
        """Conditions of a negative prompt, one row, which some families read in another way."""

    def encode_weighted(
        self, prompt: WeightedPrompt, width: int, height: int, *, negative: bool = False
    ) -> Conditioning:
        """Conditions of a prompt, or of a negative one, whose words differ in weight; one row.

        Raises BadInput where the model cannot weigh words.
        """

    def noise(self, seed: int, width: int, height: int) -> Tensor:
        """Unit Gaussian latents (c, h, w) in fp32, drawn on the CPU: the same on every device."""

    def sampler(self, steps: int, width: int, height: int) -> Sampler:
        """The checkpoint's own scheduler for that many steps."""

    def predict(self, latents: Tensor, time: Tensor, conditioning: Conditioning) -> Tensor:
        """The network's prediction for latents (n, c, h, w) at a time (), of the same shape."""

    def normalise_guided(self, guided: Tensor, conditional: Tensor) -> Tensor:
        """The guided prediction (n, c, h, w) as the family uses it, from the conditional one."""

    def decode(self, latents: Tensor) -> list[Frame]:
        """Frames (height, width, 3) of clean latents (n, c, h, w)."""

    def encode_picture(self, picture: Frame) -> Tensor:
        """Clean latents (c, h, w) of a frame; `decode` leads back to it, but for small losses."""
