"""Frames to Rekognition to results: RQ workers under one shared rate limit."""
