/* A GRU layer of some models, one after the other, and its gradients, in single precision. */

#include "layer.h"
#include "vectors.h"

/* Bytes of memory to work in. */
EXPORT long gru_bytes(const long *sizes) {
    return sizes[2] == 1 ? single_bytes(sizes[3], sizes[4]) : sequence_bytes(sizes[1], sizes[2], sizes[3], sizes[4]);
}

/* Values that are kept for the way back, of each model. */
EXPORT long gru_kept(const long *sizes) {
    return sizes[2] == 1 ? 3 * sizes[4] * up(sizes[1]) : sequence_kept(sizes[1], sizes[2], sizes[4]);
}

/* sizes: models, batch, frames, features, hidden. strides: of inputs (model, sequence, frame), then of models of
   the four weights. weights: weight_ih, bias_ih, weight_hh, bias_hh. states: (models, batch, frames, hidden).
   kept: or 0 for sequences without a way back. */
EXPORT void gru_forward(const long *sizes, const long *strides, const float *inputs, const float *const *weights,
                        float *states, float *kept, char *memory) {
    for (long m = 0; m < sizes[0]; m++) {
        const float *own[4];
        for (int i = 0; i < 4; i++)
            own[i] = weights[i] + m * strides[3 + i];
        if (sizes[2] == 1)
            single_forward(sizes[1], sizes[3], sizes[4], inputs + m * strides[0], strides[1], own,
                           states + m * sizes[1] * sizes[4], kept + m * gru_kept(sizes), memory);
        else
            forward(sizes[1], sizes[2], sizes[3], sizes[4], inputs + m * strides[0], strides, own,
                    states + m * sizes[1] * sizes[2] * sizes[4], kept ? kept + m * gru_kept(sizes) : 0, memory);
    }
}

/* strides: also of models of the gradients of the four weights. */
EXPORT void gru_backward(const long *sizes, const long *strides, const float *inputs, const float *const *weights,
                         const float *states, const float *kept, const float *gradient, float *d_inputs,
                         float *const *d_weights, char *memory) {
    long sequences = sizes[1] * sizes[2];
    for (long m = 0; m < sizes[0]; m++) {
        const float *own[4];
        float *d_own[4];
        for (int i = 0; i < 4; i++) {
            own[i] = weights[i] + m * strides[3 + i];
            d_own[i] = d_weights[i] ? d_weights[i] + m * strides[7 + i] : 0;
        }
        const float *x = inputs + m * strides[0], *d_states = gradient + m * sequences * sizes[4];
        float *d_x = d_inputs ? d_inputs + m * sequences * sizes[3] : 0;
        if (sizes[2] == 1)
            single_backward(sizes[1], sizes[3], sizes[4], x, strides[1], own, d_states, kept + m * gru_kept(sizes), d_x,
                            d_own, memory);
        else
            backward(sizes[1], sizes[2], sizes[3], sizes[4], x, strides, own, states + m * sequences * sizes[4],
                     kept + m * gru_kept(sizes), d_states, d_x, d_own, memory);
    }
}
