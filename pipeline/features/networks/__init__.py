"""Networks in ONNX files of the user's, read as something that a stranger may have written."""
