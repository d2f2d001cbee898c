"""Features and labels -> trained EmoBed models and raw predictions."""
