"""Persons whose data the service must keep: recorded, rectified, erased."""
