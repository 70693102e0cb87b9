"""Real cameras for tests and bench: an RTSP server, an MJPEG server, an HLS server, and the videos they show."""
