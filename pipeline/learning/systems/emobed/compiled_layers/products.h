/* Products of matrices. An element is summed in the order of its terms whatever else is computed beside it, so a
   model and a sequence are the same in any batch. */

#ifndef PRODUCTS_H
#define PRODUCTS_H

#include "vectors.h"

#if defined(__AVX512F__)
#define PAIR 2 /* vectors of units of which the three gates are computed at once: 4 rows fill the registers */
#elif defined(__AVX__)
#define PAIR 1
#else
#define PAIR 2
#endif
#define ROWS 4             /* rows of a tile */
#define COLUMNS (3 * PAIR) /* vectors of a tile */
#if defined(__AVX512F__)
#define TALL 8   /* rows of a tile of half as many vectors */
#define NARROW 3 /* vectors of it */
#else
#define TALL ROWS
#define NARROW COLUMNS
#endif

/* sum (rows, columns) += sum over k of from[row][k] b[k][column], in registers; rows and columns are known when this
   is compiled. */
INLINE void multiply(const int rows, const int columns, long depth, const float *from, long row, long step,
                     const float *b, long ldb, vec sum[][COLUMNS]) {
    for (long k = 0; k < depth; k++, b += ldb, from += step) {
        if (rows > columns) { /* what is fewer stays in registers */
            vec right[COLUMNS];
#pragma GCC unroll 6
            for (int v = 0; v < columns; v++) {
                right[v] = READ(b + v * WIDTH);
                HELD(right[v]);
            }
#pragma GCC unroll 8
            for (int r = 0; r < rows; r++) {
                vec factor = SAME(from[r * row]);
                HELD(factor);
#pragma GCC unroll 6
                for (int v = 0; v < columns; v++)
                    sum[r][v] = FUSED(factor, right[v], sum[r][v]);
            }
        } else {
            vec factor[TALL];
#pragma GCC unroll 8
            for (int r = 0; r < rows; r++) {
                factor[r] = SAME(from[r * row]);
                HELD(factor[r]);
            }
#pragma GCC unroll 6
            for (int v = 0; v < columns; v++) {
                vec right = READ(b + v * WIDTH);
                HELD(right);
#pragma GCC unroll 8
                for (int r = 0; r < rows; r++)
                    sum[r][v] = FUSED(factor[r], right, sum[r][v]);
            }
        }
    }
}

/* c (rows, columns) = start + sum over segments and k of a[row][segment][k] b[segment][k][column].
   start: what c has (add: the sum of this part is added to it, so that long sums are rounded as sums of parts), a row
   for all (bias), or 0. b: segments * depth rows of `columns` vectors, ldb apart.
   rows: at most ROWS, or TALL of at most NARROW vectors */
void any_tile(int rows, int columns, long segments, const long *segment, long depth, const float *a, long row, long step,
              const float *b, long ldb, const float *bias, float *c, long ldc, int add);

/* How many vectors the tile at `from` of `all` has: equal ones, as few as fit into the registers. */
long tile_width(long from, long all);

/* c (rows, vectors) = ... for any size. packed: b lies tile after tile; else it is a matrix of row length ldb, of
   which tall tiles read few vectors at a time, so that these stay in the cache. */
void product(long rows, long vectors, long segments, const long *segment, long depth, const float *a, long row, long step,
             const float *b, long ldb, int packed, float *c, long ldc, int add);

/* Pack a matrix (depth, n), element [k][j] at k * row + j * step, tile after tile, padded with 0. */
void pack(const float *from, long depth, long n, long row, long step, float *into);

#endif
