"""Genomes in several languages: the same two tunable numbers in each that has numbers."""

from __future__ import annotations

from trainer.genome import join

C = """#define TILE 16 // range: 1 to 64
static const double SCALE = -0.5f;

/* evo: fixed */
#define SIZE 128
/* evo: end */

void add(int *x)
{
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < TILE; j++) {
            x[i] += j * 3;
            x[j] = i;
        }
}
"""
RUST = """const TILE: usize = 16; // range: 1 to 64
static SCALE: f64 = -0.5_f64;

fn add(x: &mut [usize]) {
    for i in 0..TILE {
        x[i] += i * 3;
        x[0] = i;
    }
}
"""
YAML = """# settings of a run
model:
  tile: 16             # range: 1 to 64
  activation: gelu     # one of: relu, gelu
  layers:
  - width: 8
  - width: 4
  sizes: [1, 2]
scale: -0.5
rate: 3.0e-4
bias: true
seed: 7
"""
TOML = """# settings of a run
scale = -0.5

[model]
tile = 16  # range: 1 to 64
steps = 1_000
name = "a"
bias = true
"""
JSON = '{"model": {"tile": 16, "sizes": [1, 2]}, "scale": -0.5, "bias": true, "seed": 7}\n'
PROMPT = "You sort messages. Answer with one word.\nThink of at most 3 examples. <!-- evo: constant -->\nBe brief.\n"

FILES = {
    "kernel.c": C,
    "kernel.cpp": C,
    "kernel.cu": C,
    "kernel.rs": RUST,
    "run.yaml": YAML,
    "run.toml": TOML,
    "run.json": JSON,
    "prompt.txt": PROMPT,
    "prompt.md": PROMPT,
}
CODE = ("kernel.c", "kernel.cpp", "kernel.cu", "kernel.rs")


def genome(name: str, text: str | None = None) -> str:
    """Return the text of a genome that is one of these files."""
    return join({name: FILES[name] if text is None else text})
