"""Small projects in the style of public ones: their files, prints and texts, without what they would need to train."""

from __future__ import annotations

from dataclasses import dataclass, field

from project_files import AUTORESEARCH


@dataclass(frozen=True, slots=True)
class Layout:
    """One project, and what `evo init` has to find.

    Attributes:
        title: its style, as the documentation lists it.
        files: by relative path.
        genome: the file that evolves; empty if that is asked.
        command: without the interpreter.
        metric: that decides, with its direction; or the key of what is asked, as `asks genome`.
        frozen: that the program reads.
        value: what the expression of the metric reads from the output; None where nothing is read.
        absent: names of metrics that must not be objectives.
    """

    title: str
    files: dict[str, str]
    genome: str = "train.py"
    command: str = "train.py"
    metric: str = "val_loss min"
    frozen: tuple[str, ...] = ()
    value: float | None = None
    absent: tuple[str, ...] = field(default=())


LAYOUTS = [
    Layout(
        "autoresearch", AUTORESEARCH, metric="val_bpb min", frozen=("prepare.py", "~/.cache/autoresearch"), value=1.25
    ),
    Layout(
        "autoresearch on a CPU, a metric that may be n/a",
        {
            "prepare.py": "TIME_BUDGET = 60\n",
            "program.md": 'Edit `train.py` only, not prepare.py.\n\n    grep "^val_bpb:\\|^peak_vram_mb:" run.log\n',
            "train.py": """
                from prepare import TIME_BUDGET
                MATRIX_LR = 0.04
                print(f"Estimated FLOPs per token: {1.2e9:e}")
                print(f"val_bpb:          {0.99:.6f}")
                print(f"peak_vram_mb:     {0.0:.1f}")
                print("mfu_percent:      n/a")
                """,
        },
        metric="val_bpb min",
        frozen=("prepare.py",),
        value=0.99,
        absent=("mfu_percent", "estimated_flops_per_token"),
    ),
    Layout(
        "autoresearch on MLX, started by uv",
        {
            "prepare.py": "import os\nCACHE = os.path.expanduser('~/.cache/autoresearch-mlx')\nTIME_BUDGET = 300\n",
            "CLAUDE.md": "Run `uv run train.py`. The metric is **val_bpb** (lower is better). Edit train.py only.\n",
            "train.py": """
                import prepare
                DEPTH = 4
                print("step 00001 | loss: 3.2 | tok/sec: 1,234")
                print(f"final val_bpb: {1.5:.4f} | tok/sec: {4321:,}")
                """,
        },
        metric="val_bpb min",
        frozen=("prepare.py", "~/.cache/autoresearch-mlx"),
        value=1.5,
    ),
    Layout(
        "autoresearch on macOS, JSON lines on stderr",
        {
            "AGENTS.md": "Primary metric: `val_bpb`. Only `train.py` may change; never edit `harness.py`.\n",
            "harness.py": """
                import json, sys
                def report(**numbers):
                    print(json.dumps(numbers), file=sys.stderr)
                """,
            "train.py": "import harness\nlr = 0.1\nharness.report(step=1, train_loss=2.0, val_bpb=1.75)\n",
        },
        metric="val_bpb min",
        frozen=("harness.py",),
        value=1.75,
    ),
    Layout(
        "autoresearch on scikit-learn: methods at the top level",
        {
            "prepare.py": """
                X, y = [[0.0], [1.0]], [0.0, 1.0]
                def evaluate(model):
                    print(f"val_rmse: {0.25:.6f}")
                if __name__ == "__main__":
                    print("Setup OK")
                """,
            "model.py": """
                class Line:
                    def __init__(self, slope=0.5): self.slope = slope
                    def fit(self, X, y): return self
                """,
            "program.md": "Modify `train.py` only. The others are read-only. Launch: `python train.py > run.log`\n",
            "train.py": """
                from model import Line
                from prepare import X, evaluate, y
                model = Line(slope=0.5)
                model.fit(X, y)
                results = evaluate(model)
                """,
        },
        metric="val_rmse min",
        frozen=("model.py", "prepare.py"),
        value=0.25,
    ),
    Layout(
        "tabular: a table of folds, then the mean",
        {
            "train.py": """
                from harness import cross_validate
                LEARNING_RATE, DEPTH = 0.1, 6
                max_leaves = 31
                cross_validate()
                """,
            "harness.py": """
                '''Frozen. Do not modify.'''
                def cross_validate():
                    rows = open("data/train.csv").read()
                    print("fold  auc")
                    for fold in range(2):
                        print(fold, " ", 0.8 + fold / 10)
                    print(f"mean val_auc: {0.85:.4f} +/- {0.05:.4f}")
                """,
            "data/train.csv": "a,b\n",
        },
        metric="val_auc max",
        frozen=("harness.py", "data/train.csv"),
        value=0.85,
    ),
    Layout(
        "trading: the target stands in the text",
        {
            "strategy.py": "'''THIS IS THE ONLY FILE THE AGENT MODIFIES.'''\nHORIZON = 20\ndef decide(prices): ...\n",
            "backtest.py": """
                import importlib
                if __name__ == "__main__":
                    importlib.import_module("strategy").decide([])
                    print("trades:        1,250")
                    print(f"max_drawdown:  {-12.5}%")
                    print(f"Sharpe ratio:  {1.5:.3f}")
                    print(f"win rate:      {55.0}%")
                """,
            "program.md": "Primary target: Sharpe ratio. Secondary: max_drawdown. Run `python backtest.py`.\n",
        },
        genome="strategy.py",
        command="backtest.py",
        metric="sharpe_ratio max",
        frozen=("backtest.py",),
        value=1.5,
    ),
    Layout(
        "reinforcement learning, as CleanRL prints",
        {
            "ppo.py": """
                import argparse, random
                parser = argparse.ArgumentParser()
                parser.add_argument("--seed", type=int, default=1)
                parser.add_argument("--learning-rate", type=float, default=2.5e-4)
                parser.add_argument("--gamma", type=float, default=0.99)
                args = parser.parse_args()
                if __name__ == "__main__":
                    for step in range(3):
                        print(f"global_step={step * 100}, episodic_return=[{20.0 + step}]")
                        print("SPS:", 1000 + step)
                """
        },
        genome="ppo.py",
        command="ppo.py --seed {seed}",
        metric="episodic_return max",
        value=22.0,
    ),
    Layout(
        "vision: a test set and no validation set, as pytorch/examples prints",
        {
            "main.py": """
                import argparse
                parser = argparse.ArgumentParser()
                parser.add_argument("--seed", type=int, default=1)
                parser.add_argument("--lr", type=float, default=1.0)
                parser.parse_args()
                print("Train Epoch: {} [{}/{} ({:.0f}%)]\\tLoss: {:.6f}".format(1, 0, 3, 0.0, 2.3))
                print("\\nTest set: Average loss: {:.4f}, Accuracy: {}/{} ({:.0f}%)\\n".format(0.05, 97, 100, 97.0))
                """
        },
        genome="main.py",
        command="main.py --seed {seed}",
        metric="asks objectives",
    ),
    Layout(
        "vision with a validation set: the test set is reported and not selected on",
        {
            "train.py": """
                lr, momentum = 0.1, 0.9
                width = 64
                for epoch in range(2):
                    loss = 1.0 - epoch / 2
                    print(f"Epoch {epoch} | train: loss {2.0:.3f} acc {0.5:.3f} | val: loss {loss:.3f} acc {0.75:.3f}")
                print(f"test: acc {0.7:.3f}")
                """
        },
        metric="val_loss min",
        value=0.5,
        absent=("test_acc",),
    ),
    Layout(
        "a kernel and its benchmark",
        {
            "kernel.py": "BLOCK = 128\ndef matmul(a, b): return a\n",
            "bench.py": """
                import kernel
                if __name__ == "__main__":
                    kernel.matmul(1, 2)
                    print(f"max_error: {1e-6:.2e}")
                    print(f"latency_ms: {0.25:.3f}  tflops: {312.5}")
                """,
            "README.md": "Optimize `kernel.py`. Measure with `python bench.py`; the metric is latency_ms.\n",
        },
        genome="kernel.py",
        command="bench.py",
        metric="latency_ms min",
        frozen=("bench.py",),
        value=0.25,
    ),
    Layout(
        "nanoGPT: small-letter settings, a configuration file, the first command of the README",
        {
            "train.py": """
                import os
                import sys
                eval_interval = 2000
                learning_rate = 6e-4
                n_layer = 12
                if int(os.environ.get("RANK", -1)) != -1:
                    rank = int(os.environ["RANK"])
                for arg in sys.argv[1:]:
                    if arg.endswith(".py"):
                        exec(open(arg).read())
                iter_num = 0
                while iter_num < 2:
                    print(f"step {iter_num}: train loss {2.0:.4f}, val loss {1.5 - iter_num / 4:.4f}")
                    print(f"iter {iter_num}: loss {2.1:.4f}, time {10.0:.2f}ms, mfu {3.0:.2f}%")
                    iter_num += 1
                """,
            "config/train_shakespeare_char.py": "n_layer = 6\n",
            "README.md": "```sh\npython train.py config/train_shakespeare_char.py --device=cpu --compile=False\n```\n\n"
            "On eight devices:\n\n    torchrun --standalone --nproc_per_node=8 train.py config/train_gpt2.py\n",
        },
        command="train.py config/train_shakespeare_char.py --device=cpu --compile=False",
        frozen=("config/train_shakespeare_char.py",),
        value=1.25,
        absent=("loss", "train_loss"),
    ),
    Layout(
        "makemore: one file, a test loss beside the training loss",
        {
            "makemore.py": """
                import argparse
                parser = argparse.ArgumentParser()
                parser.add_argument("--learning-rate", "-l", type=float, default=5e-4)
                parser.add_argument("--seed", type=int, default=3407)
                parser.parse_args()
                print("step 10 | loss 2.7000 | step time 3.00ms")
                print(f"step 10 train loss: {2.5} test loss: {2.6}")
                """
        },
        genome="makemore.py",
        command="makemore.py --seed {seed}",
        metric="asks objectives",
    ),
    Layout(
        "minGPT: a class of settings, work behind methods",
        {
            "mingpt/__init__.py": "",
            "mingpt/trainer.py": """
                class Trainer:
                    learning_rate: float = 3e-4
                    def run(self):
                        print(f"iter_dt 10.00ms; iter 100: train loss {1.5:.5f}")
                        print(f"val_loss = {1.25}")
                """,
            "chargpt.py": "from mingpt.trainer import Trainer\ntrainer = Trainer()\ntrainer.run()\n",
        },
        genome="chargpt.py",
        command="chargpt.py",
        frozen=("mingpt/trainer.py", "mingpt/__init__.py"),
        value=1.25,
    ),
    Layout(
        "modded-nanogpt: torchrun in a shell script",
        {
            "train_gpt.py": """
                import os
                rank = int(os.environ["RANK"])
                LEARNING_RATE = 0.02
                print(f"step:{125}/{1750} val_loss:{4.92:.4f} train_time:{1234:.0f}ms step_avg:{9.87:.2f}ms")
                """,
            "run.sh": "torchrun --standalone --nproc_per_node=8 train_gpt.py\n",
        },
        genome="train_gpt.py",
        command="train_gpt.py",
    ),
    Layout(
        "a training started by a shell script with line continuations",
        {
            "train.py": "lr = 0.1\nprint('val_acc: {:.2f}'.format(0.75))\n",
            "scripts/train.sh": "#!/bin/bash\npython train.py \\\n    --epochs 2 \\\n    --out=out/x > log.txt 2>&1\n",
        },
        command="train.py --epochs 2 --out=out/x",
        metric="val_acc max",
        value=0.75,
    ),
    Layout(
        "xgboost: evaluation lines of two sets",
        {
            "train.py": """
                params = {"eta": 0.1}
                max_depth = 6
                for i in range(2):
                    print(f"[{i}]\\ttrain-rmse:{0.5:.5f}\\tvalid-rmse:{0.75 - i / 4:.5f}")
                """
        },
        metric="valid_rmse min",
        value=0.5,
    ),
    Layout(
        "a Hugging Face trainer: dictionaries in the log",
        {
            "run_glue.py": """
                class Trainer:
                    def train(self): print({"loss": 0.7, "learning_rate": 5e-05, "epoch": 1.0})
                    def evaluate(self): print({"eval_loss": 0.5, "eval_accuracy": 0.75, "epoch": 1.0})
                trainer = Trainer()
                trainer.train()
                trainer.evaluate()
                """,
            "README.md": "We maximize eval_accuracy.\n",
        },
        genome="run_glue.py",
        command="run_glue.py",
        metric="eval_accuracy max",
        value=0.75,
    ),
    Layout(
        "Keras: progress lines",
        {
            "train.py": """
                units = 64
                print("Epoch 1/1")
                print("10/10 [=====] - 0s 2ms/step - loss: 0.5 - accuracy: 0.8 - val_loss: 0.4 - val_accuracy: 0.85")
                """
        },
        value=0.4,
    ),
    Layout(
        "Lightning: a table of validation metrics",
        {
            "train.py": """
                class Trainer:
                    def validate(self):
                        print("│   Validate metric   │   DataLoader 0   │")
                        print("│       val_acc       │       0.91       │")
                        print("│      val_loss       │       0.21       │")
                trainer = Trainer()
                trainer.validate()
                """,
            "README.md": "goal: reach the highest val_acc\n",
        },
        metric="val_acc max",
        value=0.91,
    ),
    Layout(
        "fastai: a table with a header",
        {
            "train.py": """
                lr = 1e-3
                print("epoch  train_loss  valid_loss  accuracy  time")
                for epoch in range(2):
                    print(epoch, " ", 0.9, " ", 1.0 - epoch / 4, " ", 0.5, " ", "00:10")
                """
        },
        metric="valid_loss min",
        value=0.75,
    ),
    Layout(
        "Hydra: overrides on the command line, a logger",
        {
            "src/train.py": """
                import logging
                logging.basicConfig(level=logging.INFO, format="[%(asctime)s][%(levelname)s] - %(message)s")
                logging.info("val_f1 = %.3f", 0.625)
                """,
            "README.md": "    python src/train.py model=small trainer.max_epochs=1\n",
        },
        genome="src/train.py",
        command="src/train.py model=small trainer.max_epochs=1",
        metric="val_f1 max",
        value=0.625,
    ),
    Layout(
        "information retrieval: a metric with an @, found by grep -i",
        {
            "rank.py": "K = 10\nprint(f'NDCG@10: {0.375:.4f}')\nprint(f'Recall@10: {0.5:.4f}')\n",
            "program.md": 'Edit rank.py. Check with `grep -i "^ndcg@10:" run.log`.\n',
        },
        genome="rank.py",
        command="rank.py",
        metric="ndcg_10 max",
        value=0.375,
    ),
    Layout(
        "an evaluator that takes the candidate's file as an argument",
        {
            "evaluate.py": """
                import importlib.util, sys
                spec = importlib.util.spec_from_file_location("candidate", sys.argv[1])
                candidate = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(candidate)
                print(f"score: {candidate.pack():.3f}")
                """,
            "initial_program.py": "RADIUS = 0.5\ndef pack():\n    return RADIUS * 5\n",
            "README.md": "    python evaluate.py initial_program.py\n\nA higher score is better.\n",
        },
        genome="initial_program.py",
        command="evaluate.py initial_program.py",
        metric="score max",
        frozen=("evaluate.py",),
        value=2.5,
    ),
    Layout(
        "OpenEvolve: an evaluator that is given a path and returns its metrics",
        {
            "initial_program.py": """
                # EVOLVE-BLOCK-START
                STEP = 0.5
                def search():
                    return 3 * STEP
                # EVOLVE-BLOCK-END
                if __name__ == "__main__":
                    print("found", search())
                """,
            "evaluator.py": """
                import importlib.util
                def evaluate(program_path):
                    spec = importlib.util.spec_from_file_location("program", program_path)
                    program = importlib.util.module_from_spec(spec)
                    spec.loader.exec_module(program)
                    x = program.search()
                    return {"value_score": 1 / (1 + x), "combined_score": x / 2, "note": "fine"}
                """,
            "config.yaml": "max_iterations: 100\n",
        },
        genome="initial_program.py",
        command='-c import evaluator; found = evaluator.evaluate("initial_program.py"); [print(name, value, sep=": ") '
        'for name, value in getattr(found, "metrics", found).items() if isinstance(value, (int, float))]',
        metric="combined_score max",
        frozen=("evaluator.py",),
        value=0.75,
    ),
    Layout(
        "a trusted scorer of predictions",
        {
            "train.py": "import os\nDEPTH = 3\nopen('predictions.txt', 'w').write('1')\nprint('done')\n",
            "score.py": """
                import os
                labels = open("labels.txt").read()
                left = os.environ["EVO_ARTIFACTS"]
                print(f"accuracy: {0.5:.4f}")
                """,
            "labels.txt": "1\n",
        },
        metric="accuracy max",
        frozen=("score.py",),
    ),
    Layout(
        "checkpoints that the program writes and may resume from",
        {
            "train.py": """
                import os
                OUT = "out"
                os.makedirs(OUT, exist_ok=True)
                path = os.path.join(OUT, "ckpt.pt")
                if os.path.exists(path):
                    open(path).read()
                with open(path, "w") as file:
                    file.write("weights")
                lr = 0.1
                print(f"val_loss: {0.5}")
                """
        },
        value=0.5,
    ),
    Layout(
        "a progress bar before the metric",
        {
            "train.py": """
                import sys
                LR = 0.5
                for epoch in range(3):
                    sys.stderr.write(f"\\rtrain:  33%|███   | {epoch}/3 [00:00<00:00, 16.5it/s]")
                    sys.stderr.flush()
                    print(f"epoch {epoch} val_loss: {1.0 - epoch / 4}", flush=True)
                """
        },
        value=0.5,
    ),
    Layout(
        "a prompt as a text, given to its scorer",
        {
            "score.py": """
                import sys
                prompt = open(sys.argv[1]).read()
                rows = open("questions.tsv").read().split()
                print(f"accuracy: {0.5:.3f}")
                """,
            "prompt.txt": "Answer with one word.\nThink first.\n",
            "questions.tsv": "1+1\t2\n",
            "README.md": "    python score.py prompt.txt\n\nHigher accuracy is better.\n",
        },
        genome="prompt.txt",
        command="score.py prompt.txt",
        metric="accuracy max",
        frozen=("score.py", "questions.tsv"),
        value=0.5,
    ),
    Layout(
        "a prompt in Markdown that one program reads",
        {
            "evaluate.py": "prompt = open('prompt.md').read()\nprint(f'score: {len(prompt) / 100:.2f}')\n",
            "prompt.md": "# Task\n\nSort the messages.\n",
            "program.md": "The metric is score, and higher is better.\n",
        },
        genome="prompt.md",
        command="evaluate.py",
        metric="score max",
        frozen=("evaluate.py",),
        value=0.27,
    ),
    Layout(
        "hyperparameters in YAML; the text says that they alone change",
        {
            "train.py": """
                import yaml
                settings = yaml.safe_load(open("config.yaml"))
                print(f"val_loss: {abs(settings['lr'] - 0.5):.4f}")
                """,
            "config.yaml": "lr: 0.25  # of the optimizer\nseed: 1\n",
            "program.md": "Edit config.yaml only; train.py is read-only.\n",
        },
        genome="config.yaml",
        frozen=("train.py",),
        value=0.25,
    ),
    Layout(
        "parameters in TOML that a benchmark reads",
        {
            "benchmark.py": """
                import tomllib
                with open("params.toml", "rb") as file:
                    params = tomllib.load(file)
                print(f"throughput: {params['batch'] * 2.5:.1f} items/s")
                """,
            "params.toml": "batch = 4\n",
            "README.md": "Run `python benchmark.py`; the highest throughput wins.\n",
        },
        genome="params.toml",
        command="benchmark.py",
        metric="throughput max",
        frozen=("benchmark.py",),
        value=10.0,
    ),
    Layout(
        "a policy in JSON, given to an evaluator",
        {
            "evaluate.py": """
                import json, sys
                policy = json.load(open(sys.argv[1]))
                print(json.dumps({"reward": policy["gain"] * 2}))
                """,
            "policy.json": '{"gain": 1.5}\n',
            "README.md": "`python evaluate.py policy.json` prints the reward; maximize it.\n",
        },
        genome="policy.json",
        command="evaluate.py policy.json",
        metric="reward max",
        frozen=("evaluate.py",),
        value=3.0,
    ),
    Layout(
        "a kernel in C with its benchmark, compiled by a documented command",
        {
            "kernel.c": "#define UNROLL 4\nint work(int n) { return n * UNROLL; }\n",
            "bench.c": """
                #include <stdio.h>
                int work(int n);
                int main(void) { printf("time_ms: %.3f\\n", work(3) / 8.0); return 0; }
                """,
            "README.md": "Lower time_ms is better.\n\n    cc -O2 kernel.c bench.c -o bench && ./bench\n",
        },
        genome="kernel.c",
        command="sh -c cc -O2 kernel.c bench.c -o bench && ./bench",
        metric="time_ms min",
        frozen=("bench.c",),
        value=1.5,
    ),
    Layout(
        "a kernel in CUDA, compiled by nvcc",
        {
            "kernel.cu": "constexpr int BLOCK = 256;\n__global__ void scale(float *x) { x[threadIdx.x] *= 2.0f; }\n",
            "main.cu": "int main() { return 0; }\n",
            "program.md": "Lower is better:\n\n    nvcc kernel.cu main.cu -o k && ./k\n    grep '^latency_us:' log\n",
        },
        genome="kernel.cu",
        command="sh -c nvcc kernel.cu main.cu -o k && ./k",
        metric="latency_us min",
        frozen=("main.cu",),
    ),
    Layout(
        "a solver in Rust, in one file",
        {
            "solver.rs": 'const STEPS: usize = 100;\nfn main() { println!("cost: {}", STEPS); }\n',
            "README.md": "    rustc -O solver.rs && ./solver | tee log\n    grep '^cost:' log\n\nLowest cost wins.\n",
        },
        genome="solver.rs",
        command="sh -c rustc -O solver.rs && ./solver | tee log",
        metric="cost min",
    ),
    Layout(
        "a kernel in C++ with a header, compiled by a Makefile",
        {
            "Makefile": "bench: blur.cpp main.cpp\n\tg++ -O2 -o bench main.cpp blur.cpp\nrun: bench\n\t./bench\n",
            "README.md": "    make run | grep '^time_ms:'\n\nOnly `blur.cpp` changes.\n",
            "blur.h": "void blur(float*, int);\n",
            "blur.cpp": '#include "blur.h"\nstatic const int TILE = 8;\nvoid blur(float* x, int n) { x[TILE] = 1; }\n',
            "main.cpp": '#include "blur.h"\n#include <cstdio>\nint main() { std::printf("time_ms: %f", 0.5); }\n',
        },
        genome="blur.cpp",
        command="make -s run",
        metric="time_ms min",
        frozen=("Makefile", "blur.h", "main.cpp"),
    ),
    Layout(
        "a header in C++ with a benchmark, built by CMake in several lines",
        {
            "README.md": "It needs cmake 3.20 or newer."
            + 99 * "\n\nMore."
            + """
                Only `src/sort.hpp` may change.

                    $ cmake -B build
                    $ cmake --build build
                    $ ./build/bench | tee log

                    grep "^time_ms:" log
                """,
            "CMakeLists.txt": "project(sort CXX)\nadd_executable(bench src/bench.cpp)\n",
            "src/sort.hpp": "constexpr int CUTOFF = 16;\n",
            "src/bench.cpp": '#include "sort.hpp"\nint main() { return CUTOFF; }\n',
        },
        genome="src/sort.hpp",
        command="sh -c cmake -B build && cmake --build build && ./build/bench",
        metric="time_ms min",
        frozen=("CMakeLists.txt", "src/bench.cpp"),
    ),
    Layout(
        "a package of Cargo: its program measures, its only module evolves",
        {
            "Cargo.toml": '[package]\nname = "tour"\nversion = "0.1.0"\n',
            "README.md": "    cargo run --release --quiet | grep '^tour_cost:'\n",
            "src/main.rs": 'mod solver;\nfn main() { println!("tour_cost: {}", solver::solve()); }\n',
            "src/solver.rs": "pub const ROUNDS: usize = 2;\npub fn solve() -> usize { ROUNDS }\n",
        },
        genome="src/solver.rs",
        command="cargo run --release --quiet",
        metric="tour_cost min",
        frozen=("Cargo.toml", "src/main.rs"),
    ),
    Layout(
        "settings in a folder of YAML files, the seed among them",
        {
            "README.md": "    python train.py model=small\n",
            "conf/config.yaml": "seed: 1\nlr: 0.05\n",
            "conf/model/small.yaml": "degree: 3\n",
            "train.py": """
                import random
                from pathlib import Path
                lines = (Path("conf") / "config.yaml").read_text().splitlines()
                settings = dict(line.split(": ") for line in lines)
                random.seed(int(settings["seed"]))
                print(f"val_rmse: {float(settings['lr']):.5f}")
                """,
        },
        command="train.py model=small",
        metric="val_rmse min",
        frozen=("conf/config.yaml", "conf/model"),
    ),
    Layout(
        "metrics in JSON lines and nothing printed",
        {
            "train.py": """
                import json
                import random
                from pathlib import Path
                random.seed(1234)
                RATE = 0.3
                LOGS = Path("logs")
                LOGS.mkdir(exist_ok=True)
                with (LOGS / "metrics.jsonl").open("w") as log:
                    for epoch in range(3):
                        f1 = 1 - RATE / (epoch + 1)
                        log.write(json.dumps({"epoch": epoch, "train_loss": RATE, "val_f1": f1}) + "\\n")
                """
        },
        metric="val_f1 max",
    ),
    Layout(
        "metrics in a table of epochs and nothing printed",
        {
            "train.py": """
                import csv
                import os
                STEP = 0.1
                os.makedirs("results", exist_ok=True)
                with open("results/history.csv", "w", newline="") as file:
                    writer = csv.DictWriter(file, fieldnames=["epoch", "train_acc", "val_acc"])
                    writer.writeheader()
                    for epoch in range(3):
                        writer.writerow({"epoch": epoch, "train_acc": 0.9, "val_acc": 0.5 + STEP * epoch})
                """
        },
        metric="val_acc max",
    ),
    Layout(
        "OpenEvolve: a program in another language, its result beside, an asynchronous evaluator",
        {
            "initial_program.rs": "// EVOLVE-BLOCK-START\nfn step() -> f64 { 0.5 }\n// EVOLVE-BLOCK-END\n",
            "best_program.rs": "fn step() -> f64 { 0.7 }\n",
            "config.yaml": "max_iterations: 100\nrandom_seed: 3\n",
            "evaluator.py": """
                import asyncio
                class EvaluationResult:
                    def __init__(self, metrics): self.metrics = metrics
                async def evaluate(program_path):
                    await asyncio.sleep(0)
                    return EvaluationResult(metrics={"size_score": len(open(program_path).read()) / 100})
                if __name__ == "__main__":
                    print(asyncio.run(evaluate("initial_program.rs")).metrics)
                """,
            "README.md": "    python openevolve-run.py initial_program.rs evaluator.py --config config.yaml\n",
        },
        genome="initial_program.rs",
        command='-c import evaluator; found = __import__("asyncio").run(evaluator.evaluate("initial_program.rs")); '
        '[print(name, value, sep=": ") for name, value in getattr(found, "metrics", found).items() if isinstance('
        "value, (int, float))]",
        metric="size_score max",
        frozen=("evaluator.py",),
    ),
    Layout(
        "ShinkaEvolve: results in a folder that a flag names, a launcher beside it",
        {
            "initial.py": "# EVOLVE-BLOCK-START\nSIDE = 2.0\ndef run():\n    return SIDE\n# EVOLVE-BLOCK-END\n",
            "evaluate.py": """
                import argparse
                import importlib.util
                import json
                import os
                try:
                    from shinka.core import run_shinka_eval
                except ImportError:
                    run_shinka_eval = None
                def main(program_path, results_dir):
                    os.makedirs(results_dir, exist_ok=True)
                    spec = importlib.util.spec_from_file_location("program", program_path)
                    module = importlib.util.module_from_spec(spec)
                    spec.loader.exec_module(module)
                    metrics = {"combined_score": module.run(), "public": {"circles": 9}}
                    with open(os.path.join(results_dir, "metrics.json"), "w") as file:
                        json.dump(metrics, file)
                if __name__ == "__main__":
                    parser = argparse.ArgumentParser()
                    parser.add_argument("--program_path", default="initial.py")
                    parser.add_argument("--results_dir", required=True)
                    args = parser.parse_args()
                    main(args.program_path, args.results_dir)
                """,
            "run_evo.py": """
                from shinka.core import EvolutionRunner
                if __name__ == "__main__":
                    EvolutionRunner(init_program_path="initial.py").run()
                """,
        },
        genome="initial.py",
        command="evaluate.py --program_path initial.py --results_dir results",
        metric="combined_score max",
        frozen=("evaluate.py",),
    ),
    Layout(
        "a console script of a package below src, started by uv; the text wraps",
        {
            "pyproject.toml": '[project]\nname = "forecast"\nscripts = {forecast-train = "forecast.cli:main"}\n',
            "README.md": "    uv run forecast-train --horizon 24\n\n`src/forecast/model.py` holds the features, that\n"
            "is what we iterate on. `src/forecast/measure.py` should\nnot be touched.\n",
            "src/forecast/__init__.py": "",
            "src/forecast/model.py": "LAGS = 12\n",
            "src/forecast/measure.py": "def mape(lags):\n    return 100 / lags\n",
            "src/forecast/cli.py": """
                import argparse
                from .measure import mape
                from .model import LAGS
                def main():
                    parser = argparse.ArgumentParser()
                    parser.add_argument("--horizon", type=int, default=1)
                    args = parser.parse_args()
                    print(f"Validation MAPE: {mape(LAGS):.4f}%")
                    return 0
                if __name__ == "__main__":
                    raise SystemExit(main())
                """,
        },
        genome="src/forecast/model.py",
        command="-m forecast.cli --horizon 24",
        metric="validation_mape min",
        frozen=("src/forecast/__init__.py", "src/forecast/cli.py", "src/forecast/measure.py"),
    ),
    Layout(
        "a task of pixi",
        {
            "pixi.toml": '[tasks]\ntrain = "python train.py --epochs 2"\n',
            "train.py": "import sys\nlr = 0.1\nprint(f'val_loss: {lr * len(sys.argv):.3f}')\n",
        },
        command="train.py --epochs 2",
        value=0.3,
    ),
    Layout(
        "labels in another language, with a unit; the flag --metric is the answer",
        {
            "training.py": 'rate = 0.5\nprint(f"Übungsfehler (MAE): {rate:.4f} kWh")\n'
            'print(f"Prüffehler (MAE): {0.25:.4f}")\n',
        },
        genome="training.py",
        command="training.py",
        metric="asks objectives",
    ),
    Layout(
        "a seed by its place among the arguments",
        {
            "README.md": "    python simulate.py 0 --fast\n",
            "simulate.py": """
                import random
                import sys
                seed = int(sys.argv[1]) if len(sys.argv) > 1 else 0
                random.seed(seed)
                GAIN = 0.5
                print("mean_abs_error: %.6f" % (GAIN + random.random()))
                """,
        },
        genome="simulate.py",
        command="simulate.py {seed} --fast",
        metric="mean_abs_error min",
    ),
    Layout(
        "a program that only starts and measures; the constants stand in a module",
        {
            "experiment.py": """
                import data
                import network
                train, valid = data.split(data.load())
                print(f"valid rmse: {network.fit(train) + len(valid):.2f}   (0.1s)")
                """,
            "network.py": """
                hidden = 12
                learning_rate = 0.01
                epochs = 3
                def fit(rows):
                    return hidden * learning_rate / epochs
                """,
            "data.py": """
                def load():
                    return list(range(4))
                def split(rows, share=0.5):
                    cut = int(len(rows) * share)
                    return rows[:cut], rows[cut:]
                """,
        },
        genome="network.py",
        command="experiment.py",
        metric="valid_rmse min",
        frozen=("data.py", "experiment.py"),
        value=2.04,
    ),
    Layout(
        "folds, each with a line, and one line for all of them",
        {
            "main.py": """
                class CFG:
                    folds = 3
                    rate = 0.25
                def valid(fold):
                    return 1 - CFG.rate / (fold + 1)
                scores = []
                for fold in range(CFG.folds):
                    score = valid(fold)
                    print(f"Fold {fold} | acc = {score:.4f}")
                    scores.append(score)
                print(f"CV: {sum(scores) / 3:.2f} +/- 0.1")
                """,
        },
        genome="main.py",
        command="main.py",
        metric="cv max",
        value=0.85,
    ),
    Layout(
        "a shell script that may change",
        {
            "README.md": "Shrink the output: `sh compress.sh` prints `bytes`. Only edit compress.sh.\n",
            "compress.sh": "#!/bin/sh\nLEVEL=3\nhead -c 30000 /dev/zero | gzip -$LEVEL | wc -c | sed 's/^/bytes: /'\n",
        },
        genome="compress.sh",
        command="sh compress.sh",
        metric="bytes min",
    ),
    Layout(
        "a package below src and its settings in YAML",
        {
            "pyproject.toml": '[project]\nname = "app"\nversion = "1"\n[project.scripts]\napp-train = "app.cli:main"\n',
            "README.md": "    app-train --config conf/base.yaml\n",
            "conf/base.yaml": "lr: 0.5\nsteps: 4\nwidth: 64\n",
            "src/app/__init__.py": "",
            "src/app/engine.py": "def fit(settings):\n    return float(settings['lr']) / float(settings['steps'])\n",
            "src/app/cli.py": """
                import argparse
                from app.engine import fit
                def main():
                    parser = argparse.ArgumentParser()
                    parser.add_argument("--config", default="conf/base.yaml")
                    lines = open(parser.parse_args().config).read().split("\\n")
                    settings = dict(line.split(": ") for line in lines if line)
                    print(f"val_loss: {fit(settings):.3f}")
                if __name__ == "__main__":
                    main()
                """,
        },
        genome="conf/base.yaml",
        command="-m app.cli --config conf/base.yaml",
        frozen=("src/app/cli.py", "src/app/engine.py", "src/app/__init__.py"),
    ),
    Layout(
        "a command of a console script, started by a task of hatch",
        {
            "pyproject.toml": """
                [project]
                name = "churn"
                version = "1"
                [project.scripts]
                churn = "churn.cli:main"
                [tool.hatch.envs.default.scripts]
                fit = "churn train --folds 3"
                """,
            "src/churn/__init__.py": "",
            "src/churn/model.py": "PARAMS = dict(trees=20, rate=0.5, depth=2)\ndef build():\n    return PARAMS\n",
            "src/churn/cli.py": """
                import argparse
                from churn.model import build
                def main():
                    parser = argparse.ArgumentParser()
                    commands = parser.add_subparsers(dest="command", required=True)
                    commands.add_parser("predict")
                    commands.add_parser("train").add_argument("--folds", type=int, default=2)
                    parser.parse_args()
                    print(f"ROC AUC: {build()['rate']:.4f} +/- 0.01")
                if __name__ == "__main__":
                    main()
                """,
        },
        genome="src/churn/model.py",
        command="-m churn.cli train --folds 3",
        metric="roc_auc max",
        frozen=("src/churn/__init__.py", "src/churn/cli.py"),
    ),
    Layout(
        "a package whose other modules make the data and measure",
        {
            "README.md": "    python -m churnlab fit --rounds 3\n\nThe validation logloss counts.\n",
            "churnlab/__init__.py": "",
            "churnlab/table.py": "SHRINK = 0.5\ndef fit(rows, rounds):\n    return SHRINK * sum(rows) / rounds\n",
            "churnlab/data.py": "def rows():\n    return [0.5, 1.0]\n",
            "churnlab/metrics.py": "def logloss(value):\n    return abs(value)\n",
            "churnlab/__main__.py": """
                import argparse
                import logging
                from churnlab.data import rows
                from churnlab.metrics import logloss
                from churnlab.table import fit
                parser = argparse.ArgumentParser()
                parser.add_argument("command")
                parser.add_argument("--rounds", type=int)
                loss = logloss(fit(rows(), parser.parse_args().rounds))
                logging.basicConfig(level="INFO", format="%(asctime)s %(message)s")
                logging.getLogger("churnlab").info("valid logloss=%.5f", loss)
                """,
        },
        genome="churnlab/table.py",
        command="-m churnlab fit --rounds 3",
        metric="valid_logloss min",
        frozen=("churnlab/__init__.py", "churnlab/__main__.py", "churnlab/data.py", "churnlab/metrics.py"),
        value=0.25,
    ),
    Layout(
        "a solver that a program checks within a time limit",
        {
            "AGENTS.md": "Improve solver.py. `python evaluator.py` prints the tour length, shorter is better.\n",
            "solver.py": "SWAPS = 9\ndef solve(points, deadline):\n    return sorted(points)[:SWAPS]\n",
            "evaluator.py": """
                import sys
                import time
                from solver import solve
                TIME_LIMIT = 20.0
                start = time.time()
                tour = solve([3, 1, 2], start + TIME_LIMIT)
                if time.time() - start > TIME_LIMIT:
                    sys.exit("too slow")
                print("tour length", sum(tour) / 4)
                """,
        },
        genome="solver.py",
        command="evaluator.py",
        metric="tour_length min",
        frozen=("evaluator.py",),
        value=1.5,
    ),
    Layout(
        "a shader that a text names, compared with a reference",
        {
            "README.md": "We tune `tonemap.glsl`. Run `python compare.py tonemap.glsl`. PSNR should be high.\n",
            "tonemap.glsl": "const float A = 2.0; // evo: constant\n",
            "compare.py": """
                import sys
                text = open(sys.argv[1]).read()
                print(f"PSNR {30 + float(text.split('=')[1].split(';')[0]):.2f} dB")
                """,
        },
        genome="tonemap.glsl",
        command="compare.py tonemap.glsl",
        metric="psnr max",
        frozen=("compare.py",),
        value=32.0,
    ),
    Layout(
        "a training in a package beside a service with a main.py",
        {
            "packages/ranker/train_ranker.py": "RATE = 0.5\nprint('MRR:', RATE)\n",
            "services/api/main.py": "PORT = 8000\nif __name__ == '__main__':\n    raise SystemExit(PORT)\n",
        },
        genome="packages/ranker/train_ranker.py",
        command="packages/ranker/train_ranker.py",
        metric="mrr max",
        value=0.5,
    ),
    Layout(
        "two texts that could evolve",
        {
            "evaluate.py": "a, b = open('system.txt').read(), open('user.txt').read()\nprint(f'score: {len(a + b)}')\n",
            "system.txt": "Be brief.\n",
            "user.txt": "Sort it.\n",
        },
        genome="",
        metric="asks genome",
    ),
    Layout(
        "several experiments side by side",
        {"a.py": "print(f'val_loss: {0.5}')\n", "b.py": "print(f'val_loss: {0.75}')\n"},
        genome="",
        metric="asks genome",
    ),
    Layout("nothing but notes", {"notes.md": "ideas\n"}, genome="", metric="asks genome"),
    Layout(
        "a library without a program",
        {"model.py": "WIDTH = 3\ndef fit(x):\n    return x\n"},
        genome="model.py",
        command="",
        metric="asks command",
    ),
    Layout(
        "a program that prints bare numbers",
        {"train.py": "lr = 0.1\nfor step in range(3):\n    print(step, 0.5)\n"},
        metric="asks objectives",
    ),
    Layout(
        "a list of what may change, of which one file only with a good reason",
        {
            "prepare.py": """
                print(f"time_steps: {1000}")
                """,
            "train.py": """
                WIDTH = 8
                print(f"pr_auc: {0.5:.4f}")
                """,
            "program.md": "Primary metric: maximize `pr_auc`.\n\n## What you can edit\n\n- `train.py`: the model\n"
            "- `prepare.py`: only when the format of the data needs to change\n\nRun `python train.py > run.log`.\n",
        },
        metric="pr_auc max",
        value=0.5,
    ),
    Layout(
        "a short name and a long one for what is measured, the long one found by grep",
        {
            "prepare.py": """
                def evaluate(predict):
                    print(f"eval 1/2 accuracy={0.5:.4f}")
                    return {"accuracy": 0.75}
                """,
            "train.py": """
                from prepare import evaluate
                TEMPERATURE = 0.5
                result = evaluate(lambda question: TEMPERATURE)
                print(f"exact_match_accuracy: {result['accuracy']:.6f}")
                """,
            "program.md": "Edit `train.py`, not prepare.py. The target metric is exact-match accuracy.\n\n"
            '    grep "^exact_match_accuracy:" run.log\n',
        },
        metric="exact_match_accuracy max",
        frozen=("prepare.py",),
        value=0.75,
    ),
    Layout(
        "projects in folders of their own, each with its program.md",
        {
            "heuristic/program.md": "Edit solve.py.\n",
            "heuristic/solve.py": "SIZE = 3\nprint(f'tour_cost: {SIZE / 2:.3f}')\n",
            "neural/program.md": "Edit train.py.\n",
            "neural/train.py": "WIDTH = 3\nprint(f'val_auc: {WIDTH / 4:.3f}')\n",
        },
        genome="",
        command="",
        metric="asks genome",
    ),
    Layout(
        "a training, and a judge that another command starts",
        {
            "train.py": """
                LR = 0.1
                for step in range(3):
                    print(f"step {step} loss {LR / (step + 1):.4f}")
                """,
            "eval.py": """
                import json
                def main():
                    out = {"val_bpb": 1.5, "n_tokens": 100}
                    print(json.dumps(out))
                if __name__ == "__main__":
                    main()
                """,
            "README.md": "Edit **only** `train.py`.\n\n    python train.py\n    python eval.py\n\n"
            "Metric: `val_bpb`, lower is better; `eval.py` prints it.\n",
        },
        metric="asks command",
    ),
    Layout(
        "a training that saves a model, and a program that loads and assesses it",
        {
            "fit.py": """
                import pickle
                TREES, DEPTH = 20, 3
                class Forest:
                    def fit(self, x):
                        return self
                pickle.dump(Forest().fit([1]).__dict__, open("model.pkl", "wb"))
                """,
            "assess.py": """
                import pickle
                found = pickle.load(open("model.pkl", "rb"))
                print("R2:", 0.5)
                """,
            "Makefile": "all:\n\tpython fit.py --quiet\n\tpython assess.py\n",
        },
        genome="fit.py",
        command="fit.py",
        metric="asks command",
    ),
]
