"""The metrics in printed output: the expression that is found reads the last value, and only that metric."""

from __future__ import annotations

import pytest

from evo.project.output import lines_of, metrics_in, values_of
from evo.project.wording import Split
from trainer.objectives import Direction

BAR = "train:  14%|█▍  | 1/7 [00:00<00:00, 16.5it/s]"


def last(output: str) -> dict[str, float]:
    lines = lines_of(output.encode())
    found = {}
    for metric in metrics_in(lines):
        assert metric.pattern is not None
        found[metric.name] = values_of(metric, lines)[-1]
    return found


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("val_bpb:          0.997900\n", {"val_bpb": 0.9979}),
        ("val_loss=0.51234\n", {"val_loss": 0.51234}),
        ("val_loss 0.5\n", {"val_loss": 0.5}),
        ("RMSE (test): 3.25\nRMSE (val): 3.5\n", {"rmse_test": 3.25, "rmse_val": 3.5}),
        ("mAP (IoU=0.5): 0.75\n", {"map": 0.75}),
        ("Accuracy (5-fold): 0.75\n", {"accuracy_5_fold": 0.75}),
        ("Reward [ep 5]: 11\nReward [ep 10]: 13\n", {"reward": 13.0}),
        ('{"step": 1, "val_loss": 0.7}\n{"step": 2, "val_loss": 0.5}\n', {"val_loss": 0.5}),
        ('{"val_loss":0.5,"val_acc":0.9}\n', {"val_loss": 0.5, "val_acc": 0.9}),
        ('{\n  "val_loss": 0.5,\n  "f1": 0.25\n}\n', {"val_loss": 0.5, "f1": 0.25}),
        ("{'eval_loss': 0.5, 'eval_accuracy': 0.75, 'epoch': 1.0}\n", {"eval_loss": 0.5, "eval_accuracy": 0.75}),
        ("2024-01-02 12:00:00,123 INFO val_loss: 0.5\n", {"val_loss": 0.5}),
        ("[2024-01-02 12:00:00][root][INFO] - val_acc = 0.91\n", {"val_acc": 0.91}),
        ("INFO:root:accuracy=0.5\n", {"accuracy": 0.5}),
        ("91 its | train 1.25 | val 1.5\n", {"train": 1.25, "val": 1.5}),
        ("loaded: train 900, val 100\n", {}),
        ("| Validation Epoch #3\t\t\tLoss: 0.5 Acc@1: 41.00%\n", {"val_loss": 0.5, "val_acc_1": 41.0}),
        ("| Test Result\tAcc@1: 41.00%\n", {"test_acc_1": 41.0}),
        ("tour length 12.5\n", {"tour_length": 12.5}),
        ("Epoch 2/2: train=1.5, dev=1.25, dev_top1=41.0%\n", {"dev": 1.25, "dev_top1": 41.0}),
        ("val_loss: [68.]\n", {"val_loss": 68.0}),
        ("val_loss: tensor(0.5000)\n", {"val_loss": 0.5}),
        ("val_loss: tensor([0.5000], device='cuda:0')\n", {"val_loss": 0.5}),
        ("val_loss: np.float64(0.25)\n", {"val_loss": 0.25}),
        ("profit: 1,234.5\n", {"profit": 1234.5}),
        ("profit: 1,234\nloss: 3\n", {"profit": 1234.0, "loss": 3.0}),
        ("Val accuracy: 57.3%\n", {"val_accuracy": 57.3}),
        ("step:125/1750 val_loss:4.9201 train_time:1234ms step_avg:9.87ms\n", {"val_loss": 4.9201}),
        ("step 100: train loss 1.2, val loss 1.5\nstep 200: train loss 0.9, val loss 1.4\n", {"val_loss": 1.4}),
        ("iter 100: loss 1.5000, time 12.30ms, mfu 3.10%\n", {"loss": 1.5, "mfu": 3.1}),
        ("10/10 [=====] - 0s 2ms/step - loss: 0.5 - accuracy: 0.8 - val_loss: 0.4\n", {"loss": 0.5, "val_loss": 0.4}),
        ("Epoch 3 | train: loss 0.5 acc 0.6 | val: loss 0.4 acc 0.5\n", {"val_loss": 0.4, "train_loss": 0.5}),
        ("[valid] loss: 0.25\n", {"val_loss": 0.25}),
        ("Prüffehler (MAE): 0.25 kWh\n", {"pruffehler": 0.25}),
        ("best of 7: 0.25 ms/frame\n", {"best_of_7": 0.25}),
        ("Error (RMSE): 0.25\n", {"error": 0.25}),
        ("loss (train): 0.5\nloss (val): 0.25\n", {}),
        (
            "\nTest set: Average loss: 0.0500, Accuracy: 97/100 (97%)\n",
            {"test_average_loss": 0.05, "test_accuracy": 97.0},
        ),
        ("Accuracy of the network on the 10000 test images: 57 %\n", {"accuracy": 57.0}),
        ("recall@10: 0.3456\n", {"recall_10": 0.3456}),
        ("Sharpe ratio: 1.25\nMax drawdown: -12.5%\n", {"sharpe_ratio": 1.25}),
        ("global_step=4160, episodic_return=[68.]\n", {"episodic_return": 68.0}),
        ("[99]\ttrain-rmse:0.10\tvalid-rmse:0.25\n", {"valid_rmse": 0.25}),
        ("[100]\tvalid_0's l2: 0.5\tvalid_0's auc: 0.75\n", {"valid_0_auc": 0.75}),
        ("step 9 | loss 2.5 | norm 0.8 | val 2.25\n", {"loss": 2.5, "val_loss": 2.25}),
        ("loss 2.5 | 120.3 ms | 51.2% bf16 MFU | 170000 tok/s\n", {"loss": 2.5, "tok_per_s": 170000.0}),
        ("median speedup over 5 runs: 3.25x\n", {"median_speedup": 3.25}),
        ("Mean reward over last 10 episodes = 12.5\n", {"mean_reward": 12.5}),
        ("Evaluation over the final 10 episodes: 12.5\n", {"evaluation": 12.5}),
        ("PSNR: 31.25 dB SSIM: 0.5\n", {"psnr": 31.25, "ssim": 0.5}),
        ("Test: [10/10] Acc 71.25\n", {"test_acc": 71.25}),
        ("  Time (mean ± σ):     12.5 ms ±  0.4 ms    [User: 10.1 ms, System: 1.2 ms]\n", {"time": 12.5}),
        ("BenchmarkSort-8   \t  300\t   4123456 ns/op\t  120 B/op\n", {"benchmark_sort_8_ns_per_op": 4123456.0}),
        ("| epoch | train_loss | val_loss |\n|---|---|---|\n| 1 | 0.9 | 0.8 |\n| 2 | 0.7 | 0.6 |\n", {"val_loss": 0.6}),
        ("epoch  train_loss  valid_loss  accuracy  time\n0  0.9  0.8  0.5  00:10\n1  0.7  0.6  0.7  00:10\n",
         {"valid_loss": 0.6, "accuracy": 0.7}),
        ("│  val_acc  │   0.93   │\n│  val_loss │   0.21   │\n", {"val_acc": 0.93, "val_loss": 0.21}),
        (f"{BAR}epoch 0 val_loss: 2.0\n\rtrain: 100%|██| 7/7 [00:00<00:00]epoch 6 val_loss: 1.0\n", {"val_loss": 1.0}),
        ("0it [00:00, ?it/s]\r 8it [00:02,  3.9it/s]val_loss: 0.5\n", {"val_loss": 0.5}),
        ("accuracy                           0.97       360\n", {"accuracy": 0.97}),
        ("val_loss: 1e-3\n", {"val_loss": 0.001}),
        ("{'loss': '0.61', 'epoch': '1'}\n{'eval_loss': '0.39', 'eval_accuracy': '0.88'}\n",
         {"eval_loss": 0.39, "eval_accuracy": 0.88}),
        ('{"results": {"hellaswag": {"acc,none": 0.41, "acc_stderr,none": 0.01}}}\n', {"acc_none": 0.41}),
        ("epoch  train_loss  valid_loss  error_rate  time\n0  0.9  0.8  0.5  00:10\n1  0.7  0.6  0.25  00:10\n",
         {"valid_loss": 0.6, "error_rate": 0.25}),
        ("┏━━━━━━━┳━━━━━━━━━━┓\n┃ Epoch ┃ Val loss ┃\n┡━━━━━━━╇━━━━━━━━━━┩\n│ 1     │ 0.5      │\n│ 2     │ 0.4 │\n",
         {"val_loss": 0.4}),
        ("╔══════════╦═══════╗\n║ val_loss ║ 0.412 ║\n╚══════════╩═══════╝\n", {"val_loss": 0.412}),
        ("fold,val_rmse\n0,0.512\n1,0.498\n", {"val_rmse": 0.498}),
        ("epoch\tval loss\n1\t0.5\n2\t0.25\n", {"val_loss": 0.25}),
        ("| model | RMSE |\n|:--|--:|\n| ridge | 0.52 |\n| trees | 0.42 |\n",
         {"ridge_rmse": 0.52, "trees_rmse": 0.42}),
        ("Benchmark      Time             CPU   Iterations\n----\nBM_Sort/1024     12345 ns        12300 ns      567\n",
         {"bm_sort_1024_time": 12345.0}),
        ("**Val accuracy:** 0.913\n", {"val_accuracy": 0.913}),
        ("val_loss ........ 0.412\n", {"val_loss": 0.412}),
        ("<val_loss>0.412</val_loss>\n", {"val_loss": 0.412}),
        ("Sharpe Ratio                            0.66\n", {"sharpe_ratio": 0.66}),
        (" *   Acc@1 69.758 Acc@5 89.078\n", {"acc_1": 69.758, "acc_5": 89.078}),
        ("mIoU: 0.41\nR-squared: 0.5\n", {"miou": 0.41, "r2": 0.5}),
        ("Final validation accuracy was 0.9123\n", {"final_validation_accuracy": 0.9123}),
        ("Passed 17/20 tests\nstep 3/10\n", {"passed": 17.0}),
        ("   1,234.56 msec task-clock\n   1.235678901 seconds time elapsed\n", {"seconds_time_elapsed": 1.235678901}),
        ("Compressed size: 1234 bytes (12.3%)\n", {"compressed_size": 1234.0}),
        ("Total cost: $1,234.50\n", {"total_cost": 1234.5}),
        ("Total cost: 1'234'567\n", {"total_cost": 1234567.0}),
        ("Total cost: 1_234_567\n", {"total_cost": 1234567.0}),
        ("step 1 log-likelihood: −1234.5\nstep 2 log-likelihood: −1200.25\n", {"log_likelihood": -1200.25}),
        ("Speedup: 2.31×\n", {"speedup": 2.31}),
        ("lap 0.5 ns        56789\nsorted in 3.2 ms\n", {"lap": 0.5, "sorted": 3.2}),
        ("验证集准确率: 0.912\n", {"验证集准确率": 0.912}),
        ("验证损失：0.412\n", {"验证损失": 0.412}),
        ("Точность: 0.912\n", {"точность": 0.912}),
        ("tps: 12,345  tflops: 100.2  mfu: 32.1%\n", {"tps": 12345.0, "tflops": 100.2, "mfu": 32.1}),
        ("valid_1's log_loss: 0.5\ttraining's log_loss: 0.25\n", {"valid_1_log_loss": 0.5, "training_log_loss": 0.25}),
        ("Accuracy: 0.95 (+/- 0.03)\nmean_reward:195.5 +/- 12.25\n", {"accuracy": 0.95, "mean_reward": 195.5}),
        ("[9]\ttrain-rmse:0.25+0.01\ttest-rmse:0.5+0.02\n", {"test_rmse": 0.5}),
        ("MySort.run  avgt    5  123.5 ± 1.25  ns/op\n", {"my_sort_run_ns_per_op": 123.5}),
        ("Throughput: 12.5k tokens/s\n", {"throughput": 12500.0}),
        ("mAP (IoU=0.5): 0.75\nmAP (IoU=0.75): 0.5\n", {"map": 0.75, "map_2": 0.5}),
        (" Average Precision (AP) @[ IoU=0.50:0.95 | area=all | maxDets=100 ] = 0.375\n",
         {"average_precision_ap": 0.375}),
        ("  Class  Images  mAP50  mAP50-95): 100%|██| 4/4 [00:01<00:00,  3.6it/s]\n    all  128  0.605  0.446\n",
         {"all_map50": 0.605, "all_map50_95": 0.446}),
        ("100%|██| 4/4 [00:01<00:00, 3.6it/s, val_loss=0.5]\n", {"val_loss": 0.5}),
        ("|Tasks|n|Metric|   |Value |\n|--|--|--|--|--|\n|arc|0|acc|↑  |0.25|\n|   |0|acc_norm|↑  |0.5|\n",
         {"arc_acc": 0.25, "acc_norm": 0.5}),
        ("| model | t/s |\n|---|---|\n| tiny | 45.5 ± 0.34 |\n", {"tiny_t_per_s": 45.5}),
        ("Best objective 1.5e+03, best bound 1.25e+03, gap 0.5%\n", {"best_objective": 1500.0, "gap": 0.5}),
        ("|  ep_rew_mean  | 125  |\n", {"ep_rew_mean": 125.0}),
        ("1|100|Loss: 1.25: 100%|██| 100/100 [00:10<00:00,  9.8it/s]\n", {"loss": 1.25}),
        ("Loss: 0.01, Train: 0.99, Val: 0.75\n", {"loss": 0.01, "val": 0.75}),
        ("encoded 300 frames, 123.5 fps, 1234.5 kb/s\n", {"fps": 123.5}),
        ("[ 5]  0.00-10.00  sec  1.10 GBytes  941 Mbits/sec\n", {"mbits_per_sec": 941.0}),
    ],
)  # fmt: skip
def test_metrics_are_read(output: str, expected: dict[str, float]) -> None:
    found = last(output)
    assert {name: found.get(name) for name in expected} == expected, found


