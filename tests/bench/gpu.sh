#!/usr/bin/env bash
# Measures walks on a GPU beside the stock pipeline and a community loop, in less than five minutes:
#   tests/bench/gpu.sh [--tiny] [other options of python -m tests.bench.gpu]
# Run it in an environment with requirements.txt; on a machine without a GPU --tiny shows that it
# works. The table goes to the screen, the figures to the file GPU_FIGURES (gpu.json).
set -euo pipefail
cd "$(dirname "$0")/../.."
if command -v nvidia-smi > /dev/null; then
    nvidia-smi --query-gpu=name,memory.total,driver_version,clocks.max.sm --format=csv
fi
# Memory that is not split up leaves room for larger batches.
export PYTORCH_CUDA_ALLOC_CONF="${PYTORCH_CUDA_ALLOC_CONF:-expandable_segments:True}"
export HF_HUB_OFFLINE=1
exec timeout --kill-after=10 300 python -m tests.bench.gpu --json "${GPU_FIGURES:-gpu.json}" "$@"
