"""The systems of one batched program: classic, joint, triplet, EmoBed and its two controls."""