@pytest.mark.parametrize(
    "output",
    [
        "Wall time: 1min 23s\n",
        'Traceback (most recent call last):\n  File "/a/b.py", line 12, in <module>\n',
        'Traceback (most recent call last):\n  File "/a/b.py", line 12, in <module>\n    loss = 0.5\n           ^^^\n',
        "/a/b.py:12: UserWarning: overflow\n  loss = 0.5\n",
        "Elapsed time: 2 h 3 min\n",
        "CV scores: [0.81 0.82 0.83]\n",
        "accuracy = [0.81, 0.82]\n",
        "score: array([0.81, .82])\n",
        "loss: 0,8123\n",
        "loss: 0,912\n",
        "51.2% MFU | 0.25\n",
        "10%|█ | 1/10 [00:01<00:09, 3.6it/s]\n",
        "Compressed 1000 bytes to 500 bytes\n",
        "Exit status: 0\n",
        "Total cost: 1 234 567\n",
        "real\t0m1.234s\n",
        "val:  85%|████▏ | 6/7\n",
        "best val acc: 0.81 -> 0.85\n",
        "  at java.base/java.util.Sort.run(Sort.java:102)\n",
        "Finished `release` profile target(s) in 0.05s\n",
    ],
)
def test_what_would_be_read_wrongly_is_not_read(output: str) -> None:
    assert last(output) == {}


