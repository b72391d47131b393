"""What the name of a metric means: which direction is better, the data split, and the kind."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from enum import IntEnum
from functools import lru_cache
from itertools import zip_longest

from trainer.objectives import Direction

_RATE_UNIT = re.compile(r"\s{0,2}(?:[A-Za-z]+/(?:s|sec|second)|[KMGT]?(?:fps|flops|hz))\b(?!\s*[:=])", re.IGNORECASE)
_COST_UNIT = re.compile(
    r"\s{0,2}(?:[nuµμm]?s|[mu]?secs?|seconds|minutes|[KMGTkmgt]i?[Bb]|[KMGTkmgt]?[Bb]ytes)(?:/\w+)?(?!\w|\s*[:=])"
)

_SAID = re.compile(
    r"(?:(?P<more>higher|larger|bigger|greater|longer|more)|lower|smaller|shorter|faster|cheaper|less|fewer)\b(?:[\s=:-]|scores?|values?|is|are|the)*better\b"
    r"|(?:(?P<up>↑)|↓)(?=\s*[):=|│])",
    re.IGNORECASE,
)
_BEGINS_WITH_IT = re.compile(
    rf"[\W_]*(?:(?:the|note|here|so|and|where|with|a)\b\W*)*(?:{_SAID.pattern})", re.IGNORECASE
)
_PLAIN_UNIT = re.compile(r"\s{0,2}(?:dB|nats|pts)\b(?!\s*[:=])")
"""A unit that says nothing of which direction is better."""


class Kind(IntEnum):
    """What a metric measures, the most likely objective first."""

    QUALITY = 0
    SPEED = 1
    RESOURCE = 2
    """Time or memory."""
    CHECK = 3
    """A maximum error, which has to stay small."""
    UNKNOWN = 4
    """Its direction is a guess."""


class Split(IntEnum):
    """The data that a metric is measured on, the best for selection first."""

    VALIDATION = 0
    UNNAMED = 1
    TEST = 2
    """Not selected on, so that something is left to check the result on."""
    TRAINING = 3


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


_TIME = _set(
    "time seconds secs sec second ms milliseconds us ns minutes latency runtime duration elapsed wall walltime"
)
_MEMORY = _set("memory mem vram ram mb mib gb gib bytes")
_RESOURCES = _set("time latency runtime duration elapsed walltime memory mem vram ram")
"""What a name that ends so stands for, as `score_time`; a unit may be that of an error, as in `mae_seconds`."""
_WORSE = _set(
    "loss err error errors bpb bpc bpd bpt ppl perplexity nll mse rmse nrmse rmsd mae mape smape wape rmsle wer cer "
    "ter eer brier pinball ece fid fvd kid kl divergence crossentropy ce xent logloss aic bic regret distance gap "
    "drawdown mmd msle makespan tardiness violations cost lpips mase crps residual deviation misses failures conflicts "
    "collisions"
)
_BETTER = _set(
    "acc accuracy f1 fscore fmeasure score reward rewards rew return returns ret bleu rouge rougel meteor chrf r2 auc "
    "auroc auprc aucpr roc ap map ndcg mrr hit hits recall precision iou miou dice psnr ssim pesq stoi snr "
    "sdr sharpe sortino calmar profit pnl win wins winrate success elo fitness likelihood loglik llh elbo "
    "correlation corr spearman pearson kendall kappa qwk mcc gini jaccard sensitivity specificity silhouette ari "
    "top1 top3 top5 top10 concordance cindex nmi cagr correct solved reached passed resolved satisfied completed match"
)
_UNDIRECTED = _set("objective bound")
"""What a solver calls its result, whichever direction it has."""
_REWARDS = _set("reward rewards rew return returns ret score win wins winrate success")
_SIDES = _set("player agent team side")
_OPPONENTS = ((_set("g gen generator"), _set("d disc discriminator critic")), (_set("white"), _set("black")))
_WAYS = _set("tour tours route routes path trip cycle wire")
"""Whose length is a cost, and no count."""
_CODE, _CODED = _set("bit bits nat nats"), _set("dim byte char character token pixel subpixel")
_SIGNED = _set("loss nll aic bic regret gap cost residual deviation divergence")
"""Costs that may be below zero."""
_SPEED = _set("throughput goodput iops fps qps rps gflops tflops mfu speedup tps speed bandwidth")
_KNOWN = {
    **dict.fromkeys(_WORSE, (Direction.MINIMIZE, Kind.QUALITY)),
    **dict.fromkeys(_BETTER, (Direction.MAXIMIZE, Kind.QUALITY)),
    **dict.fromkeys(_SPEED, (Direction.MAXIMIZE, Kind.SPEED)),
    **dict.fromkeys(_TIME | _MEMORY, (Direction.MINIMIZE, Kind.RESOURCE)),
}
_COUNT = _set(
    "step steps epoch epochs iter iters iteration iterations seed lr learning depth layer layers params "
    "parameters batch batches size num number count n budget remaining limit device gpu gpus cpu "
    "threads workers rank fold length dim version samples examples tokens rows shape index warmup started "
    "finished done loaded saved exit status code port dt lrm eta date progress flops episode episodes "
    "path paths file files folder directory url tags dtype documents hypothesis dropout"
)
_BEFORE_COUNTS = _set("after in to of")
_YET_TO_COME = _set("eta left remaining")
_RATE = re.compile(
    r"/(?=(?:s|secs?|seconds?|ms|min|h|steps?|it|iter\w*|epochs?|tok(?:ens?)?|samples?|batch|ops?|calls?|req|run)\b)",
    re.IGNORECASE,
)
_SPLITS = {
    Split.VALIDATION: _set("val valid validation eval evaluation dev holdout heldout held outsample oos"),
    Split.TEST: _set("test testing"),
    Split.TRAINING: _set("train training tr insample smooth running batch step"),
}
_DATA = frozenset().union(*_SPLITS.values()) - _COUNT
_CONTEXT = re.compile(
    r"\b(?P<word>train|training|val|valid|validation|eval|evaluation|dev|holdout|test|testing)\b"
    r"(?:\s+(?:set|split|data|epoch|step|iter\w*|batch|metrics|results?))?\s*#?(?:\d+\s*)?(?:[]:|=>(-]|(?<=\s\s)|(?<=\t))",
    re.IGNORECASE,
)
PREFIXES = {Split.VALIDATION: "val", Split.TEST: "test", Split.TRAINING: "train"}
"""The words for data, as in the names of objectives."""
_EITHER = _set("score fitness cost gap rate return returns index")
_OPPOSITE = _set("neg negative inverse")
_FOLDED = _set("cv oof crossval")
"""What is measured on the held-out folds of the training data."""
_OF_ALL = _FOLDED | _set("average avg mean overall aggregate total final all")
"""What the line behind those of the folds begins with."""
_COMBINING, _COMBINED = _set("f1 fscore fmeasure"), _set("precision recall")
_POSSESSIVE = re.compile(r"['’]s\b")  # `valid_1's auc`
_OVER_COUNT = re.compile(r"(?<=\w)\s+(?:over|across)\s+(?:[a-z]+\s+){0,2}\d+\s+[a-z]+\s*$", re.IGNORECASE)
_SQUARED = re.compile(r"\bR(?:[- ]squared|\^2)", re.IGNORECASE)
_ENTROPY = re.compile(r"\bcross[- _]entropy(?![a-z])", re.IGNORECASE)
_IN_SAMPLE = re.compile(r"\bin[- _]sample(?![a-z])", re.IGNORECASE)
_OUT_SAMPLE = re.compile(r"\bout[- _](?:of[- _])?sample(?![a-z])", re.IGNORECASE)
_C_INDEX = re.compile(r"\bC[- ]index\b|\bconcordance[- _]index\b", re.IGNORECASE)
_LARGEST = _set("max largest worst")
_DEVIATIONS = _set("error err errors diff difference deviation mismatch")


@lru_cache(maxsize=4096)
def words(name: str) -> tuple[str, ...]:
    """Return the lower-case words of a name such as `val_bpb`, `Eval AUC`, `valLoss`, `mIoU` or `tok/sec`."""
    spaced = _RATE.sub(" per ", _C_INDEX.sub("cindex", _SQUARED.sub("r2", _POSSESSIVE.sub("", _of_many(name)))))
    spaced = _IN_SAMPLE.sub("insample", _OUT_SAMPLE.sub("outsample", _ENTROPY.sub("crossentropy", spaced)))
    spaced = re.sub(r"[A-Za-z0-9]+", lambda found: _parted(found[0]), spaced)
    plain = "".join(one for one in unicodedata.normalize("NFKD", spaced.casefold()) if not unicodedata.combining(one))
    return tuple(filter(None, re.split(r"[\W_]+", unicodedata.normalize("NFC", plain))))


def _of_many(name: str) -> str:
    """Return a name without how many were measured: `Mean reward over the last 10 episodes` is a reward."""
    return _OVER_COUNT.sub("", name)


def _parted(word: str) -> str:
    """Return a word with blanks before its inner capitals, unless it is a metric as a whole, such as `mIoU`."""
    return word if _known(word.casefold()) else re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", word)


def direction_of(name: str) -> tuple[Direction, Kind]:
    """Return which direction of a metric is better, and its kind; if that is UNKNOWN, the direction is a guess."""
    parts = words(name)
    if "per" in parts[1:-1]:
        before, after = parts[parts.index("per") - 1], parts[parts.index("per") + 1]
        if before in _TIME:
            return Direction.MINIMIZE, Kind.RESOURCE
        if after in _TIME | {"s"}:
            return Direction.MAXIMIZE, Kind.SPEED
    if _LARGEST & set(parts) and parts[-1] in _DEVIATIONS:
        return Direction.MINIMIZE, Kind.CHECK
    known = [(word, found) for word in parts if (found := _known(word))]
    if not known:
        return _unknown(parts)
    if known[-1][0] in _RESOURCES:
        return Direction.MINIMIZE, Kind.RESOURCE
    qualities = [(word, found) for word, found in known if found[1] is Kind.QUALITY]
    # A `brier score` is a brier.
    telling = [found for word, found in qualities if word != "score"] or [found for _, found in qualities or known]
    direction, kind = telling[-1]
    if kind is Kind.QUALITY and _OPPOSITE & set(parts):
        direction = Direction.MAXIMIZE if direction is Direction.MINIMIZE else Direction.MINIMIZE
    return direction, kind


def is_open(name: str) -> bool:
    """Return whether a name such as `score` leaves the direction open, so that the documentation decides."""
    parts = words(name)
    return direction_of(name)[1] is Kind.UNKNOWN or (bool(parts) and parts[-1] in _EITHER)


def is_undirected(name: str) -> bool:
    """Return whether a name stands for a quality without telling which direction of it is better."""
    return not any(map(_known, words(name))) and (bool(_UNDIRECTED & set(words(name))) or is_data(name))


def is_reward(name: str) -> bool:
    """Return whether a name stands for what an agent achieved, beside which its losses are means to an end."""
    return bool(_REWARDS & set(words(name)))


def unit_before(text: str) -> str:
    """Return the unit of a time, size or rate with which a text behind a number begins; empty without one."""
    unit = _RATE_UNIT.match(text) or _COST_UNIT.match(text) or _PLAIN_UNIT.match(text)
    return unit[0] if unit else ""


def direction_of_unit(text: str) -> Direction | None:
    """Return which direction is better by the unit with which a text begins: times and sizes are costs."""
    if _RATE_UNIT.match(text):
        return Direction.MAXIMIZE
    return Direction.MINIMIZE if _COST_UNIT.match(text) else None


def direction_said(text: str) -> Direction | None:
    """Return which direction a text calls better, as `higher is better` or `loss (↓)`; None without a single one."""
    found = {Direction.MAXIMIZE if one["more"] or one["up"] else Direction.MINIMIZE for one in _SAID.finditer(text)}
    return found.pop() if len(found) == 1 else None


def direction_near(mention: re.Pattern[str], lines: Iterable[str]) -> Direction | None:
    """Return the direction said in a line with a name, or at the beginning of one of the two lines behind it."""
    written = [line for line in lines if line.strip()]
    found = set()
    for number, line in enumerate(written):
        if mention.search(line):
            behind = (one for one in written[number + 1 : number + 3] if _BEGINS_WITH_IT.match(one))
            found |= {direction_said(one) for one in (line, *behind)} - {None}
    return found.pop() if len(found) == 1 else None


def direction_of_sign(name: str, value: float) -> Direction | None:
    """Return which direction is better by a value's sign: an error below zero is printed as its negative."""
    direction, kind = direction_of(name)
    may_be_negative = bool(_SIGNED & set(words(name))) or is_undirected(name)
    is_error = kind is Kind.QUALITY and direction is Direction.MINIMIZE and not may_be_negative
    return Direction.MAXIMIZE if is_error and value < 0 else None


