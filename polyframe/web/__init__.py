"""REST, WebSocket and dashboard."""
