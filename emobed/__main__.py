"""`python -m emobed`: the command line."""

from stages.commands.app import main

if __name__ == "__main__":
    main()