def test_a_speed_in_a_unit_of_time_is_a_cost() -> None:
    (speed,) = metrics_in(["Speed: 0.2ms preprocess"])
    assert speed.direction is Direction.MINIMIZE


@pytest.mark.parametrize(
    "output",
    ["", "done\n", "step 3/10\n", "epoch: 3\n", "num_steps: 100\n", "mfu_percent: n/a\n", "saved to out/model_3.pt\n",
     "torch 2.1.0+cu121\n", "seed: 42\n", "3.5\n"],
)  # fmt: skip
def test_what_is_no_metric(output: str) -> None:
    assert last(output) == {}


def test_words_before_a_label_tell_the_data() -> None:
    output = "Train Epoch: 1 [0/3 (0%)]\tLoss: 1.000000\nTest set: Average loss: 0.0500, Accuracy: 97/100 (97%)\n"
    splits = {metric.name: metric.split for metric in metrics_in(lines_of(output.encode()))}
    assert splits["train_loss"] is Split.TRAINING
    assert splits["test_average_loss"] is splits["test_accuracy"] is Split.TEST


def test_an_expression_does_not_read_another_metric() -> None:
    output = "val loss: 0.5\ntest loss: 0.7\nloss: 0.9\n"
    assert last(output) == {"val_loss": 0.5, "test_loss": 0.7, "loss": 0.9}