def are_opponents(name: str, other: str) -> bool:
    """Return whether two names differ in the opponent alone that they speak of: `D loss` and `G loss`, two players."""
    pairs = [*zip_longest(words(name), words(other), fillvalue="")]
    differing = [pair for pair in pairs if pair[0] != pair[1]]
    if len(differing) != 1 or len(words(name)) < 2:
        return False
    [(one, two)] = differing
    sides = {word.rstrip("0123456789") for pair in pairs for word in pair}
    numbered = one.rstrip("0123456789") == two.rstrip("0123456789") and one[-1:].isdigit() and two[-1:].isdigit()
    return (numbered and bool(_SIDES & sides)) or any(
        {one, two} & first and {one, two} & second for first, second in _OPPONENTS
    )


def is_of_all(name: str) -> bool:
    """Return whether a name stands for what all folds or repetitions gave together, as `CV` or `Mean`."""
    return bool(_OF_ALL & set(words(name)))


def is_part_of_another(name: str, names: Iterable[str]) -> bool:
    """Return whether a name is that of a precision or recall, beside an F measure that combines them."""
    return bool(_COMBINED & set(words(name))) and any(_COMBINING & set(words(one)) for one in names)


def is_data(name: str) -> bool:
    """Return whether a name stands for data alone, as `val`."""
    found = {word for word in words(name) if not word.isdigit()}
    return bool(found) and found <= _DATA


