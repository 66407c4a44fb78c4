"""Past-tense watchers: alerts, metrics."""
