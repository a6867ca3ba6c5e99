"""Predictions and chats."""
