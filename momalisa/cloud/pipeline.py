"""The pipeline on Kubeflow: predict and postprocess over many walks, on Vertex AI or right here."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kfp import compiler, dsl, local

from momalisa.errors import MomaLisaError
from momalisa.spec import WalkSpec

NAME = "momalisa-walks"
A_TASK = 10
"""Walks that a task paints one after the other, with a model that is loaded once."""
AT_ONCE = 8
"""Tasks side by side on Vertex AI, each on a machine of its own."""
HERE = "python:3.11-slim"
"""The image's name in a local run, which uses none but asks for one."""


def predict(walks: str, store: str, frames: dsl.Output[dsl.Dataset]) -> list:  # type: ignore[type-arg]
    """Paint walks, given as JSON; Kubeflow sends this function's own text, imports and all."""
    import json
    from pathlib import Path

    from momalisa.cloud import steps

    return steps.predict(json.loads(walks), Path(frames.path), store)


def postprocess(
    outcomes: list,  # type: ignore[type-arg]
    store: str,
    frames: dsl.Input[dsl.Dataset],
) -> list:  # type: ignore[type-arg]
    """Film painted walks and store the films."""
    from pathlib import Path

    from momalisa.cloud import steps

    return steps.postprocess(outcomes, Path(frames.path), store)


def report(outcomes: list) -> None:  # type: ignore[type-arg]
    """Say what every walk has come to; red when one has no film."""
    from momalisa.cloud import steps

    text, well = steps.report([outcome for some in outcomes for outcome in some])
    print(text)
    if not well:
        raise SystemExit(1)


def pipeline(image: str, *, accelerator: str = "", at_once: int = AT_ONCE) -> Any:
    """The pipeline, whose steps run in `image`; painting on an accelerator such as NVIDIA_L4.

    Kubeflow's own cache is off: it knows neither the weights nor what is left in the bucket, and
    it would keep a failure for ever. The steps find what is stored already.
    """
    painting, filming, reporting = (
        dsl.component(step, base_image=image, install_kfp_package=False)
        for step in (predict, postprocess, report)
    )

    @dsl.pipeline(name=NAME)  # type: ignore[untyped-decorator]
    def walks(batches: list, store: str) -> None:  # type: ignore[type-arg]
        with dsl.ParallelFor(batches, parallelism=at_once) as batch:
            painted = painting(walks=batch, store=store).set_caching_options(False)
            painted.set_retry(num_retries=2, backoff_duration="5s")
            if accelerator:
                painted.set_cpu_limit("8").set_memory_limit("32G")
                painted.set_accelerator_type(accelerator).set_accelerator_limit(1)
            filmed = filming(
                outcomes=painted.outputs["Output"], store=store, frames=painted.outputs["frames"]
            ).set_caching_options(False)
        reporting(outcomes=dsl.Collected(filmed.output)).set_caching_options(False)

    return walks


def arguments(walks: Sequence[WalkSpec], store: str, a_task: int = A_TASK) -> dict[str, Any]:
    """The pipeline's parameters: the walks in batches, each batch as JSON, and where films go."""
    specs = [walk.model_dump(mode="json") for walk in walks]
    batches = [specs[start : start + a_task] for start in range(0, len(specs), a_task)]
    return {"batches": [json.dumps(batch) for batch in batches], "store": store}


def compile_to(path: Path, image: str, accelerator: str = "") -> None:
    """Write the pipeline as YAML, for Vertex AI or any Kubeflow."""
    compiler.Compiler().compile(pipeline(image, accelerator=accelerator), str(path))


def run_here(walks: Sequence[WalkSpec], store: str, root: Path, a_task: int = A_TASK) -> None:
    """Run the pipeline on this machine, step after step; `root` takes what it leaves behind.

    Raises MomaLisaError when a walk got no film; the report, printed before, says which and why.
    """
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(root))
    # One task at a time: all share this machine's cores and memory.
    run = pipeline(HERE, at_once=1)
    try:
        run(**arguments(walks, store, a_task))
    except RuntimeError as error:
        raise MomaLisaError(
            "Not every walk has become a film. The report above says why."
        ) from error


def submit(
    walks: Sequence[WalkSpec],
    *,
    image: str,
    store: str,
    root: str,
    project: str,
    region: str,
    accelerator: str = "",
    service_account: str = "",
) -> str:
    """Start the pipeline on Vertex AI; returns the job's name. `root` is a gs:// address.

    Raises MomaLisaError when Vertex AI says no.
    """
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import GoogleAuthError
    from google.cloud import aiplatform  # type: ignore[import-untyped]

    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder) / "pipeline.yaml"
        compile_to(template, image, accelerator)
        try:
            job = aiplatform.PipelineJob(
                display_name=NAME,
                template_path=str(template),
                parameter_values=arguments(walks, store),
                pipeline_root=root,
                project=project,
                location=region,
                enable_caching=False,
                failure_policy="slow",
            )
            job.submit(service_account=service_account or None)
        except (GoogleAPICallError, GoogleAuthError) as error:
            raise MomaLisaError(
                f"Vertex AI did not take the pipeline: {error}. Please check the project, the "
                "region and your rights, or run: gcloud auth application-default login"
            ) from error
    return str(job.resource_name)
