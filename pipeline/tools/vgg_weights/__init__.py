"""Published VGG-Face weight files -> one safetensors file with torchvision's tensor names."""
