"""`python -m trainer.agent DESCRIPTOR`."""

from trainer.agent.supervisor import main

main()
