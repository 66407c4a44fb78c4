"""Figures of polyframe, beside its peers where they are installed. Printed, never asserted."""
