"""How work is done: processes, cluster, device, time limits, errors in words."""
