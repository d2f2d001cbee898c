/* Rows of sequences go into chunks, and out of them: a row is a frame of a sequence, and those of one frame lie side
   by side. */

#ifndef ROWS_H
#define ROWS_H

#include "vectors.h"

/* n values, one vector at a time: a call of memcpy takes longer than a row does */
INLINE void row_out(const float *from, long n, float *into) {
    long v = 0;
    for (; v + WIDTH <= n; v += WIDTH)
        AT(into + v) = READ(from + v);
    for (; v < n; v++)
        into[v] = from[v];
}

/* Rows of frames first to first + count - 1 of (batch, frames, n), padded with 0. */
static inline void rows_in(const float *from, long batch, long of_sequence, long of_frame, long first, long count,
                           long n, float *into) {
    long width = up(n);
    for (long b = 0; b < batch; b++)
        for (long t = 0; t < count; t++) {
            float *to = into + (t * batch + b) * width;
            row_out(from + b * of_sequence + (first + t) * of_frame, n, to);
            for (long i = n; i < width; i++)
                to[i] = 0;
        }
}

static inline void rows_out(const float *from, long batch, long frames, long first, long count, long n, float *into) {
    long width = up(n);
    for (long b = 0; b < batch; b++)
        for (long t = 0; t < count; t++)
            row_out(from + (t * batch + b) * width, n, into + (b * frames + first + t) * n);
}

#endif
