"""The result of a stub renderer."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class StubResult:
    """What a real renderer returns, with values of no film in particular."""

    files: dict[str, str]
    frames_computed: int
    frames: int = 6
    bytes: int = 4
    sha256: str = "5a"
    seconds: float = 0.5
    seconds_to_load: float = 0.1
    unet_samples: int = 8
    distances: list[float] = field(default_factory=lambda: [0.25])
    evenness: float = 1.0
    sharpness: float = 2.0
    device: str = "cpu"
    dtype: str = "float32"
    model_digest: str = "stub"
    waiting: bool = False
