"""Built-in execution styles, one file each."""
