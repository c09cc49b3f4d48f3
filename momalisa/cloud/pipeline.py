"""The Kubeflow pipeline that renders many walks, on Vertex AI or on this machine."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kfp import compiler, dsl, local

from momalisa.errors import MomaLisaError
from momalisa.spec import WalkSpec

NAME = "momalisa-walks"
WALKS_PER_TASK = 10
"""Walks that one task renders in sequence, with a model that is loaded once."""
PARALLEL_TASKS = 8
"""Tasks at the same time on Vertex AI, each on its own machine."""
LOCAL_IMAGE = "python:3.11-slim"
"""Kubeflow requires an image's name for a local run, but does not use it."""


def predict(walks: str, store: str, frames: dsl.Output[dsl.Dataset]) -> list:  # type: ignore[type-arg]
    """Render the frames of walks, given as JSON.

    Kubeflow copies the source of this function to the task, so its imports are inside.
    """
    import json
    from pathlib import Path

    from momalisa.cloud import pipeline_tasks

    return pipeline_tasks.predict(json.loads(walks), Path(frames.path), store)


def postprocess(
    outcomes: list,  # type: ignore[type-arg]
    store: str,
    frames: dsl.Input[dsl.Dataset],
) -> list:  # type: ignore[type-arg]
    """Encode the films of rendered walks and store them."""
    from pathlib import Path

    from momalisa.cloud import pipeline_tasks

    return pipeline_tasks.postprocess(outcomes, Path(frames.path), store)


def report(outcomes: list) -> None:  # type: ignore[type-arg]
    """Print the outcome of each walk; fails if one has no film."""
    from momalisa.cloud import pipeline_tasks

    text, complete = pipeline_tasks.report([outcome for batch in outcomes for outcome in batch])
    print(text)
    if not complete:
        raise SystemExit(1)


def make_pipeline(
    image: str, *, accelerator: str = "", parallel_tasks: int = PARALLEL_TASKS
) -> Any:
    """Build the pipeline; `image` runs its tasks, `accelerator` is such as NVIDIA_L4.

    Kubeflow's cache is off: it sees neither changes of the weights nor of the bucket, and it
    would cache failures. The tasks skip films that are stored already.
    """
    predict_task, postprocess_task, report_task = (
        dsl.component(function, base_image=image, install_kfp_package=False)
        for function in (predict, postprocess, report)
    )

    @dsl.pipeline(name=NAME)  # type: ignore[untyped-decorator]
    def walks(batches: list, store: str) -> None:  # type: ignore[type-arg]
        with dsl.ParallelFor(batches, parallelism=parallel_tasks) as batch:
            rendering = predict_task(walks=batch, store=store).set_caching_options(False)
            rendering.set_retry(num_retries=2, backoff_duration="5s")
            if accelerator:
                rendering.set_cpu_limit("8").set_memory_limit("32G")
                rendering.set_accelerator_type(accelerator).set_accelerator_limit(1)
            filming = postprocess_task(
                outcomes=rendering.outputs["Output"],
                store=store,
                frames=rendering.outputs["frames"],
            ).set_caching_options(False)
        report_task(outcomes=dsl.Collected(filming.output)).set_caching_options(False)

    return walks


def pipeline_arguments(
    walks: Sequence[WalkSpec], store: str, walks_per_task: int = WALKS_PER_TASK
) -> dict[str, Any]:
    """The pipeline's arguments: the walks in batches, each as JSON, and the root of the store."""
    specs = [walk.model_dump(mode="json") for walk in walks]
    starts = range(0, len(specs), walks_per_task)
    batches = [specs[start : start + walks_per_task] for start in starts]
    return {"batches": [json.dumps(batch) for batch in batches], "store": store}


def compile_pipeline(path: Path, image: str, accelerator: str = "") -> None:
    """Compile the pipeline to YAML, for Vertex AI or any Kubeflow."""
    compiler.Compiler().compile(make_pipeline(image, accelerator=accelerator), str(path))


def run_locally(
    walks: Sequence[WalkSpec], store: str, root: Path, walks_per_task: int = WALKS_PER_TASK
) -> None:
    """Run the pipeline on this machine, task after task; `root` is the folder of its artifacts.

    Raises MomaLisaError if a walk has no film; the printed report says which and why.
    """
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(root))
    # One task at a time: all share this machine's cores and memory.
    run = make_pipeline(LOCAL_IMAGE, parallel_tasks=1)
    try:
        run(**pipeline_arguments(walks, store, walks_per_task))
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
    """Submit the pipeline to Vertex AI and return the job's name.

    `root` is the gs:// folder of its artifacts. Raises MomaLisaError if Vertex AI refuses the job.
    """
    from google.api_core.exceptions import GoogleAPICallError
    from google.auth.exceptions import GoogleAuthError
    from google.cloud import aiplatform  # type: ignore[import-untyped]

    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder) / "pipeline.yaml"
        compile_pipeline(template, image, accelerator)
        try:
            job = aiplatform.PipelineJob(
                display_name=NAME,
                template_path=str(template),
                parameter_values=pipeline_arguments(walks, store),
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
