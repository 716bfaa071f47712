"""Drives the cloud simulator with the clients of AWS: `judge.py CASE URL [CONTRACT]`.

Each case gets a simulator of its own, whose clock stands still until it is moved. With a contract,
every request that the clients send and every answer that they get is held against it, here and
apart from what the simulator itself does with it.
"""

import json
import sys

import endpoints
import resources
import rules
import wire
from cloud import CHECKED

CASES = [
    resources.models,
    resources.configurations,
    resources.lists,
    resources.tags,
    endpoints.waiters,
    endpoints.lifecycle,
    endpoints.weights,
    endpoints.failures,
    endpoints.rollbacks,
    endpoints.maintenance,
    endpoints.quotas,
    rules.autoscaling,
    rules.schedules,
    wire.requests,
    wire.credentials,
    wire.faults,
]

if __name__ == "__main__":
    {case.__name__: case for case in CASES}[sys.argv[1]]()
    print(json.dumps(CHECKED))
