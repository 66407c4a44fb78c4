"""One file a verb, imported when used."""
