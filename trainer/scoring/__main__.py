"""`python -m trainer.scoring DESCRIPTOR`."""
# ruff: noqa: E402 - the collector is stopped before torch is imported

import gc

gc.disable()  # as in `trainer.candidate`

from trainer.scoring.scorer import main

gc.freeze()
gc.enable()
main()
