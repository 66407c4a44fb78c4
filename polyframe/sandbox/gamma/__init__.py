"""The catalogue's rooms: events, markets, tags, series, search, profiles, as Gamma shows them."""
