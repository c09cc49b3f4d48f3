"""Checks a pipeline's folder before anything is loaded from it: only known classes, only data.

The loaders import what a folder's configuration names. So every class in it must be in a list of
our own, and settings that would lead to other code are refused.
"""

import json
import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from stat import S_ISREG
from typing import Any

from momalisa.errors import ModelBroken

CONFIG_BYTES = 16 * 2**20
"""Most bytes of a configuration; the largest is an index of weights."""
READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
"""How files are opened of which a few bytes are read: a pipe is not waited for."""
NOISE_LEVELS = 10_000
"""Most noise levels of a scheduler; usual are 1,000."""
LAYERS = 1_000
"""Most layers or blocks that a configuration names at a place; the largest models have 100."""
_COUNTS = ("layers", "blocks", "layers_per_block", "depth")
"""How the names of such numbers end."""
TOKENS = 10_000
"""Most tokens to which CLIP's tokenizers fill a prompt up; usual are 77."""

_UNET, _TEXT = {"UNet2DConditionModel"}, {"CLIPTextModel"}
_AUTOENCODERS = {"AutoencoderKL", "AutoencoderTiny"}
_TOKENIZERS = {"CLIPTokenizer", "CLIPTokenizerFast"}
_SCHEDULERS = {
    *("DDIMScheduler", "DDPMScheduler", "PNDMScheduler", "LMSDiscreteScheduler"),
    *("EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler", "HeunDiscreteScheduler"),
    *("KDPM2DiscreteScheduler", "KDPM2AncestralDiscreteScheduler", "DEISMultistepScheduler"),
    *("DPMSolverMultistepScheduler", "DPMSolverSinglestepScheduler"),
    *("UniPCMultistepScheduler", "LCMScheduler", "TCDScheduler", "EDMEulerScheduler"),
    "EDMDPMSolverMultistepScheduler",
}
_FLOW_EULER = {"FlowMatchEulerDiscreteScheduler"}
_FLOW_SCHEDULERS = _FLOW_EULER | {"FlowMatchHeunDiscreteScheduler"}
"""The second of them cannot be told the noise of each step, as most families do."""
_T5, _T5_TOKENIZERS = {"T5EncoderModel"}, {"T5Tokenizer", "T5TokenizerFast"}
_QWEN3, _QWEN_TOKENIZERS = (
    {"Qwen3Model", "Qwen3ForCausalLM"},
    {"Qwen2Tokenizer", "Qwen2TokenizerFast"},
)
_GEMMA2 = {"Gemma2Model", "Gemma2ForCausalLM"}
_GEMMA_TOKENIZERS = {"GemmaTokenizer", "GemmaTokenizerFast"}
_SHARED = {
    "unet": _UNET,
    "vae": _AUTOENCODERS,
    "text_encoder": _TEXT,
    "tokenizer": _TOKENIZERS,
    "scheduler": _SCHEDULERS,
}
CLASSES: Mapping[str, Mapping[str, set[str]]] = {
    "StableDiffusionPipeline": _SHARED,
    "LatentConsistencyModelPipeline": _SHARED,
    "StableDiffusionXLPipeline": {
        **_SHARED,
        "text_encoder_2": {"CLIPTextModelWithProjection"},
        "tokenizer_2": _TOKENIZERS,
    },
    "StableDiffusion3Pipeline": {
        "transformer": {"SD3Transformer2DModel"},
        "vae": {"AutoencoderKL"},
        "text_encoder": {"CLIPTextModelWithProjection"},
        "tokenizer": _TOKENIZERS,
        "text_encoder_2": {"CLIPTextModelWithProjection"},
        "tokenizer_2": _TOKENIZERS,
        "text_encoder_3": _T5,
        "tokenizer_3": _T5_TOKENIZERS,
        "scheduler": _FLOW_SCHEDULERS,
    },
    "FluxPipeline": {
        "transformer": {"FluxTransformer2DModel"},
        "vae": {"AutoencoderKL"},
        "text_encoder": _TEXT,
        "tokenizer": _TOKENIZERS,
        "text_encoder_2": _T5,
        "tokenizer_2": _T5_TOKENIZERS,
        "scheduler": _FLOW_EULER,
    },
    "ChromaPipeline": {
        "transformer": {"ChromaTransformer2DModel"},
        "vae": {"AutoencoderKL"},
        "text_encoder": _T5,
        "tokenizer": _T5_TOKENIZERS,
        "scheduler": _FLOW_EULER,
    },
    "PixArtSigmaPipeline": {
        "transformer": {"PixArtTransformer2DModel", "Transformer2DModel"},
        "vae": {"AutoencoderKL"},
        "text_encoder": _T5,
        "tokenizer": _T5_TOKENIZERS,
        "scheduler": _SCHEDULERS,
    },
    "ZImagePipeline": {
        "transformer": {"ZImageTransformer2DModel"},
        "vae": {"AutoencoderKL"},
        "text_encoder": _QWEN3,
        "tokenizer": _QWEN_TOKENIZERS,
        "scheduler": _FLOW_EULER,
    },
    "QwenImagePipeline": {
        "transformer": {"QwenImageTransformer2DModel"},
        "vae": {"AutoencoderKLQwenImage"},
        "text_encoder": {"Qwen2_5_VLForConditionalGeneration"},
        "tokenizer": _QWEN_TOKENIZERS,
        "scheduler": _FLOW_EULER,
    },
    "SanaPipeline": {
        "transformer": {"SanaTransformer2DModel"},
        "vae": {"AutoencoderDC"},
        "text_encoder": _GEMMA2,
        "tokenizer": _GEMMA_TOKENIZERS,
        "scheduler": _SCHEDULERS | _FLOW_SCHEDULERS,
    },
    "SanaSprintPipeline": {
        "transformer": {"SanaTransformer2DModel"},
        "vae": {"AutoencoderDC"},
        "text_encoder": _GEMMA2,
        "tokenizer": _GEMMA_TOKENIZERS,
        "scheduler": {"SCMScheduler"},
    },
    "Lumina2Pipeline": {
        "transformer": {"Lumina2Transformer2DModel"},
        "vae": {"AutoencoderKL"},
        "text_encoder": _GEMMA2,
        "tokenizer": _GEMMA_TOKENIZERS,
        "scheduler": _FLOW_EULER,
    },
    "Flux2KleinPipeline": {
        "transformer": {"Flux2Transformer2DModel"},
        "vae": {"AutoencoderKLFlux2"},
        "text_encoder": _QWEN3,
        "tokenizer": _QWEN_TOKENIZERS,
        "scheduler": _FLOW_EULER,
    },
    "PRXPipeline": {
        "transformer": {"PRXTransformer2DModel"},
        "vae": {"AutoencoderKL", "AutoencoderDC"},
        "text_encoder": {"T5GemmaEncoder"},
        "tokenizer": _GEMMA_TOKENIZERS,
        "scheduler": _FLOW_SCHEDULERS,
    },
}
"""The classes that a component of a pipeline may have."""
_PICTURE_PROMPTS = ("feature_extractor", "image_encoder")
NOT_LOADED: Mapping[str, tuple[str, ...]] = {
    "StableDiffusionPipeline": ("safety_checker", *_PICTURE_PROMPTS),
    "LatentConsistencyModelPipeline": ("safety_checker", *_PICTURE_PROMPTS),
    "StableDiffusionXLPipeline": _PICTURE_PROMPTS,
    "StableDiffusion3Pipeline": _PICTURE_PROMPTS,
    "FluxPipeline": _PICTURE_PROMPTS,
}
"""Components of a family that are left out when it is loaded, whatever their class is."""
_DISPENSABLE = {"StableDiffusion3Pipeline": {"text_encoder_3", "tokenizer_3"}}
"""Components that a checkpoint may lack."""
_LIBRARIES = {"diffusers", "transformers"}
_CONFIGS = ("config.json", "scheduler_config.json", "tokenizer_config.json")
_CODE_SETTINGS = {"auto_map", "custom_pipelines", "quantization_config", "_custom_pipeline"}
"""Settings by which a configuration brings code of its own, or has other libraries load it."""


