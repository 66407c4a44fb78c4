"""The Data API's rooms: trades, activity, positions, holders, places; both of its versions."""
