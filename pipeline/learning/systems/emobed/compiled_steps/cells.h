/* Blocks of GRU layers over single frames, and their gradients. Nothing is before a frame: W_hh takes no part. */

#ifndef CELLS_H
#define CELLS_H

/* at: for each layer and direction, where weight_ih, weight_hh, bias_ih and bias_hh begin in a model's row. */
struct block {
    long layers, directions, features, hidden;
    const long *at;
};

/* What a block keeps for the way back: gates (layers, directions, 3 * hidden, ld), states (layers, directions *
   hidden, ld), of which the last layer's are its outputs, and what it works in. */
struct block_memory {
    float *gates, *states, *d_gates, *d_states, *d_below, *rows, *tile;
    const float **pointers;
};

long block_embedding(const struct block *b);
const float *block_outputs(const struct block *b, const struct block_memory *m, long ld);
char *share_block(const struct block *b, long ld, char *memory, struct block_memory *m);

/* inputs (features, ld), lanes of it are computed. */
void block_forward(const struct block *b, const float *weights, const float *inputs, long lanes, long ld,
                   struct block_memory *m);

/* d_outputs (embedding, ld), 0 in lanes that are none. rows: of each lane its inputs, or 0: they are taken from
   `inputs`. d_inputs (features, ld), or 0 where nobody asks. gradients: in the places of the weights. */
void block_backward(const struct block *b, const float *weights, const float *inputs, const float *const *rows,
                    long lanes, long ld, const float *d_outputs, float *d_inputs, float *gradients,
                    struct block_memory *m);

#endif
