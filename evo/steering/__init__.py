"""Steering: what a user asks of a run while it goes on, as part of the run's journal.

actions    what can be asked: pause, continue, stop, hint, pin, ban, release, inject, again, weights, extend
inbox      how a request reaches the driver, the one writer of the store: a file in the run's folder
journal    what was asked so far, and what holds of it when a proposal begins
rules      which requests a run refuses, and why

Every request becomes an event of the store before it acts, and acts once, however often it arrives. What holds for a
proposal follows from its number and the events alone, so that a resumed run and a replay steer alike.
"""
