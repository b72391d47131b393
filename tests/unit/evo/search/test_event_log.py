import json
import os
from pathlib import Path

import pytest

from evo.search.event_log import EventLog, schema
from evo.search.events import Stopped
from trainer.errors import UsageError

ROOT = Path(__file__).parents[4]


def test_the_documented_schema_is_that_of_the_events() -> None:
    assert json.loads((ROOT / "docs" / "events.schema.json").read_text()) == schema()


def test_a_fifo_that_nobody_reads_is_refused_and_one_that_is_read_gets_whole_lines(tmp_path: Path) -> None:
    fifo = tmp_path / "events"
    os.mkfifo(fifo)
    with pytest.raises(UsageError, match="nobody reads"):
        EventLog(str(fifo))
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    with EventLog(str(fifo)) as log:
        log(Stopped(stop=lambda: None, kind="complete", reason="spent"))
    line = os.read(reader, 65_536)
    os.close(reader)
    assert json.loads(line)["event"] == "stopped"
