"""Plans that are shipped: names for what a bot should have lived through."""

from __future__ import annotations

from typing import Any, Final

PRESETS: Final[dict[str, dict[str, Any]]] = {
    # Nothing goes wrong.
    "calm": {"faults": []},
    # An ordinary bad day: slow now and then, some messages lost or twice, some errors.
    "rough": {
        "faults": [
            {"fault": "latency", "ms": 40, "jitter_ms": 160},
            {"fault": "latency", "probability": 0.01, "ms": 3000, "when": "answer"},
            {"fault": "slow_messages", "ms": 20, "jitter_ms": 80},
            {"fault": "drop_messages", "probability": 0.002},
            {"fault": "duplicate_messages", "probability": 0.01},
            {"fault": "late_messages", "probability": 0.005, "ms": 300, "jitter_ms": 700},
            {"fault": "rate_limit", "probability": 0.01, "retry_after": 1},
            {"fault": "error_answer", "probability": 0.005, "status": 502, "text": "Bad gateway"},
            {"fault": "connection_reset", "probability": 0.002},
            {"fault": "retrying_settlement", "probability": 0.05},
            {"fault": "failed_settlement", "probability": 0.01},
        ]
    },
    # Whether an order stands is not known from the answer.
    "unsure-orders": {
        "faults": [
            {"fault": "error_after_accept", "probability": 0.1},
            {"fault": "timeout", "probability": 0.05, "hold_ms": 5000},
            {"fault": "timeout", "probability": 0.05, "hold_ms": 5000, "acts": False},
            {"fault": "connection_reset", "probability": 0.03, "acts": True,
             "target": {"prefix": "clob", "method": ["POST", "DELETE"]}},
            {"fault": "broken_answer", "probability": 0.03, "how": "cut",
             "target": {"prefix": "clob", "method": ["POST", "DELETE"]}},
            {"fault": "failed_settlement", "probability": 0.1},
            {"fault": "retrying_settlement", "probability": 0.2},
        ]
    },
    # Books that cannot be trusted: silent, late, doubled, broken, cut.
    "flaky-feed": {
        "faults": [
            {"fault": "drop_messages", "probability": 0.02},
            {"fault": "duplicate_messages", "probability": 0.05},
            {"fault": "reorder_messages", "probability": 0.05, "behind": 2},
            {"fault": "late_messages", "probability": 0.02, "ms": 2000, "jitter_ms": 3000},
            {"fault": "broken_frame", "probability": 0.005, "how": "truncated"},
            {"fault": "broken_frame", "probability": 0.005, "how": "concatenated"},
            {"fault": "unknown_message", "probability": 0.01},
            {"fault": "empty_size_matched"},
            {"fault": "silent_socket", "probability": 0.5,
             "start": 60, "duration": 45, "every": 300},
            {"fault": "half_open_socket", "probability": 0.5,
             "start": 180, "duration": 60, "every": 600},
            {"fault": "missing_pong", "start": 270, "duration": 40, "every": 900},
            {"fault": "lost_subscriptions", "how": "forget", "start": 400, "every": 900},
            {"fault": "lost_subscriptions", "how": "cut", "refuse": 5, "start": 700, "every": 900},
        ]
    },
    # The engine goes down, comes back half, and nothing that was open is open any more.
    "restart-night": {
        "faults": [
            {"fault": "cancel_only", "duration": 20},
            {"fault": "engine_restart", "start": 20, "down": 90, "post_only": 120,
             "orders": "wipe", "sockets": "cut"},
            {"fault": "data_lag", "duration": 900},
            {"fault": "error_answer", "probability": 0.05, "status": 503, "duration": 230,
             "text": "Service unavailable", "target": {"prefix": ["gamma", "data"]}},
            {"fault": "oversized_dump", "probability": 0.3, "start": 110, "duration": 120},
            {"fault": "retrying_settlement", "probability": 0.3, "start": 110, "duration": 300},
        ]
    },
    # Every fault there is, one after another, each few minutes again.
    "everything": {
        "include": ["rough", "unsure-orders", "flaky-feed"],
        "faults": [
            {"fault": "tick_change", "start": 20, "duration": 60, "every": 240},
            {"fault": "clock_skew", "seconds": 90, "start": 40, "duration": 60, "every": 480},
            {"fault": "clock_skew", "seconds": -90, "judges": True,
             "start": 280, "duration": 30, "every": 480},
            {"fault": "stale_answer", "probability": 0.2, "seconds": 60,
             "start": 90, "duration": 60, "every": 480},
            {"fault": "broken_answer", "probability": 0.01, "how": "truncated"},
            {"fault": "broken_answer", "probability": 0.01, "how": "html"},
            {"fault": "broken_answer", "probability": 0.005, "how": "malformed"},
            {"fault": "broken_answer", "probability": 0.005, "how": "empty"},
            {"fault": "rate_limit", "retry_after": None, "probability": 0.3,
             "start": 150, "duration": 10, "every": 480},
            {"fault": "oversized_dump", "probability": 0.1},
            {"fault": "data_lag", "start": 200, "duration": 200, "every": 600},
            {"fault": "geoblock", "start": 320, "duration": 10, "every": 960},
            {"fault": "closed_only", "start": 340, "duration": 20, "every": 960},
            {"fault": "banned", "start": 370, "duration": 10, "every": 960},
            {"fault": "dispute", "start": 390, "duration": 300, "every": 960},
            {"fault": "cancel_only", "start": 420, "duration": 15, "every": 960},
            {"fault": "trading_disabled", "start": 440, "duration": 15, "every": 960},
            {"fault": "engine_restart", "start": 500, "down": 30, "post_only": 60, "every": 960,
             "orders": "wipe", "sockets": "forget"},
        ]
    },
}  # fmt: skip
"""by the name that ``--faults`` takes"""
