"""What names mean in a program: what is trained, what evaluates, what holds data, a result, a limit or a seed."""

from __future__ import annotations

import re

from operators.protection.guards import METRICS

MODEL = re.compile(
    r"^(model|net|network|clf|reg|regressor|classifier|estimator|pipe|pipeline|agent|policy|gpt|w|b|theta|params|weights|"
    r"opt|optimizer|optim|scheduler|sched|state|preds?|y_?pred|y_?hat|logits|probs|best)\d*$|model|_net$|params$",
    re.IGNORECASE,
)
PREDICTED = re.compile(r"(^|_)(preds?|predict(ed|ions?)|y_?hat|logits|prob(a|s|abilities)?)\d*(_|$)", re.IGNORECASE)
"""What a model computes, whatever data it is for: `y_pred_val`."""
FEATURES = re.compile(r"^(x|inputs?)(_\w+)?$|(^|_)(features?|feats)(_\w+)?$", re.IGNORECASE)
"""What a model is given, beside the labels that it is measured by."""
MAKES_MODEL = re.compile(
    r"^_?(train(?!_(?:test|valid|val)_)|fit|build|make_model|create|init|get_model|optimi|update|step|learn|forward|predict|infer|sample|act|"
    r"model|augment|featur|preprocess|transform|normali|standardi|scale|encode|embed|"
    r"signal|strateg|decide|polic|agent|choose|select|solve|anneal|search|propose|generate|allocat|position|"
    r"greedy|heuristic|construct|improve|refine|local_search|(two|three|or|\d)_?opt|tabu|climb|beam|plan|schedul|rout(e|ing)|"
    r"pack|assign|cluster|compress|colou?r|decod|forecast|recommend|retriev|detect|classif|segment|translat|summari|denois|"
    r"reconstruct|factori|decompos|extrapolat|interpolat|impute|smooth|filter|rerank|score_pairs|approximat)",
    re.IGNORECASE,
)
COMPUTES = re.compile(r"^_?(forward|fit|train|step|predict|learn|act|sample|transform|encode|call)|__call__")
GENERATES = re.compile(r"^_?(sample|generat|create|build|make|init|get)", re.IGNORECASE)
LEARNS = re.compile(r"^_?(forward|fit|train|step|predict|update|learn|act|sample)")
LEARNS_FROM = re.compile(r"^_?(fit|train|step|update|learn|backward)")
EVALUATES = re.compile(
    r"^_?(eval|valid|test|score|measure|report|cross_val|calc_metric|compute_(loss|metric|score))", re.IGNORECASE
)
DATA_CLASS = re.compile(
    r"env|data|loader|fold|split|task|evaluator|metric|problem|simul|world|game|bench", re.IGNORECASE
)
CONTAINER = re.compile(
    r"^(Series|DataFrame|LazyFrame|Index|Categorical|\w*Tensor|\w*DMatrix|Pool|Subset|Counter|OrderedDict|Path|Fraction|Decimal|"
    r"StringIO|BytesIO)$"
)
"""Classes of libraries that hold what they are given, and learn nothing."""
EVALUATING = re.compile(
    r"(^|_)(eval|val|valid|test|held_?out|holdout|split|folds?|metric)|eval(uation)?_|_(frac|fraction|ratio|share|split)$",
    re.IGNORECASE,
)
RESULT = re.compile(rf"{METRICS}|\berr\b|nll|(^|[\W_])ppl", re.IGNORECASE)
TUNED = re.compile(
    r"batch|block|context|ctx|seq|width|depth|hidden|layer|head|lr$|rate|dropout|decay|epoch|step|iter|device|dim|embd|units|"
    r"workers|threads|verbose|log|out|path|dir|file",
    re.IGNORECASE,
)
BUDGET_CONSTANT = re.compile(
    r"(?:[A-Z0-9]+_)*(?:TIME_?BUDGET|TRAIN_BUDGET|TIME_LIMIT|(?:TRAIN|TRAINING|MAX|BUDGET)_SECONDS)(?:_(?:S|SEC|SECONDS))?"
)
BUDGET = re.compile(
    rf"{BUDGET_CONSTANT.pattern}"
    r"|(?:time_budget|time_limit|(?:(?:train|training|max|budget|wall)_)?seconds|max_time)(?:_s|_sec|_seconds)?"
)
CLOCK = re.compile(r"\b(time|perf_counter|monotonic|process_time|time_ns|perf_counter_ns|now)\(\)")
SEEDING = re.compile(
    r"^(manual_seed(_all)?|seed|seed_all|seed_everything|set_(random_|rng_)?seed|PRNGKey|default_rng|RandomState|Random"
    r"|SeedSequence|PCG64(DXSM)?|MT19937|Philox|SFC64|Rngs)$"
)
REPORTS = ("reports", "may report")
"""How the reasons begin for which what reports is protected."""
SEED = "the seed"
"""Why what sets a seed is protected."""
SEED_NAME = re.compile(r"^(random_?|rng_?)?seed$|_seed$|^random_state$", re.IGNORECASE)
TRAINS = frozenset(("backward", "fit", "partial_fit", "zero_grad", "train_on_batch", "minimize", "apply_gradients"))
_UNCHANGEABLE = re.compile(
    r"(must|do|should|may)\s*(not|n't)\b[^.\n]*\b(chang|modif|edit|touch)|never (chang|modif|edit)|read-only",
    re.IGNORECASE,
)
_NAME = re.compile(r"\b[A-Za-z_]\w*\b")


def flag_name(text: str) -> str:
    """Return the name under which a flag is read: `max_time` of `--max-time`."""
    return text.lstrip("-").replace("-", "_")


def forbidden_in(text: str) -> set[str]:
    """Return the names in the lines of a text that forbid to change them."""
    return {name for line in text.splitlines() if _UNCHANGEABLE.search(line) for name in _NAME.findall(line)}
