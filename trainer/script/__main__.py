"""`python -m trainer.script DESCRIPTOR`."""

from trainer.script.supervisor import main

main()
