"""Processes that follow a run beside its driver: trackers of experiments, notifications.

    companion   `companion(…)`: a process of low priority that ends with the driver, however that ends
    results     `RunResults`: a run read beside its driver, result by result
    tracking    `Tracking`: hands results to a tracker, and holds them back while it cannot be reached
    trackers/   the trackers, one file each
    notifying   `notify(…)`: says that there is a new best, that the search stalls, how the run ended
    channels    where notifications go

They read the store, which is the authority, and not what the driver says: so they slow no search, miss no result, and
what an outage held back is sent when it is over.
"""
