"""The ways in which a call fails."""

FAULTS = [
    {"fault": "lose_answer"},
    {"fault": "drop_request"},
    {"fault": "broken_body"},
    {"fault": "status", "status": 429, "retry_after": 0},
    {"fault": "status", "status": 503},
    {"fault": "status", "status": 409, "code": "ABORTED"},
    {"fault": "status", "status": 403, "code": "PERMISSION_DENIED"},
]