def read_config(path: Path | str) -> dict[str, Any]:
    """Read a configuration's JSON object. Raises ModelBroken, with the file's name alone."""
    try:
        # Calls of the system, since the list of models reads hundreds of configurations.
        file = os.open(path, READ)
        try:
            status = os.fstat(file)
            if status.st_size > CONFIG_BYTES or not S_ISREG(status.st_mode):
                raise ValueError("This is no configuration.")
            config = json.loads(os.read(file, status.st_size).decode())
        finally:
            os.close(file)
        if not isinstance(config, dict):
            raise ValueError("This is no object.")
    except (OSError, ValueError, RecursionError) as error:
        raise ModelBroken(f"its {os.path.basename(path)} cannot be read.") from error
    return config


def pipeline_class(folder: Path) -> str:
    """The name of a folder's pipeline class, if it is one that can be walked.

    Raises ModelBroken with the end of a sentence that begins with the model's name.
    """
    return class_named_by(read_config(f"{folder}/model_index.json"))


def class_named_by(index: Mapping[str, Any]) -> str:
    """The pipeline class that a model_index.json names, likewise."""
    family = index.get("_class_name")
    if not isinstance(family, str):
        raise ModelBroken("its model_index.json names no class.")
    if family not in CLASSES:
        kind = family[:60] if family.isidentifier() else "pipeline of another kind"
        raise ModelBroken(f"it is a {kind}; MOMA Lisa walks {', '.join(CLASSES)} so far.")
    return family


def check_components(folder: Path | str, index: Mapping[str, Any] | None = None) -> None:
    """Raise ModelBroken if a folder names a class that is not in the list, or brings code.

    `index` is its model_index.json, for who has read it.
    """
    index = read_config(f"{folder}/model_index.json") if index is None else index
    family = class_named_by(index)
    refuse_code("model_index.json", index)
    for name, value in index.items():
        left_out = name in NOT_LOADED.get(family, ())
        if isinstance(value, list | dict) and not left_out and value != [None, None]:
            _check_component(f"{folder}/{name}", name, value, CLASSES[family].get(name, set()))
    for name in CLASSES[family].keys() - _DISPENSABLE.get(family, set()):
        if not isinstance(index.get(name), list) or index[name] == [None, None]:
            raise ModelBroken(f"its {name} is missing.")


