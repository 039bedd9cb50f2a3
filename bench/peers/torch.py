"""PyTorch on the CPU: /usr/bin/python3 torch.py --work NAME --threads N [--units 2048 --size 64 --density 0.1 …]

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

MATMUL, LEARNING_RATE = 512, 0.1
WARM_UP_SECONDS, SAMPLES = 1.5, 30


def matmul512(torch):
    a, b, c = (torch.rand(MATMUL, MATMUL) for _ in range(3))
    return lambda: torch.mm(a, b, out=c)


def training_step(torch, batch, inputs, hidden, classes):
    network = torch.nn.Sequential(
        torch.nn.Linear(inputs, hidden), torch.nn.Tanh(), torch.nn.Linear(hidden, classes)
    )
    optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE)
    x, y = torch.rand(batch, inputs), torch.full((batch,), 1)

    def step():
        optimizer.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(network(x), y).backward()
        optimizer.step()

    return step


def gates_at_random(torch, rows, blocks, density):
    return (torch.rand(rows, blocks) < density).float()


def gated_mask(torch, options):
    """A gated layer as everybody writes it: the dense product times the mask; forward and the gradients of x, W and the gates."""
    blocks = options.units // options.size
    x = torch.rand(options.rows, options.inputs, requires_grad=True)
    w = torch.rand(options.inputs, options.units, requires_grad=True)
    gates = gates_at_random(torch, options.rows, blocks, options.density).requires_grad_()
    cotangent = torch.rand(options.rows, options.units)

    def step():
        for tensor in (x, w, gates):
            tensor.grad = None
        h = (x @ w).view(options.rows, blocks, options.size)
        (h * gates.unsqueeze(2)).view(options.rows, options.units).backward(cotangent)

    return step


def gated_loop(torch, options):
    """The same work block by block on the rows that open it, gradients by hand: what a careful user of PyTorch would write."""
    blocks = options.units // options.size
    x = torch.rand(options.rows, options.inputs)
    weights = torch.rand(blocks, options.inputs, options.size)
    gates = gates_at_random(torch, options.rows, blocks, options.density)
    rows_of = [gates[:, k].nonzero().squeeze(1) for k in range(blocks)]
    cotangent = torch.rand(options.rows, blocks, options.size)

    @torch.no_grad()
    def step():
        y = torch.zeros(options.rows, blocks, options.size)
        dx = torch.zeros_like(x)
        for k, rows in enumerate(rows_of):
            if len(rows) == 0:
                continue
            xk = x[rows]
            y[rows, k] = xk @ weights[k]
            dy = cotangent[rows, k]
            weights[k].addmm_(xk.t(), dy, alpha=-1e-6)
            dx.index_add_(0, rows, dy @ weights[k].t())

    return step


def open_blocks(torch, options):
    blocks = options.units // options.size
    return [k for k in range(blocks) if (k * 7) % blocks < round(options.density * blocks)]


def inference_dense(torch, options):
    w, v = torch.rand(options.inputs, options.units), torch.rand(options.units, options.inputs)
    x = torch.rand(options.rows, options.inputs)

    @torch.no_grad()
    def step():
        return (x @ w) @ v

    return step


def inference_loop(torch, options):
    blocks = options.units // options.size
    w = torch.rand(blocks, options.inputs, options.size)
    v = torch.rand(blocks, options.size, options.inputs)
    x = torch.rand(options.rows, options.inputs)
    chosen = open_blocks(torch, options)

    @torch.no_grad()
    def step():
        y = torch.zeros(options.rows, options.inputs)
        for k in chosen:
            y.addmm_(x @ w[k], v[k])
        return y

    return step


def attention(torch, _):
    """8 sequences of 128 points of 256 numbers, 4 heads, causal, with the products before and after: all gradients."""
    rows, points, width, heads = 8, 128, 256, 4
    x = torch.rand(rows, points, width, requires_grad=True)
    inputs, output = torch.nn.Linear(width, 3 * width), torch.nn.Linear(width, width)
    closed = torch.full((points, points), float("-inf")).triu(1)
    cotangent = torch.rand(rows, points, width)
    parameters = [x, *inputs.parameters(), *output.parameters()]

    def step():
        for tensor in parameters:
            tensor.grad = None
        q, k, v = inputs(x).view(rows, points, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        scores = (q @ k.transpose(2, 3)) * (width // heads) ** -0.5 + closed
        y = (scores.softmax(3) @ v).transpose(1, 2).reshape(rows, points, width)
        output(y).backward(cotangent)

    return step


def convolution(torch, _):
    """3×3, 32 to 32 channels, 32 pictures of 28×28: all gradients."""
    x = torch.rand(32, 32, 28, 28, requires_grad=True)
    layer = torch.nn.Conv2d(32, 32, 3, padding=1)
    cotangent = torch.rand(32, 32, 28, 28)
    parameters = [x, *layer.parameters()]

    def step():
        for tensor in parameters:
            tensor.grad = None
        layer(x).backward(cotangent)

    return step


def experts_loop(torch, _):
    """256 → 64 experts of 64 → 256, two open, 1,024 rows: a step of gradient descent, expert by expert, gradients by hand."""
    rows, width, experts, hidden, rate = 1024, 256, 64, 64, 1e-4
    x = torch.rand(rows, width) * 2 - 1
    router = torch.randn(width, experts) * 0.1
    w1, b1 = torch.randn(experts, width, hidden) * 0.1, torch.zeros(experts, hidden)
    w2, b2 = torch.randn(experts, hidden, width) * 0.1, torch.zeros(experts, width)

    @torch.no_grad()
    def step():
        top, chosen = (x @ router).topk(2, dim=1)
        gates = top.softmax(1)
        y = torch.zeros(rows, width)
        open_experts = []
        for k in range(experts):
            of, slot = (chosen == k).nonzero(as_tuple=True)
            if len(of) == 0:
                continue
            xk, g = x[of], gates[of, slot].unsqueeze(1)
            h = torch.addmm(b1[k], xk, w1[k]).relu_()
            o = torch.addmm(b2[k], h, w2[k])
            y.index_add_(0, of, o * g)
            open_experts.append((k, of, slot, xk, g, h, o))
        dy = y * (2 / width)
        dx, dgates = torch.zeros_like(x), torch.zeros_like(gates)
        for k, of, slot, xk, g, h, o in open_experts:
            dyk = dy[of]
            dgates[of, slot] = (o * dyk).sum(1)
            do = dyk * g
            dh = (do @ w2[k].t()).mul_(h > 0)
            dx.index_add_(0, of, dh @ w1[k].t())
            w2[k].addmm_(h.t(), do, alpha=-rate / rows)
            b2[k].sub_(do.sum(0), alpha=rate / rows)
            w1[k].addmm_(xk.t(), dh, alpha=-rate / rows)
            b1[k].sub_(dh.sum(0), alpha=rate / rows)
        dtop = gates * (dgates - (gates * dgates).sum(1, keepdim=True))
        dlogits = torch.zeros(rows, experts).scatter_(1, chosen, dtop)
        dx.addmm_(dlogits, router.t())
        router.addmm_(x.t(), dlogits, alpha=-rate / rows)

    return step


WORK = {
    "matmul512": lambda torch, _: matmul512(torch),
    "dense-step": lambda torch, _: training_step(torch, 100, 784, 2000, 10),
    "small-step": lambda torch, _: training_step(torch, 1, 16, 16, 2),
    "gated-mask": gated_mask,
    "gated-loop": gated_loop,
    "inference-dense": inference_dense,
    "inference-loop": inference_loop,
    "attention": attention,
    "convolution": convolution,
    "experts-loop": experts_loop,
}


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
    parser.add_argument("--work", choices=list(WORK), default="dense-step")
    parser.add_argument("--threads", type=int, default=1)
    for name, value in {"rows": 100, "inputs": 784, "units": 2048, "size": 64}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--density", type=float, default=0.1)
    options = parser.parse_args()
    help_openblas()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(options.threads)
    try:
        import torch
    except ImportError as error:
        return skip(options.work, str(error), "PyTorch is not installed for this Python: install python3-torch.")
    blas = blas_libraries()
    if blas and all(name.startswith("libblas.") for name in blas):
        return skip(options.work, "reference BLAS", "PyTorch runs on the reference BLAS: install libopenblas0-pthread.")
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    once = WORK[options.work](torch, options)
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