@pytest.mark.parametrize(
    ("line", "direction"),
    [
        ("best of 7: 4.2 ms/frame", "minimize"),
        ("inner loop: 4.2 µs", "minimize"),
        ("copy: 123.4 GB/s", "maximize"),
        ("render: 60 fps", "maximize"),
        ("served: 1,234 req/s", "maximize"),
    ],
)
def test_a_unit_tells_the_direction_of_a_label_that_does_not(line: str, direction: str) -> None:
    (metric,) = metrics_in([line])
    assert (metric.direction.value, metric.is_guessed) == (direction, False)


def test_a_unit_that_grows_with_the_number_is_read_with_it() -> None:
    (metric,) = metrics_in(["Time (mean ± σ):  12.5 ms ± 0.4 ms"])
    assert (metric.unit, values_of(metric, ["Time (mean ± σ):  1.25 s ± 0.1 s"])) == ("ms", [1250.0])


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("   epoch  val_loss  val_acc\n0      1      0.50     0.75\n1      2      0.25     0.80\n", {"val_loss": 0.25}),
        ("       val_rmse  val_mae\nmodel                   \nridge      0.50      0.4\n", {"ridge_val_rmse": 0.5}),
        (
            "    precision  f1-score  support\n  cat  0.5  0.7  2\n\n accuracy 0.67  6\n  macro avg  0.71  0.73  6\n",
            {"accuracy": 0.67, "macro_avg_f1_score": 0.73, "cat_precision": 0.5},
        ),
        ("  Metric       Score\n ──────────────────\n  NDCG@10     0.42\n  Recall@10   0.61\n", {"ndcg_10": 0.42}),
        (
            "│ epoch ┆ val_loss │\n│ ---   ┆ ---      │\n│ i64   ┆ f64      │\n╞═══════╡\n│ 5     ┆ 0.42     │\n",
            {"val_loss": 0.42},
        ),
        ("| Metric | Train | Val |\n|---|---|---|\n| F1 | 0.9 | 0.8 |\n", {"train_f1": 0.9, "val_f1": 0.8}),
        ("BLEU|nrefs:1|tok:13a|version:2.0.0 = 20.8 54.4/26.6 (BP = 1.000)\n", {"bleu": 20.8}),
    ],
)
def test_reports_of_libraries_are_read(output: str, expected: dict[str, float]) -> None:
    found = last(output)
    assert {name: found.get(name) for name in expected} == expected
    assert not {"precision", "nrefs", "score"} & {*found}


