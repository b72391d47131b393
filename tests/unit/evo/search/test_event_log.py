import json
from pathlib import Path

from evo.search.event_log import schema

ROOT = Path(__file__).parents[4]


def test_the_documented_schema_is_that_of_the_events() -> None:
    assert json.loads((ROOT / "docs" / "events.schema.json").read_text()) == schema()
