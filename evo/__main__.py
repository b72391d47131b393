"""`python -m evo`: the command, where its name is another program's."""

from evo.commands import main

if __name__ == "__main__":
    main()
