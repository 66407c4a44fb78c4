"""What a plugin author may rely on."""
