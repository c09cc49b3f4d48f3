"""The command `walk`: make one film from prompts, without the app."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from momalisa.commands import stop_images
from momalisa.engine.picture_settings import describe_interpolation
from momalisa.errors import BadInput
from momalisa.files import write_atomically
from momalisa.loras import parse_lora
from momalisa.pacing import PACINGS
from momalisa.prompt_weights import parse_prompt
from momalisa.result import describe_leaps
from momalisa.settings import settings
from momalisa.spec import LEFT_OUT, SHORTCUTS, Interpolation, Loop, Mode, WalkSpec, pair_with_seeds

if TYPE_CHECKING:
    from momalisa.engine.frame_cache import Frame, FrameCache
    from momalisa.engine.runner import ModelRunner
    from momalisa.render import RenderedFrames
    from momalisa.stop_pictures import StopPicture

    Encode = Callable[[WalkSpec, Sequence[Frame]], bytes]


def add_to(commands: Any) -> None:
    """Add `walk`: its prompts, what it writes, and on which model and device it runs."""
    walk = commands.add_parser(
        "walk",
        help="make one film from two prompts or more",
        description="Make one film. Example: python -m momalisa walk "
        '"a red square on white" "a stormy sea at night" --out film.gif',
    )
    walk.add_argument("prompts", nargs="+", metavar="PROMPT", help="the stops, in order")
    walk.add_argument(
        "--out",
        type=Path,
        default=Path("film.gif"),
        help="the film to write, a .gif, .webp, .mp4, or a .zip of its frames (film.gif)",
    )
    walk.add_argument("--report", type=Path, help="a file for the rendering's statistics, as JSON")
    walk.add_argument("--frames-dir", type=Path, help="a folder for the frames, as PNG")
    walk.add_argument("--seeds", nargs="+", metavar="SEED", help="one for all stops, or for each")
    stop_images.add_to(walk)
    _add_spec_options(walk)
    model, device = settings().model, settings().device
    walk.add_argument("--model", default=model, help=f"a name, folder or hub id ({model})")
    walk.add_argument(
        "--lora",
        action="append",
        default=[],
        dest="loras",
        metavar="NAME=WEIGHT",
        help="a file of the folder of LoRAs; NAME=0,1 gives each stop a weight",
    )
    walk.add_argument("--device", default=device, help="cuda, cuda:1, mps or cpu (the best)")
    walk.add_argument("--batch", type=int, default=0, help="frames at once (what suits the device)")
    walk.set_defaults(run=_run_walk)


def _add_spec_options(walk: argparse.ArgumentParser) -> None:
    """Add an option for each field of a spec, with the spec's or the model's own default."""
    fields = WalkSpec.model_fields
    for name, text in {
        "frames": "frames a leg, both its ends included",
        "strength": "of the pacing's curve: 0 is linear, 1 the full curve",
        "middle": "a prompt for the middle of each leg, with the interpolation attention",
        "negative": "what the pictures should not show",
        "fps": "frames a second",
    }.items():
        standard = fields[name].default
        shown = f"{text} ({standard})" if standard != "" else text
        walk.add_argument(f"--{name}", default=standard, metavar=name.upper(), help=shown)
    walk.add_argument(
        "--prompt-weights",
        action="store_true",
        help=r"weigh words: (red boat)1.4 counts more, fog- less, \( is a plain parenthesis",
    )
    for name, text in {
        "steps": "denoising steps a frame",
        "guidance": "how closely the prompts are followed; 1 or less turns it off",
        "size": "pixels of a side, or width and height as in 512x768",
    }.items():
        walk.add_argument(f"--{name}", metavar=name.upper(), help=f"{text} (the model's own)")
    for name, values, text in (
        ("pacing", PACINGS, "how frames are spread over a leg"),
        ("loop", get_args(Loop), "what follows the last frame"),
        ("mode", get_args(Mode), "exact, or fast by shortcuts"),
    ):
        standard = fields[name].default
        walk.add_argument(
            f"--{name}", choices=values, default=standard, help=f"{text} ({standard})"
        )
    walk.add_argument(
        "--interpolation",
        choices=get_args(Interpolation),
        help="how two stops are mixed (the model's own)",
    )
    walk.add_argument(
        "--without",
        nargs="*",
        choices=SHORTCUTS,
        help=f"shortcuts that fast leaves out (the model's own: {' '.join(LEFT_OUT)}, or all)",
    )


def build_spec(
    options: argparse.Namespace,
) -> tuple[WalkSpec, "list[StopPicture]", dict[int, stop_images.FoundFrame]]:
    """Build the spec of the options, and find its stops' pictures, and frames of films by stop.

    Raises ValidationError, BadInput or ServiceError.
    """
    from momalisa.models.lora_files import name_loras
    from momalisa.models.registry import find

    own = find(options.model).new_walk
    values = {name: getattr(options, name, None) for name in WalkSpec.model_fields}
    fields = own | {name: value for name, value in values.items() if value is not None}
    fields["loras"] = name_loras(map(parse_lora, options.loras))
    stops = pair_with_seeds(options.prompts, options.seeds or ())
    with_pictures, pictures, frames = stop_images.add_pictures(
        stops, options.image, options.crop, options.credit
    )
    return WalkSpec.model_validate(fields | {"stops": with_pictures}), pictures, frames


def _run_walk(options: argparse.Namespace) -> int:
    spec, pictures, films = build_spec(options)
    for target in (options.out, options.report):
        _check_target(target)
    encode = _find_encoder(options.out)
    if options.frames_dir and options.frames_dir.exists() and not options.frames_dir.is_dir():
        raise BadInput(f"{options.frames_dir} is a file. Please name a folder for the frames.")
    if options.batch < 0:
        raise BadInput("A batch has at least one frame; 0 means what suits the device.")
    from momalisa.engine.frame_cache import open_frame_cache
    from momalisa.models.registry import find, load

    card = find(spec.model)
    if refusal := card.refuse_walk(spec):
        raise BadInput(refusal)  # to load it takes minutes, if it is large
    for warning in (
        card.warn(spec.steps, spec.guidance),
        card.warn_of_shape(spec.width, spec.height),
        card.warn_of_negative(spec.guidance) if spec.negative else "",
        describe_interpolation(spec.interpolation, has_picture=bool(spec.pictures)),
        *stop_images.warn_of_frames(spec, films),
    ):
        print(warning, file=sys.stderr, end="\n" if warning else "")
    runner = load(spec.model, options.device)
    for typed in (*(stop.prompt for stop in spec.stops), spec.middle):
        prompt = parse_prompt(typed).text if spec.prompt_weights else typed
        if unread := runner.model.unread(prompt):
            print(f"Too long for the model, which does not read: “{unread}”", file=sys.stderr)
    cache = open_frame_cache(settings())
    for picture in pictures:
        cache.put_file(picture.digest, picture.data)
    try:
        frames, stats = rendered = _render_frames(spec, runner, cache, options.batch)
        write_atomically(options.out, encode(spec, frames), synced=True)
        if options.frames_dir:
            _write_frames(options.frames_dir, frames, spec)
        if options.report:
            report = json.dumps(_build_report(spec, runner, rendered), indent=2, ensure_ascii=False)
            write_atomically(options.report, report.encode())
    finally:
        cache.trim()  # not before all frames are read
    print(f"{options.out}: {len(frames)} frames in {stats.seconds:.1f} s")
    for image in (stop.image for stop in spec.stops if stop.image):
        print(image.credit_line)
    if spec.pacing == "even" and (leaps := describe_leaps(stats.distances)):
        print(f"{leaps}: there the model's pictures have nothing between them.")
    return 0


def _render_frames(
    spec: WalkSpec, runner: "ModelRunner", cache: "FrameCache", batch: int
) -> "RenderedFrames":
    """Render with a progress bar; frames rendered before come from the cache."""
    from tqdm import tqdm

    from momalisa.render import Progress, render_frames

    with tqdm(total=len(spec.places()), unit="frame", desc="painting") as bar:

        def advance(progress: Progress) -> None:
            bar.update(len(progress.ready) - bar.n)

        return render_frames(spec, runner, cache, batch=batch, on_progress=advance)


def _build_report(
    spec: WalkSpec, runner: "ModelRunner", rendered: "RenderedFrames"
) -> dict[str, Any]:
    return {
        "frames": len(rendered.frames),
        **rendered.stats.model_dump(),
        "model": runner.model.name,
        "digest": spec.digest(),
        "spec": spec.model_dump(mode="json"),
    }


def _check_target(path: Path | None) -> None:
    """Raise BadInput, before any rendering, if a file cannot be written there."""
    if path is None:
        return
    if path.is_dir():
        raise BadInput(f"{path} is a folder. Please name a file in it.")
    if path.exists() and not path.is_file():  # its place would be taken, for all programs
        raise BadInput(f"{path} is a device or a pipe. Please name a file.")
    if not path.absolute().parent.is_dir():
        raise BadInput(f"There is no folder {path.absolute().parent}. Please make it first.")


def _find_encoder(path: Path) -> "Encode":
    """What encodes films of the format that a file's name tells. Raises BadInput if none does."""
    from momalisa.film.exports import CONTENT_TYPES, export_walk
    from momalisa.render import encode_film

    exports = {f".{kind}": partial(export_walk, kind) for kind in CONTENT_TYPES}
    encoders: dict[str, Encode] = {"": encode_film, ".gif": encode_film, **exports}
    if found := encoders.get(path.suffix.lower()):
        return found
    raise BadInput(
        f"A film cannot be written as {path.suffix}. Please name it film.gif, film.webp or "
        "film.mp4, or film.zip for its frames."
    )


def _write_frames(folder: Path, frames: "Sequence[Frame]", spec: WalkSpec) -> None:
    """Write frames as PNG, each with the settings, and so the credits, in its comment."""
    from momalisa.film.encode import encode_png

    comment = spec.model_dump_json()
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames):
        write_atomically(folder / f"frame-{number:04d}.png", encode_png(frame, comment))
