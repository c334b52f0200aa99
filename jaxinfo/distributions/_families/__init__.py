"""Families of distributions, a file each."""
