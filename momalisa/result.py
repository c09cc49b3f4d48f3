"""What came of a walk: the fields of `walk.json`'s "result" and of the history's columns."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from momalisa.engine import perception

Count = Annotated[int, Field(ge=0, lt=2**31)]
FileKind = Annotated[str, Field(max_length=16)]
FileKey = Annotated[str, Field(max_length=240)]


class RenderStats(BaseModel):
    """What rendering a walk's frames took, how they change, and which model and device it was.

    A record of another version may lack any of them, hence the defaults.
    """

    model_config = ConfigDict(frozen=True)

    seconds: FiniteFloat = 0.0
    seconds_to_load: FiniteFloat = 0.0
    frames_computed: Count = 0
    unet_samples: Count = 0
    distances: Annotated[list[FiniteFloat], Field(max_length=100_000)] = []
    evenness: FiniteFloat | None = None
    sharpness: FiniteFloat | None = None
    ghosting: FiniteFloat | None = None
    directness: FiniteFloat | None = None
    device: Annotated[str, Field(max_length=200)] = ""
    dtype: Annotated[str, Field(max_length=16)] = ""
    model_digest: Annotated[str, Field(max_length=64)] = ""


def describe_leaps(distances: Sequence[float]) -> str:
    """Where a film leaps, by the distances between its frames, the first of which is frame 1."""
    found = [str(step + 1) for step in perception.leaps(distances)]
    if len(found) < 2:
        return f"A leap after frame {found[0]}" if found else ""
    return f"Leaps after frames {', '.join(found[:-1])} and {found[-1]}"


class Result(RenderStats):
    """A stored film: its files, and the statistics of its rendering."""

    files: Annotated[dict[FileKind, FileKey], Field(max_length=16)]
    """Storage key by kind: "gif", "poster", "json", and "webp" unless the film is an older one."""
    bytes: Annotated[int, Field(gt=0, lt=2**53)]
    """Size of the GIF."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """Digest of the GIF."""
    frames: Count
    """Distinct frames of the entire walk."""
