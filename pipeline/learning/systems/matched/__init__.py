"""Autoencoders of several modalities whose latents are distributed alike, and a head that reads them."""
