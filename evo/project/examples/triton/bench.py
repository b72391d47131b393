"""Time and check kernel.py on a GPU: the command of this task. Do not modify.

Prints the median seconds of one call and the largest error. The kernel runs in this process and could forge both
numbers: they are self-reported.
"""

import os
import statistics
import sys

SIZES = ((4096, 1024), (2048, 4096), (1000, 768))  # rows and width; the last one divides by nothing
CALLS = 50
EPSILON = 1e-6


def main() -> None:
    """Check all sizes, then time them."""
    try:
        import torch
        import triton  # noqa: F401
    except ImportError as error:
        sys.exit(f"This example needs torch and triton ({error}).")
    if not torch.cuda.is_available():
        sys.exit("This example needs an NVIDIA GPU, but torch finds none.")
    from kernel import normalise

    torch.manual_seed(int(os.environ.get("EVO_SEED", "0")))
    worst, seconds = 0.0, []
    for rows, width in SIZES:
        shape = {"device": "cuda", "dtype": torch.bfloat16}
        x, residual, weight = (
            torch.randn(rows, width, **shape),
            torch.randn(rows, width, **shape),
            torch.rand(width, **shape),
        )
        total = x.float() + residual.float()
        expected = total * torch.rsqrt(total.square().mean(-1, keepdim=True) + EPSILON) * weight.float()
        found = normalise(x.clone(), residual.clone(), weight.clone(), EPSILON)
        if found.shape != expected.shape:
            sys.exit(f"normalise must return shape {tuple(expected.shape)}, but it returned {tuple(found.shape)}.")
        worst = max(worst, float((found.float() - expected).abs().max()))
        seconds += [timed(normalise, (x, residual, weight, EPSILON), torch) for _ in range(CALLS)]
    print(f"seconds: {statistics.median(seconds):.9f}")
    print(f"max_error: {worst:.3e}")


def timed(call, arguments, torch) -> float:
    """Return the seconds of one call on the GPU."""
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    start.record()
    call(*arguments)
    end.record()
    torch.cuda.synchronize()
    return start.elapsed_time(end) / 1000


if __name__ == "__main__":
    main()