def test_a_row_that_does_not_fit_is_left_at_once() -> None:
    row = "all  1  2  3  4  0.5"
    (found,) = metrics_in([" Class  Images  Boxes  Masks  Points  mAP50", row])
    for line in (f"{row} {' ' * 5000}x", f"{'a  ' * 2000}", " " * 5000):
        assert values_of(found, [line]) == []
    (found,) = metrics_in(["| Class | Images | Boxes | Masks | mAP50 |", "| all | 1 | 2 | 3 | 0.5 |"])
    assert values_of(found, [f"| all |{' ' * 300}|{' ' * 300}|{' ' * 300}|{' ' * 300}x"]) == []


def test_a_line_behind_a_table_goes_before_its_rows() -> None:
    (mae,) = metrics_in(["   cut   mae", "0   10  0.50", "1   20  0.75", "mae    0.625", "dtype: float64"])
    assert values_of(mae, ["0   10  0.50", "mae    0.625"]) == [0.625]


def test_rows_of_a_table_are_rivals() -> None:
    rows = metrics_in(["| model | RMSE |", "|---|---|", "| ridge | 0.5 |", "| trees | 0.4 |"])
    assert len({row.scope for row in rows}) == 2


@pytest.mark.parametrize(
    ("line", "direction"),
    [("RMSE: -0.31", "maximize"), ("Max. Drawdown [%]  −33.61", "maximize"), ("loss: -1.25", "minimize")],
)
def test_an_error_below_zero_is_printed_as_its_negative(line: str, direction: str) -> None:
    (metric,) = metrics_in([line])
    assert metric.direction.value == direction


def test_a_metric_that_became_nan_is_still_found() -> None:
    (metric,) = metrics_in(["epoch 1 val_loss: 0.5", "epoch 2 val_loss: nan"])
    assert metric.name == "val_loss"


def test_a_label_goes_before_its_unit() -> None:
    (metric,) = metrics_in(["val_loss: 0.5 s"])
    assert metric.told is None
