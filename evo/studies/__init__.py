"""Questions asked of a run after it: what carries a gain, and whether it transfers to larger settings.

    edits        the change of an individual against generation 0, as edits that can stand alone
    names        what a program uses and does not have: which edits need one another
    batch        evaluate programs with seeds on the workers, each pair once
    tasks        the loop of batches and experiments: launch, wait, take in, until none is left or Ctrl-C
    measurement_cache    what was measured, kept in the run's folder so that nothing is paid twice
    comparison   paired differences, their noise, and what they allow to say
    ablation     every edit alone and left out
    scale        other settings: keys of the configuration, constants of the genomes
    promotion    winners beside generation 0 at larger settings

Nothing here writes to the run's store: that is the record of the search.
"""
