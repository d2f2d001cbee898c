"""`python -m stages.commands`: the same as `emobed`."""

from stages.commands.app import main

if __name__ == "__main__":
    main()
