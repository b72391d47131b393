"""Slots on the nodes of a Ray cluster. A node needs this package, its requirements and Ray, and nothing of the search.

node          what runs on a node: finds out what it is, keeps data, evaluates in a slot
__main__      prints what a node has to have installed
parcels       data on their way to the nodes: a copy each, kept and checked by its content
connection    the driver's side: the cluster, its nodes, and which of them are alike
"""
