"""EmoBed: emotion recognisers trained with both modalities and used with one."""