def is_of_data(name: str) -> bool:
    """Return whether a name speaks of data, as `eval_time`."""
    return bool((_DATA - {"running", "smooth"}) & set(words(name)))


def quality_word(name: str) -> str:
    """Return the last word of a name that is a known metric of quality; empty without one."""
    return next(filter(_measures_quality, reversed(words(name))), "")


def _measures_quality(word: str) -> bool:
    return direction_of(word)[1] is Kind.QUALITY and not is_data(word)


def split_of(name: str) -> Split:
    """Return the data that a metric is measured on, according to its name."""
    parts = set(words(name))
    if direction_of(name)[1] is not Kind.QUALITY:
        return Split.UNNAMED  # training_seconds is not measured on the training data
    split = Split.VALIDATION if parts & _FOLDED else Split.UNNAMED
    return next((split for split, names in _SPLITS.items() if parts & names), split)


def context_word(text: str) -> str:
    """Return the last word for data in the text before a label, as `Test` in `Test set: Average loss`; or nothing."""
    found = [match["word"] for match in _CONTEXT.finditer(text)]
    return found[-1] if found else ""


def told_split(label: str, before: str) -> Split | None:
    """Return the data that a metric is measured on, if not its name but the text before it says so."""
    if split_of(label) is not Split.UNNAMED or direction_of(label)[1] is not Kind.QUALITY:
        return None
    split = split_of(f"{context_word(before).lower()}_loss")
    return None if split is Split.UNNAMED else split


