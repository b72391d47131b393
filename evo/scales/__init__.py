"""`evo ladder`: searches from small scales to large ones, whose confirmed winners seed the search at the next.

    definition   `[ladder]` of a project's file: scales as configurations of one task, from small to large
    budget       how the seconds are divided among the scales, round by round
    correlation  how far the ranks of two scales agree, with an interval
    folder       where everything is kept: a run for each scale, what was measured beside them, a journal
    view         what is shown meanwhile
    promotion    which individuals go on to the next scale, and which are measured at both
    bench        what is measured beside the runs, and what all of it has cost
    climbing     what is missing of a ladder, one step after the other
    standing     what is known of a ladder, from its folder alone
    running      from the definition to the report: what has to be there, and that it stays the same
    report       the same as Markdown and JSON

A ladder is ordinary runs; whatever reads a run reads these. Every decision is a function of what the runs and the
measurements hold, and is in the journal before anything acts on it.
"""
