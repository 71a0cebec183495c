"""Erases racks of used Android handsets before resale, and proves it."""
