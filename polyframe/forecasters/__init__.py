"""Built-in forecasters, one file each."""