def _check_component(part: str, name: str, value: object, allowed: set[str]) -> None:
    """Check an entry of model_index.json, such as ["diffusers", "AutoencoderKL"], and its files.

    `part` is the path of the component's folder.
    """
    if not (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(part, str) for part in value)
        and value[0] in _LIBRARIES
        and value[1] in allowed
    ):
        raise ModelBroken(f"its {name[:40]} is of a kind that is not loaded here.")
    # One look into the folder, as the list of models checks hundreds of components.
    try:
        files = os.listdir(part)
    except OSError:
        return  # that it is missing is told with the command that brings it
    for file in files:
        if file in _CONFIGS:
            _check_config(f"{name}/{file}", _read_if_there(f"{part}/{file}"), allowed)
        elif ".safetensors.index" in file and file.endswith(".json"):
            _check_weights(name, read_config(f"{part}/{file}").get("weight_map"))
    if "adapter_config.json" in files:
        raise ModelBroken(f"its {name} is an adapter of other weights, which is not loaded here.")


def _read_if_there(path: str) -> dict[str, Any]:
    """A configuration; empty for a link to nothing, which counts as a file that is missing."""
    try:
        return read_config(path)
    except ModelBroken:
        if os.path.exists(path):
            raise
        return {}


def _check_config(where: str, config: Mapping[str, Any], allowed: set[str]) -> None:
    """Check that a component's configuration agrees with the allowed classes."""
    refuse_code(where, config)
    _check_noise_levels(where, config)
    _check_packages(where, config)
    check_layers(where, config)
    length = config.get("model_max_length")
    if allowed == _TOKENIZERS and isinstance(length, int | float) and not 0 < length <= TOKENS:
        raise ModelBroken(f"its {where} names a length of prompts that no model has.")
    named = [config.get("_class_name"), config.get("tokenizer_class")]
    architectures = config.get("architectures")
    named += architectures if isinstance(architectures, list) else [architectures]
    for class_name in named:
        known = isinstance(class_name, str) and class_name in allowed | _sibling_classes(allowed)
        if class_name is not None and not known:
            raise ModelBroken(f"its {where} names a class that is not loaded here.")


def _check_noise_levels(where: str, config: Mapping[str, Any]) -> None:
    """Refuse a scheduler with so many noise levels that their tables fill the memory."""
    levels = config.get("num_train_timesteps")
    if isinstance(levels, int | float) and not 0 < levels <= NOISE_LEVELS:
        raise ModelBroken(f"its {where} names a number of noise levels that no model has.")


def _check_packages(where: str, config: Mapping[str, Any]) -> None:
    """Refuse a scheduler that computes with SciPy, unless that is installed."""
    needs = config.get("_class_name") == "LMSDiscreteScheduler" or config.get("use_beta_sigmas")
    if needs and find_spec("scipy") is None:
        raise ModelBroken(
            f"its {where} asks for a scheduler that needs the package scipy. To bring it: "
            "python -m pip install scipy"
        )


def check_layers(where: str, config: Mapping[str, Any]) -> None:
    """Refuse so many layers that building them, before any weights are read, fills the memory.

    Raises ModelBroken.
    """
    # A stack and no recursion: configurations may be nested as deep as their decoder allows.
    left: list[tuple[str, Any]] = list(config.items())
    while left:
        name, value = left.pop()
        too_many = False
        if isinstance(value, dict):
            left.extend(value.items())
        elif isinstance(value, list):
            too_many = len(value) > LAYERS and "block" in name
            left.extend((name, one) for one in value)
        elif isinstance(value, (int, float)):
            too_many = value > LAYERS and name.endswith(_COUNTS)
        if too_many:
            raise ModelBroken(f"its {where} names a number of layers that no model has.")


def _sibling_classes(allowed: set[str]) -> set[str]:
    """Classes that a configuration may name in place of the allowed one, which reads the same."""
    whole_clip = {"CLIPModel", "CLIPTextModel", "CLIPTextModelWithProjection"}
    return whole_clip if allowed & whole_clip else set()


def refuse_code(where: str, config: Mapping[str, Any]) -> None:
    """Raise ModelBroken for a configuration that brings code of its own, or needs a library."""
    if "quantization_config" in config:
        raise ModelBroken(
            f"its {where} is quantised for another library, which is not loaded here. Its usual "
            "weights are, and safetensors in float8."
        )
    if _CODE_SETTINGS & config.keys():
        raise ModelBroken(f"its {where} asks for code of its own, which is not run here.")


def _check_weights(name: str, weight_map: object) -> None:
    """Check that an index of weights names safetensors files beside it, and no others."""
    files = list(weight_map.values()) if isinstance(weight_map, dict) else [None]
    for file in files:
        plain = isinstance(file, str) and Path(file).name == file
        if not plain or not str(file).endswith(".safetensors"):
            raise ModelBroken(f"its {name} has weights elsewhere, which are not loaded here.")
