"""RMS normalisation of the sum of two tensors (Zhang & Sennrich, 2019), fused in Triton. This file evolves."""

import torch
import triton
import triton.language as tl

WARPS = 1  # one of: 1, 2, 4, 8, 16
STAGES = 1  # one of: 1, 2, 3, 4
ROWS = 1  # one of: 1, 2, 4, 8; that one program works on


@triton.jit
def _normalise(x, residual, weight, out, rows, width, epsilon, each: tl.constexpr, block: tl.constexpr):
    columns = tl.arange(0, block)
    inside = columns < width
    scale = tl.load(weight + columns, mask=inside, other=0.0).to(tl.float32)
    for number in range(each):
        row = tl.program_id(0) * each + number
        mask = inside & (row < rows)
        place = row * width + columns
        value = tl.load(x + place, mask=mask, other=0.0).to(tl.float32)
        value += tl.load(residual + place, mask=mask, other=0.0).to(tl.float32)
        mean = tl.sum(value * value, axis=0) / width
        tl.store(out + place, (value * tl.rsqrt(mean + epsilon) * scale).to(out.dtype.element_ty), mask=mask)


def normalise(x: torch.Tensor, residual: torch.Tensor, weight: torch.Tensor, epsilon: float) -> torch.Tensor:
    """Return (x + residual) over its root mean square along the last axis, times `weight`.

    Args:
        x: shape (rows, width), contiguous, on a GPU.
        residual: likewise.
        weight: shape (width,).
        epsilon: added to the mean square.
    """
    rows, width = x.shape
    out = torch.empty_like(x)
    grid = (triton.cdiv(rows, ROWS),)
    block = triton.next_power_of_2(width)
    _normalise[grid](
        x, residual, weight, out, rows, width, epsilon, each=ROWS, block=block, num_warps=WARPS, num_stages=STAGES
    )
    return out
