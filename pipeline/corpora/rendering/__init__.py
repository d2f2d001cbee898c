"""Demo corpora: voices and faces drawn from known arousal and valence."""
