//! Model deployments as processes on this machine.
