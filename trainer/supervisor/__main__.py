"""`python -m trainer.supervisor DESCRIPTOR`."""

from trainer.supervisor.supervisor import main

main()
