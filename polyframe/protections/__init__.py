"""Built-in guards, one file each, naming a kernel and its limits."""
