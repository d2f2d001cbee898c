/* What the gates of a GRU layer are computed from, some rows at a time, there and back. A row of gates is
   [block of units][gate r, z, n][unit], padded. */

#ifndef RECURRENCE_H
#define RECURRENCE_H

/* Pack weights (3 * hidden, depth) for the blocks of units. */
void pack_gates(const float *weight, long depth, long hidden, float *into);

/* Biases: of what goes in, a row of gates, and that of n within the product with r, (units). */
void biases(const float *bias_ih, const float *bias_hh, long hidden, float *outer, float *inner);

/* Inputs (rows, features, padded) and biases of the three gates. */
void project(long rows, long features, long hidden, const float *inputs, const float *weight, const float *bias,
             float *gates);

/* Gates, from what goes into them, and states of some rows from the states before; inner: the product with r within
   n. depth 0: nothing is before them. */
void steps(long rows, long hidden, long depth, const float *before, const float *weight, const float *bias_n,
           float *gates, float *inner, float *states);

/* Gradients of gates of the rows of one frame, (rows, 4 planes of units: r, z, n, n times r), and of the states
   before as far as they do not go through the gates, in `carry`; sums: those of the gates are added, (4, units). */
void slopes(long rows, long hidden, const float *gates, const float *inner, const float *before, const float *gradient,
            float *carry, float *d_gates, float *sums);

#endif
