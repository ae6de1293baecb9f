"""Outgoing: how customers' systems are told of events.

What is told is written by models in the transaction of what it tells of; here it is signed, sent and
tried again. Knows of the network and of the queue in the database, and nothing of who may set it up.
"""
