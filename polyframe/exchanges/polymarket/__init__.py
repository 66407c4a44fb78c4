"""Polymarket as its wire has it: contracts, wallets, signatures, authentication."""
