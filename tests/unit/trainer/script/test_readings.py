"""Objectives read off what a program printed, or off a JSON file that it left."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.evaluation import Status
from trainer.machine.output import Stream
from trainer.script import Reading
from trainer.script.readings import Reader
from trainer.supervisor.watch import Ended

ONLY = Reading("loss", r"^loss:\s*(\S+)")
LAST = Reading("loss", r"^loss:\s*(\S+)", take="last")
NOWHERE = Path("/nonexistent")


def value(printed: bytes, reading: Reading = ONLY, *, piece: int = 0) -> float:
    reader = Reader((reading,))
    for start in range(0, len(printed), piece or len(printed) or 1):
        reader.feed(printed[start : start + (piece or len(printed))])
    return reader.values(NOWHERE)[reading.name]


def refusal(printed: bytes, reading: Reading = ONLY) -> tuple[Status, str]:
    with pytest.raises(Ended) as raised:
        value(printed, reading)
    assert "\n" not in str(raised.value)
    return raised.value.status, str(raised.value)


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        (b"loss: 0.5\n", 0.5),
        (b"loss: 0.5", 0.5),
        (b"before\nloss:0.5\nafter\n", 0.5),
        (b"loss: 1e-3\r\n", 1e-3),
        (b"loss: -7\n", -7.0),
        (b"step 1\rstep 2\rloss: 0.5\r", 0.5),
        (b"\x1b[32mloss: 0.5\x1b[0m\n", 0.5),
        (b"loss: 0.5\nloss: 0.5\n", 0.5),
        (b"my loss: 3\nloss: 0.5\n", 0.5),
        (b"loss:\n0.25\nloss: 0.5\n", 0.5),
        (b"\xff\xfe\x00\nloss: 0.5\n", 0.5),
        (b"x" * 10_000 + b"\nloss: 0.5\n", 0.5),
        (b"loss: 0.5\n" + b"x" * 10_000, 0.5),
        (b"loss: 0.5,\n", 0.5),
        (b"loss: 51.5%\n", 51.5),
        (b"loss: [68.]\n", 68.0),
        (b"loss: tensor(0.5)\n", 0.5),
        (b"loss: np.float64(0.5)\n", 0.5),
        (b"loss: 1,234.5\n", 1234.5),
        ("loss: −1'234.5\n".encode(), -1234.5),
        (b"loss: '0.5'}\n", 0.5),
        (b"a:  14%|#  | 1/7 [00:00<00:00, 16.5it/s]loss: 0.5\n", 0.5),
        (b"\r8it [00:02,  3.9it/s]loss: 0.5\n", 0.5),
        (b"loss: 0.5 " + b"x" * 10_000, 0.5),
    ],
)
@pytest.mark.parametrize("piece", [0, 1000, 7])
def test_the_value_stands_in_a_line(printed: bytes, expected: float, piece: int) -> None:
    assert value(printed, piece=piece) == expected
    assert value(printed, LAST, piece=piece) == expected


@pytest.mark.parametrize(
    ("printed", "unit", "expected"),
    [
        ("12.5 ms", "", 0.0125),
        ("12.5 ms", "ms", 12.5),
        ("1.25 s", "ms", 1250.0),
        ("1.25s", "", 1.25),
        ("250 µs", "ms", 0.25),
        ("2 min", "s", 120.0),
        ("1.5 GiB", "MiB", 1536.0),
        ("3 MB/s", "GB/s", 0.003),
        ("12.5k", "tok/s", 12500.0),
    ],
)
def test_a_unit_that_the_program_chose_is_told_in_that_of_the_objective(
    printed: str, unit: str, expected: float
) -> None:
    reading = Reading("time", r"^time: (.+)", unit=unit)
    assert value(f"time: {printed}\n".encode(), reading) == pytest.approx(expected)


def test_a_unit_of_another_kind_is_no_number() -> None:
    _, reason = refusal(b"time: 12.5 MB\n", Reading("time", r"^time: (.+)", unit="ms"))
    assert reason == "reported time as '12.5 MB', which is not a number"


@given(st.lists(st.sampled_from([b"loss: 1\n", b"other\r", b"\r\n", b"loss: 1", b" ", b"\xc3\xa9"])), st.integers(1, 9))
def test_how_output_arrives_changes_nothing(pieces: list[bytes], size: int) -> None:
    printed = b"loss: 1\n" + b"".join(pieces) + b"\nloss: 2\n"
    assert value(printed, LAST, piece=size) == value(printed, LAST) == 2.0


def test_the_only_value_must_be_the_only_one_and_the_last_one_need_not() -> None:
    printed = b"loss: 3\nloss: 2\nloss: 1\n"
    status, reason = refusal(printed)
    assert status is Status.CRASHED
    assert "several values that match the pattern of loss, '3' and '2'" in reason
    assert 'take = "last"' in reason
    assert value(printed, LAST) == 1.0


@pytest.mark.parametrize(
    ("printed", "status", "words"),
    [
        (b"", Status.CRASHED, "printed no line that matches the pattern of loss: ^loss:"),
        (b"LOSS: 3\n", Status.CRASHED, "printed no line"),
        (b"x" * 5000 + b"loss: 3\n", Status.CRASHED, "printed no line"),
        (b"loss: low\n", Status.CRASHED, "reported loss as 'low', which is not a number"),
        (b"loss: 0.5q\n", Status.CRASHED, "'0.5q', which is not a number"),
        (b"loss: 3/4\n", Status.CRASHED, "which is not a number"),
        (b"loss: 1,23\n", Status.CRASHED, "which is not a number"),
        (b"loss: n/a\n", Status.CRASHED, "which is not a number"),
        (b"loss: " + b"z" * 5000 + b"\n", Status.CRASHED, "which is not a number"),
        (b"loss: nan\n", Status.DIVERGED, "reported loss as nan"),
        (b"loss: 1e200\n", Status.DIVERGED, "reported loss as 1e+200"),
        (b"loss: inf\n", Status.DIVERGED, "reported loss as inf"),
        (b"loss: -Infinity\n", Status.DIVERGED, "reported loss as -inf"),
        (b"loss: 1e999\n", Status.DIVERGED, "reported loss as inf"),
    ],
)
def test_what_is_no_value_is_said(printed: bytes, status: Status, words: str) -> None:
    found, reason = refusal(printed)
    assert found is status
    assert words in reason
    assert len(reason) < 300


def test_a_group_that_took_no_part_is_no_value() -> None:
    optional = Reading("loss", r"^loss:?(?: (\d+))?")
    assert value(b"loss\nloss: 4\nloss\n", optional) == 4.0


@pytest.mark.parametrize("printed", [b"", b"mfu: n/a\n", b"mfu: nan\n", b"mfu: 1\nmfu: 2\n"])
def test_what_is_not_required_is_left_out(printed: bytes) -> None:
    reader = Reader((ONLY, Reading("mfu", r"^mfu:\s*(\S+)", required=False)))
    reader.feed(b"loss: 0.5\n" + printed)
    assert reader.values(NOWHERE) == {"loss": 0.5}


def test_several_objectives_are_read_from_the_same_lines() -> None:
    reader = Reader((ONLY, Reading("accuracy", r"accuracy=(\S+)")))
    reader.feed(b"loss: 1 accuracy=0.9\n")
    assert reader.values(NOWHERE) == {"loss": 1.0, "accuracy": 0.9}


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_each_stream_is_read_for_itself_and_stdout_counts(piece: int) -> None:
    reader = Reader((LAST, Reading("mfu", r"^mfu:\s*(\S+)", take="last")))
    log, report = b"\repoch 1\rloss: 9\nmfu: 3\nloss: 8\n", b"loss: 0.75\nloss: 0.5\n"
    for start in range(0, 1000, piece):
        reader.feed(log[start : start + piece], Stream.STDERR)
        reader.feed(report[start : start + piece], Stream.STDOUT)
    assert reader.values(NOWHERE) == {"loss": 0.5, "mfu": 3.0}


def test_what_is_said_once_on_either_stream_is_the_only_value() -> None:
    reader = Reader((ONLY,))
    reader.feed(b"loss: 0.5\n")
    reader.feed(b"loss: 0.50 after 3 s\n", Stream.STDERR)
    assert reader.values(NOWHERE) == {"loss": 0.5}


@pytest.mark.parametrize("line", [b"\n", b"\r", b"a\r", b"\r\n", b"a\n", b"x", b"\x1b[", b"\x1b]", b"loss:\n"])
def test_a_flood_is_kept_up_with(line: bytes) -> None:
    reader = Reader((ONLY,))
    chunk = line * (2**16 // len(line))
    began = time.process_time()
    for _ in range(32):
        reader.feed(chunk)
    assert time.process_time() - began < 2.0, "2 MiB must not keep a supervisor for seconds"
    reader.feed(b"\nloss: 0.5\n")
    assert reader.values(NOWHERE) == {"loss": 0.5}


def test_a_pattern_that_takes_for_ever_ends_the_evaluation() -> None:
    endless = Reading("loss", r"^loss: ((?:\d+)+)$")
    status, reason = refusal(b"loss: " + b"1" * 60 + b"x\n", endless)
    assert status is Status.CRASHED
    assert "the pattern of loss takes more than" in reason
    assert signal.getitimer(signal.ITIMER_VIRTUAL)[0] == 0.0
    assert value(b"loss: 17\n", endless) == 17.0


# JSON


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def read(out: Path, key: str = "test.loss") -> float:
    return Reader((Reading("loss", json="out/metrics.json", key=key),)).values(out.parent)["loss"]


def written(out: Path, text: str | bytes) -> Path:
    (out / "metrics.json").write_bytes(text.encode() if isinstance(text, str) else text)
    return out


def refused(out: Path) -> tuple[Status, str]:
    with pytest.raises(Ended) as raised:
        read(out)
    assert "\n" not in str(raised.value)
    return raised.value.status, str(raised.value)


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ('{"test": {"loss": 0.5, "other": [1]}, "train": {"loss": 9}}', "test.loss", 0.5),
        ('{"loss": 3}', "loss", 3.0),
        ('{"runs": [{"loss": 1}, {"loss": 2}]}', "runs.1.loss", 2.0),
        ('{"runs": [1, 2, 3]}', "runs.-1", 3.0),
        ('{"loss": "0.25"}', "loss", 0.25),
        ('\ufeff{"loss": 3}'.encode("utf-16-le"), "loss", 3.0),
    ],
)
def test_a_key_leads_to_a_number(out: Path, text: str | bytes, key: str, expected: float) -> None:
    assert read(written(out, text), key) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"loss": 3}\n{"loss": 2}\n', 2.0),
        ('{"loss": 3}\n\n{"step": 7}', 3.0),
        ('{"note": "a\u2028b", "loss": 1}', 1.0),
    ],
)
def test_of_json_lines_the_last_with_the_key_counts(out: Path, text: str, expected: float) -> None:
    (out / "log.jsonl").write_text(text)
    assert Reader((Reading("loss", json="log.jsonl", key="loss"),)).values(out) == {"loss": expected}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("step,loss\n1,3\n2,2\n", 2.0),
        ("step, loss ,note\r\n1, 3 ,a\r\n2,,b\r\n", 3.0),
        ('"loss"\n"1,234"\n', 1234.0),
        ("\ufeffloss,lr\n50%,1\n", 50.0),
    ],
)
def test_of_a_table_the_last_value_in_the_column_counts(out: Path, text: str, expected: float) -> None:
    (out / "log.csv").write_text(text, encoding="utf-8")
    assert Reader((Reading("loss", json="log.csv", key="loss"),)).values(out) == {"loss": expected}


def test_a_table_with_a_hundred_thousand_rows_and_columns_is_read(out: Path) -> None:
    (out / "log.csv").write_text(",".join(["loss", *map(str, range(100_000))]) + "\n1" * 100_000, encoding="utf-8")
    assert Reader((Reading("loss", json="log.csv", key="loss"),)).values(out) == {"loss": 1.0}


@pytest.mark.parametrize("text", ["", "loss\n", "step\n1\n", "loss\n\n", "step,loss\n1,low\n", "\0", '"loss\n'])
def test_a_table_without_a_number_is_a_failure(out: Path, text: str) -> None:
    (out / "log.csv").write_text(text, encoding="utf-8")
    with pytest.raises(Ended) as caught:
        Reader((Reading("loss", json="log.csv", key="loss"),)).values(out)
    assert caught.value.status is Status.CRASHED


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        ("", Status.CRASHED, "which is not JSON"),
        ("{'test': 1}", Status.CRASHED, "which is not JSON"),
        (b"\xff\xff", Status.CRASHED, "which is not JSON"),
        ("[" * 100_000, Status.CRASHED, "which is not JSON"),
        ('{"test": {"loss": 1, "loss": 2}}', Status.CRASHED, "the key 'loss' stands twice in an object"),
        ('{"test": {"loss": ' + "1" * 5000 + "}}", Status.CRASHED, "which is not JSON"),
        ('{"test": {}}', Status.CRASHED, "left out/metrics.json without the key test.loss"),
        ('{"test": [1]}', Status.CRASHED, "without the key test.loss"),
        ('{"test": 1}', Status.CRASHED, "without the key test.loss"),
        ("null", Status.CRASHED, "without the key test.loss"),
        ('"test"', Status.CRASHED, "without the key test.loss"),
        ('{"test": {"loss": null}}', Status.CRASHED, "reported loss as None, which is not a number"),
        ('{"test": {"loss": true}}', Status.CRASHED, "reported loss as True, which is not a number"),
        ('{"test": {"loss": [1]}}', Status.CRASHED, "reported loss as a list, which is not a number"),
        ('{"test": {"loss": {"a": 1}}}', Status.CRASHED, "reported loss as an object, which is not a number"),
        ('{"test": {"loss": 1' + "0" * 400 + "}}", Status.CRASHED, "which is not a number"),
        ('{"test": {"loss": NaN}}', Status.DIVERGED, "reported loss as nan"),
        ('{"test": {"loss": "inf"}}', Status.DIVERGED, "reported loss as inf"),
        ('{"test": {"loss": 1e400}}', Status.DIVERGED, "reported loss as inf"),
        (b" " * (4 * 2**20 + 1), Status.CRASHED, "with more than 4 MiB"),
        (
            '{"test": {' + ",".join(f'"{number}": 1' for number in (*range(200_000), 199_999)) + "}}",
            Status.CRASHED,
            "the key '199999' stands twice",
        ),
    ],
)
def test_what_is_no_number_in_a_file_is_said(out: Path, text: str | bytes, status: Status, words: str) -> None:
    found, reason = refused(written(out, text))
    assert found is status
    assert words in reason
    assert len(reason) < 300


@pytest.mark.parametrize("depth", [300, 900, 960, 980, 990, 1000, 3000])
def test_no_depth_of_nesting_is_more_than_a_verdict(out: Path, depth: int) -> None:
    status, _ = refused(written(out, '{"test": {"loss": ' + "[" * depth + "]" * depth + "}}"))
    assert status is Status.CRASHED


def test_only_a_plain_file_in_plain_folders_is_read(out: Path) -> None:
    place = out / "metrics.json"
    good = out.parent / "good.json"
    good.write_text(json.dumps({"test": {"loss": 1}}))

    assert refused(out)[1] == "left no readable out/metrics.json: No such file or directory"
    place.symlink_to(good)
    assert "left no readable out/metrics.json" in refused(out)[1]
    place.unlink()
    os.mkfifo(place)
    assert refused(out)[1] == "left out/metrics.json, which is not a regular file"
    place.unlink()
    place.mkdir()
    assert refused(out)[1] == "left out/metrics.json, which is not a regular file"
    place.rmdir()

    (out.parent / "real").mkdir()
    good.rename(out.parent / "real" / "metrics.json")
    out.rmdir()
    for target in ("real", "out", "."):
        out.symlink_to(target)
        assert refused(out)[1] == "left out/metrics.json behind a link"
        out.unlink()
