"""`python -m trainer.scoring DESCRIPTOR`."""

from trainer.scoring.scorer import main

main()
