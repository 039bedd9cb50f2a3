"""PyTorch on the CPU: /usr/bin/python3 torch.py --work matmul512|dense-step --threads N

Debian's packages python3-torch and libopenblas0-pthread are enough. Where PyTorch is absent, or present with the
reference BLAS (thirty times slower, no fair peer), the script says so in one sentence and one JSON line.
"""

import argparse
import json
import os
import re
import statistics
import sys
import time

# This file has PyTorch's own name: keep its folder out of the search.
sys.path = [entry for entry in sys.path if os.path.abspath(entry or ".") != os.path.dirname(os.path.abspath(__file__))]

MATMUL, BATCH, INPUTS, HIDDEN, CLASSES, LEARNING_RATE = 512, 100, 784, 2000, 10, 0.1
WARM_UP_SECONDS, SAMPLES = 1.5, 30


def matmul512(torch):
    a, b, c = (torch.rand(MATMUL, MATMUL) for _ in range(3))
    return lambda: torch.mm(a, b, out=c)


def dense_step(torch):
    network = torch.nn.Sequential(
        torch.nn.Linear(INPUTS, HIDDEN), torch.nn.Tanh(), torch.nn.Linear(HIDDEN, CLASSES)
    )
    optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE)
    x, y = torch.rand(BATCH, INPUTS), torch.full((BATCH,), 3)

    def step():
        optimizer.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(network(x), y).backward()
        optimizer.step()

    return step


def help_openblas():
    """OpenBLAS 0.3.21 knows no Intel core newer than itself and falls back to slow ones: name its AVX-512 kernels."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        facts = file.read()
    if "GenuineIntel" in facts and "avx512f" in facts:
        os.environ.setdefault("OPENBLAS_CORETYPE", "SkylakeX")


def blas_libraries():
    """The BLAS libraries in this process."""
    with open("/proc/self/maps", encoding="utf-8") as file:
        files = {os.path.basename(line.split()[-1]) for line in file if "/" in line}
    return sorted(name for name in files if re.search("openblas|mkl|blis|libblas", name))


def skip(work, reason, sentence):
    print(sentence, file=sys.stderr)
    print(json.dumps({"peer": "torch", "work": work, "skipped": reason}))


def milliseconds_of(once):
    begin = time.perf_counter()
    once()
    return (time.perf_counter() - begin) * 1e3


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", choices=["matmul512", "dense-step"], default="dense-step")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    help_openblas()
    try:
        import torch
    except ImportError as error:
        return skip(options.work, str(error), "PyTorch is not installed for this Python: install python3-torch.")
    blas = blas_libraries()
    if blas and all(name.startswith("libblas.") for name in blas):
        return skip(options.work, "reference BLAS", "PyTorch runs on the reference BLAS: install libopenblas0-pthread.")
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    once = {"matmul512": matmul512, "dense-step": dense_step}[options.work](torch)
    start = time.perf_counter()
    while time.perf_counter() - start < WARM_UP_SECONDS:
        once()
    samples = [round(milliseconds_of(once), 4) for _ in range(SAMPLES)]
    print(
        json.dumps(
            {
                "peer": "torch",
                "work": options.work,
                "threads": options.threads,
                "version": torch.__version__,
                "blas": blas,
                "core": os.environ.get("OPENBLAS_CORETYPE", "detected"),
                "milliseconds": round(statistics.median(samples), 4),
                "samples": samples,
            }
        )
    )


main()