def is_count(name: str) -> bool:
    """Return whether a name stands for a count, a size or progress, which cannot be an objective."""
    parts = words(name)
    told = set(parts) - {"total"}  # of something: `Total value` is one, `Total steps` is none
    counts = not told or bool(_COUNT & told) or parts[-1] in _BEFORE_COUNTS
    kind = direction_of(name)[1]
    return (
        (kind is Kind.UNKNOWN and counts)
        or (kind is not Kind.QUALITY and bool(_YET_TO_COME & told))
        or "budget" in parts
    )


def identifier(name: str) -> str:
    """Return the name of an objective for a printed name: `Eval AUC` becomes `eval_auc`.

    Of several words the last one is enough if it is a name (`Final val_loss`); of a sentence, the word for a metric
    and one for data before it.
    """
    pieces = _of_many(name).split()
    if pieces and "_" in pieces[-1]:
        data = [piece for piece in pieces[:-1] if split_of(pieces[-1]) is Split.UNNAMED and is_data(piece)]
        pieces = [*data, pieces[-1]]
    elif len(pieces) > 3:
        place = next((place for place, piece in enumerate(pieces) if any(map(_known, words(piece)))), None)
        # Two lines may differ in the data alone: `train epoch average loss`, `val epoch average loss`.
        data = [piece for piece in pieces[:place] if is_data(piece)][:1]
        pieces = pieces[:3] if place is None else [*data, pieces[place]]
    is_name = len(pieces) == 1 and "_" in pieces[0] and pieces[0].isidentifier()
    slug = pieces[0] if is_name else "_".join(words(" ".join(pieces)))
    return slug if slug.isidentifier() else f"metric_{slug}".rstrip("_")


def names_metric(name: str) -> bool:
    """Return whether a name ends with a known metric, as `acc` or `Acc@5`, so that its number needs no colon."""
    parts = [word for word in words(name) if not word.isdigit()]
    is_way = parts[-1:] == ["length"] and direction_of(name)[1] is Kind.QUALITY
    return bool(parts) and (_known(parts[-1]) is not None or parts[-1] in _UNDIRECTED or is_way)


def _known(word: str) -> tuple[Direction, Kind] | None:
    return _KNOWN.get(word) or _KNOWN.get(word.rstrip("0123456789"))  # `mAP50`


def _unknown(parts: Sequence[str]) -> tuple[Direction, Kind]:
    """Guess: a rate is usually of successes, anything else a cost."""
    if _UNDIRECTED & set(parts) or is_data(" ".join(parts)):
        return Direction.MINIMIZE, Kind.QUALITY
    if ("length" in parts and _WAYS & set(parts)) or (_CODE & set(parts) and _CODED & set(parts)):
        return Direction.MINIMIZE, Kind.QUALITY
    if parts and parts[-1] == "rate" and not _COUNT & set(parts):
        return Direction.MAXIMIZE, Kind.QUALITY
    return Direction.MINIMIZE, Kind.UNKNOWN
