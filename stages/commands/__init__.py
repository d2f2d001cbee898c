"""Sub-commands of the command line `emobed`, one file each."""
