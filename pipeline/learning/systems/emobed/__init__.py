"""Four systems of one batched program: classic, joint, triplet and EmoBed."""
