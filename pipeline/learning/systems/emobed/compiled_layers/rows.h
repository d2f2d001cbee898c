/* Rows of sequences go into chunks, and out of them: a row is a frame of a sequence, and those of one frame lie side
   by side. */

#ifndef ROWS_H
#define ROWS_H

#include "vectors.h"

/* n values; the last vector overlaps the one before. A call of memcpy takes longer than a row does. */
INLINE void copy_row(const float *from, long n, float *into) {
    if (n < WIDTH) {
        for (long i = 0; i < n; i++)
            into[i] = from[i];
        return;
    }
    for (long v = 0; v + WIDTH < n; v += WIDTH)
        AT(into + v) = READ(from + v);
    AT(into + n - WIDTH) = READ(from + n - WIDTH);
}

/* Rows of frames first to first + count - 1 of (batch, frames, n), padded with 0. */
static inline void rows_in(const float *from, long batch, long of_sequence, long of_frame, long first, long count,
                           long n, float *into) {
    long width = up(n);
    for (long b = 0; b < batch; b++)
        for (long t = 0; t < count; t++) {
            float *to = into + (t * batch + b) * width;
            AT(to + width - WIDTH) = (vec){0};
            copy_row(from + b * of_sequence + (first + t) * of_frame, n, to);
        }
}

static inline void rows_out(const float *from, long batch, long frames, long first, long count, long n, float *into) {
    long width = up(n);
    for (long b = 0; b < batch; b++)
        for (long t = 0; t < count; t++)
            copy_row(from + (t * batch + b) * width, n, into + (b * frames + first + t) * n);
}

#endif
