/* Matrices (rows, lanes): sequences lie side by side in the lanes of vectors, what they have below each other. Rows
   are padded to whole vectors, and what fills them is finite. An element of a product is summed in the order of its
   terms, so that it does not depend on what is computed beside it. */

#ifndef LANES_H
#define LANES_H

#include "../compiled_layers/vectors.h"

/* c (rows, lanes) = or += a (rows, depth) b (depth, lanes); element [r][k] of a at r * row + k * step. ldb, ldc: from
   row to row, of b and c. */
void onto_lanes(long rows, long lanes, long depth, const float *a, long row, long step, const float *b, long ldb,
                float *c, long ldc, int add);

/* into (rows, n) = d (rows, lanes) x (lanes, n): the gradient of a weight. x: where each lane's row begins. tile:
   memory of from_lanes_values(lanes). */
void from_lanes(long rows, long lanes, long n, const float *d, long ldd, const float *const *x, float *into,
                float *tile);
long from_lanes_values(long lanes);

/* into (n, lanes): rows side by side, with 0 in the lanes that fill the last vector. */
void side_by_side(long lanes, long n, const float *const *rows, float *into);

/* into (lanes, n), rows from `ld` to `ld`: the other way. */
void apart(long lanes, long n, const float *from, long ldf, float *into, long ld);

#endif
