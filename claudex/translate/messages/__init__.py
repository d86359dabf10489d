"""Anthropic Messages to Responses and back."""
