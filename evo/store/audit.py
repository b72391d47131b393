"""The invariants of a store, as queries that return a row for each violation."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple


class _Rule(NamedTuple):
    """`query` returns one row for each breach, whose columns fill the braces of `message`."""

    message: str
    query: str


_RULES = (
    _Rule("SQLite's check of the file: {}", "SELECT * FROM pragma_integrity_check WHERE integrity_check <> 'ok'"),
    _Rule("a row of table {} refers to a row of table {} that does not exist",
          'SELECT "table", parent FROM pragma_foreign_key_check'),
    _Rule("{} results are accepted, but their numbers run up to {}",
          "SELECT count(told), max(told) FROM evaluations HAVING count(told) <> coalesce(max(told), 0)"),
    _Rule("evaluation {} is {}, but {} of its attempts are accepted", """
        SELECT e.id, e.state, count(a.number) FROM evaluations AS e
        LEFT JOIN attempts AS a ON a.evaluation = e.id AND a.state = 'accepted'
        GROUP BY e.id HAVING count(a.number) <> (e.state = 'done')
    """),
    _Rule("evaluation {} is {}, but {} of its attempts are running", """
        SELECT e.id, e.state, count(a.number) FROM evaluations AS e
        LEFT JOIN attempts AS a ON a.evaluation = e.id AND a.state = 'running'
        GROUP BY e.id HAVING count(a.number) <> (e.state = 'running')
    """),
    _Rule("evaluation {} says {} attempts, but {} are recorded", """
        SELECT e.id, e.attempt, count(a.number) FROM evaluations AS e LEFT JOIN attempts AS a ON a.evaluation = e.id
        GROUP BY e.id HAVING count(a.number) <> e.attempt OR max(a.number) <> e.attempt
    """),
    _Rule("evaluation {} is {} in the table of evaluations, but {} in its complete result", """
        SELECT e.id, coalesce(e.status, 'not done'), coalesce(json_extract(r.body, '$.status'), 'missing')
        FROM evaluations AS e LEFT JOIN results AS r ON r.evaluation = e.id
        WHERE e.status IS NOT json_extract(r.body, '$.status')
           OR e.objectives IS NOT json_extract(r.body, '$.objectives')
    """),
    _Rule("proposal {} is {}, but whether it became an individual says otherwise", """
        SELECT p.number, p.state FROM proposals AS p LEFT JOIN individuals AS i ON i.id = p.number
        WHERE (p.state = 'admitted') <> (i.id IS NOT NULL)
    """),
    _Rule("the calls of model {} cost {} US dollars by the totals, but {} by the exchanges", """
        SELECT e.model, s.cost_usd, total(e.cost_usd) FROM exchanges AS e LEFT JOIN spending AS s ON s.model = e.model
        WHERE e.replied_at IS NOT NULL GROUP BY e.model
        HAVING s.calls IS NOT count(*) OR s.unpriced_calls <> count(*) - count(e.cost_usd)
            OR abs(s.cost_usd - total(e.cost_usd)) > 1e-6
    """),
    _Rule("the exchanges with model {} count {} input and {} output tokens more than the totals", """
        SELECT e.model, sum(e.input_tokens) - s.input_tokens, sum(e.output_tokens) - s.output_tokens
        FROM exchanges AS e JOIN spending AS s ON s.model = e.model
        GROUP BY e.model
        HAVING sum(e.input_tokens) <> s.input_tokens OR sum(e.output_tokens) <> s.output_tokens
    """),
)  # fmt: skip


def breaches(database: sqlite3.Connection) -> list[str]:
    """Return a sentence for every invariant that does not hold; it reads the whole store."""
    return [rule.message.format(*row) for rule in _RULES for row in database.execute(rule.query)]
