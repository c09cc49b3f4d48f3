"""Teaching a connoisseur, from the painter's own canvases alone, and keeping it.

It never sees a model's picture while it learns, so it judges by the painter's measure.
"""

import logging
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own idiom)
from torch import Tensor
from tqdm import tqdm

from momalisa.atelier.evaluation.classifier import PLACES, SIDE, Connoisseur, Schooling, small
from momalisa.files import replacing

log = logging.getLogger(__name__)

LEARNING_RATE = 3e-3


def kept_connoisseur(schooling: Schooling, kept: Path) -> Connoisseur:
    """The connoisseur of that schooling: as kept in a file, or taught now (minutes) and kept."""
    student, key = Connoisseur(schooling), schooling.key()
    if kept.exists():
        found = torch.load(kept, weights_only=True)
        if found["key"] == key:
            student.load_state_dict(found["weights"])
            return student
    log.info("teaching a connoisseur on %d canvases", schooling.canvases)
    student = teach(schooling)
    kept.parent.mkdir(parents=True, exist_ok=True)
    with replacing(kept) as part:
        torch.save({"key": key, "weights": student.state_dict()}, part)
    return student


def teach(schooling: Schooling) -> Connoisseur:
    """Train a connoisseur from nothing; the same schooling gives the same one, up to hardware."""
    torch.manual_seed(schooling.seed)
    student = Connoisseur(schooling)
    images, manners, places = _lessons(schooling)
    steps = schooling.rounds * -(-len(images) // schooling.batch)
    optimiser = torch.optim.AdamW(student.parameters(), lr=LEARNING_RATE, weight_decay=0.05)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
    student.train()
    for _ in tqdm(range(schooling.rounds), desc="connoisseur", disable=None):
        for some in torch.split(torch.randperm(len(images)), schooling.batch):
            manner, place = student.verdict(student.features(_varied(images[some])))
            loss = F.cross_entropy(manner, manners[some]) + F.cross_entropy(place, places[some])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            pace.step()
    _remember(student, images)
    return student


def _lessons(schooling: Schooling) -> tuple[Tensor, Tensor, Tensor]:
    """Images (n, 3, SIDE, SIDE), and the numbers (n) of their manners and places."""
    images, facts = [], []
    for seed in range(schooling.canvases):
        canvas = schooling.canvas(seed, schooling.painted)
        images.append(small([canvas.pixels]))
        facts.append(canvas.facts)
    manners = [schooling.manners.index(one.manner) for one in facts]
    places = [PLACES.index(one.place) for one in facts]
    return torch.cat(images), torch.tensor(manners), torch.tensor(places)


@torch.no_grad()
def _remember(student: Connoisseur, images: Tensor) -> None:
    student.eval()
    student.known = torch.cat([student.features(part) for part in torch.split(images, 256)])


def _varied(images: Tensor) -> Tensor:
    """Mirrored, moved a little, softened, in other light: what a manner survives."""
    if torch.rand(()) < 0.5:
        images = images.flip(-1)
    down, right = torch.randint(-3, 4, (2,)).tolist()
    images = F.pad(images, (4, 4, 4, 4), mode="reflect")
    images = images[..., 4 + down : 4 + down + SIDE, 4 + right : 4 + right + SIDE]
    light = 1.0 + 0.06 * torch.randn(len(images), 3, 1, 1)
    return _softened(images * light + 0.02 * torch.randn_like(images)).clamp(0.0, 1.0)


def _softened(images: Tensor) -> Tensor:
    """Mixed with its own blur, each picture by a share of its own from 0 to 1."""
    taps = torch.tensor([0.25, 0.5, 0.25])
    kernel = (taps[:, None] * taps).expand(3, 1, 3, 3)
    blurred = images
    for _ in range(2):
        padded = F.pad(blurred, (1, 1, 1, 1), mode="replicate")
        blurred = F.conv2d(padded, kernel, groups=3)
    share = torch.rand(len(images), 1, 1, 1)
    return images + share * (blurred - images)
