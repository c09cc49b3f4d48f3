#!/usr/bin/env bash
# Measures walks on a GPU beside the stock pipeline and a community loop, in less than five minutes:
#   pip install torch==2.13.0 diffusers==0.42.1 transformers==5.23.0 accelerate==1.15.0 pydantic==2.14.3
#   tests/bench/gpu.sh [--tiny] [other options of python -m tests.bench.gpu]
# It needs these packages and what they bring, no network and no weights; what is missing is said at
# once, with exit code 2. On a machine without a GPU --tiny shows that it works. Each row of the table
# is printed when it is measured, so that a run that is cut short has its rows, as has the file
# GPU_FIGURES (gpu.json).
set -euo pipefail
cd "$(dirname "$0")/../.."
if command -v nvidia-smi > /dev/null; then
    nvidia-smi --query-gpu=name,memory.total,driver_version,clocks.max.sm --format=csv || true
fi
# Memory that is not split up leaves room for larger batches.
export PYTORCH_CUDA_ALLOC_CONF="${PYTORCH_CUDA_ALLOC_CONF:-expandable_segments:True}"
export HF_HUB_OFFLINE=1 PYTHONUNBUFFERED=1
exec timeout --kill-after=10 290 "${PYTHON:-python3}" -m tests.bench.gpu_start \
    --json "${GPU_FIGURES:-gpu.json}" "$@"
