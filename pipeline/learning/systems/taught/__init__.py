"""A student of one modality, taught by a teacher of several on recordings that have no labels."""
