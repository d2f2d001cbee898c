#include "products.h"

INLINE void tile(const int rows, const int columns, long segments, const long *segment, long depth, const float *a,
                 long row, long step, const float *b, long ldb, const float *bias, float *c, long ldc, int add) {
    vec sum[TALL][COLUMNS];
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 6
        for (int v = 0; v < columns; v++)
            sum[r][v] = bias && !add ? READ(bias + v * WIDTH) : (vec){0};
    for (long s = 0; s < segments; s++) {
        const float *from = a + segment[s];
        multiply(rows, columns, depth, from, row, step, b, ldb, sum);
        b += depth * ldb;
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 6
        for (int v = 0; v < columns; v++)
            AT(c + r * ldc + v * WIDTH) = sum[r][v] + (add ? READ(c + r * ldc + v * WIDTH) : (vec){0});
}

#define TILE(R, V)                                                                                                   \
    case (R - 1) * COLUMNS + V - 1:                                                                                  \
        tile(R, V, segments, segment, depth, a, row, step, b, ldb, bias, c, ldc, add);                               \
        break;
#define LOW(R) TILE(R, 1) TILE(R, 2) TILE(R, 3)
#if COLUMNS == 6
#define TILES(R) LOW(R) TILE(R, 4) TILE(R, 5) TILE(R, 6)
#else
#define TILES(R) LOW(R)
#endif

void any_tile(int rows, int columns, long segments, const long *segment, long depth, const float *a, long row, long step,
              const float *b, long ldb, const float *bias, float *c, long ldc, int add) {
    switch ((rows - 1) * COLUMNS + columns - 1) {
        TILES(1) TILES(2) TILES(3) TILES(4)
#if TALL > ROWS
        LOW(5) LOW(6) LOW(7) LOW(8)
#endif
    }
}

static long even_width(long from, long all, long most) {
    long tiles = (all + most - 1) / most, even = (all + tiles - 1) / tiles;
    return even < all - from ? even : all - from;
}

long tile_width(long from, long all) { return even_width(from, all, COLUMNS); }

void product(long rows, long vectors, long segments, const long *segment, long depth, const float *a, long row, long step,
             const float *b, long ldb, int packed, float *c, long ldc, int add) {
    int most = packed ? ROWS : TALL;
    for (long v = 0; v < vectors;) {
        long columns = even_width(v, vectors, packed ? COLUMNS : NARROW);
        const float *of_tile = packed ? b + segments * depth * v * WIDTH : b + v * WIDTH;
        for (long r = 0; r < rows; r += most)
            any_tile(rows - r < most ? rows - r : most, columns, segments, segment, depth, a + r * row, row, step,
                     of_tile, packed ? columns * WIDTH : ldb, 0, c + r * ldc + v * WIDTH, ldc, add);
        v += columns;
    }
}

void pack(const float *from, long depth, long n, long row, long step, float *into) {
    long vectors = up(n) / WIDTH;
    for (long v = 0; v < vectors;) {
        long columns = tile_width(v, vectors), first = v * WIDTH, width = columns * WIDTH;
        long own = n - first < width ? n - first : width;
        for (long start = 0; start < depth; start += WIDTH) { /* some at a time: both sides stay in the cache */
            long end = depth - start < WIDTH ? depth : start + WIDTH;
            for (long j = 0; j < own; j++)
                for (long k = start; k < end; k++)
                    into[k * width + j] = from[k * row + (first + j) * step];
            for (long k = start; k < end; k++)
                for (long j = own; j < width; j++)
                    into[k * width + j] = 0;
        }
        into += depth * width;
        v += columns;
    }
}
