/* The two ways of a GRU layer of one model, for sequences and for single frames. */

#ifndef LAYER_H
#define LAYER_H

/* Bytes of memory to work in. */
long sequence_bytes(long batch, long frames, long features, long hidden);
long single_bytes(long features, long hidden);

/* Values that are kept for the way back. */
long sequence_kept(long batch, long frames, long hidden);

/* states (batch, frames, hidden). weights: weight_ih, bias_ih, weight_hh, bias_hh. kept: or 0, without a way back. */
void forward(long batch, long frames, long features, long hidden, const float *inputs, const long *strides,
             const float *const *weights, float *states, float *kept, char *memory);

/* Gradients of inputs, (batch, frames, features), or 0 where nobody asks, and of the weights. */
void backward(long batch, long frames, long features, long hidden, const float *inputs, const long *strides,
              const float *const *weights, const float *states, const float *kept, const float *gradient,
              float *d_inputs, float *const *d_weights, char *memory);

/* gates (3 * hidden, lanes) are kept for the way back, block of lanes after block. */
void single_forward(long batch, long features, long hidden, const float *inputs, long of_sequence,
                    const float *const *weights, float *states, float *gates, char *memory);

/* Nothing is before a frame: W_hh takes no part and has no gradient. */
void single_backward(long batch, long features, long hidden, const float *inputs, long of_sequence,
                     const float *const *weights, const float *gradient, const float *gates, float *d_inputs,
                     float *const *d_weights, char *memory);

#endif
