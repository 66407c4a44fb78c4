"""Built-in position sizers, one file each."""
