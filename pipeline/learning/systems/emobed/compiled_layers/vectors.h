/* Vectors of values in single precision, as wide as the processor has them, through the compiler's own types. */

#ifndef VECTORS_H
#define VECTORS_H

#include <math.h>
#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#if defined(__AVX512F__)
#define WIDTH 16 /* values of a vector */
#elif defined(__AVX__)
#define WIDTH 8
#else
#define WIDTH 4
#endif

typedef float vec __attribute__((vector_size(4 * WIDTH), aligned(4), may_alias));
typedef int ivec __attribute__((vector_size(4 * WIDTH), aligned(4), may_alias));

/* a * b + c, rounded once where the processor can. The compiler is told to fuse nothing else: it would do so in
   one tile and not in another, and rounding would depend on where in a batch a sequence stands. */
#if defined(__AVX512F__)
#define FUSED(a, b, c) ((vec)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
#elif defined(__AVX__) && defined(__FMA__)
#define FUSED(a, b, c) ((vec)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))
#elif defined(__aarch64__)
#define FUSED(a, b, c) ((vec)vfmaq_f32((float32x4_t)(c), (float32x4_t)(a), (float32x4_t)(b)))
#else
#define FUSED(a, b, c) ((a) * (b) + (c))
#endif

#if defined(__AVX512F__)
#define ROOT(x) ((vec)_mm512_sqrt_ps((__m512)(x)))
#elif defined(__AVX__)
#define ROOT(x) ((vec)_mm256_sqrt_ps((__m256)(x)))
#elif defined(__SSE2__)
#define ROOT(x) ((vec)_mm_sqrt_ps((__m128)(x)))
#elif defined(__aarch64__)
#define ROOT(x) ((vec)vsqrtq_f32((float32x4_t)(x)))
#else
#define ROOT(x) ((vec){sqrtf((x)[0]), sqrtf((x)[1]), sqrtf((x)[2]), sqrtf((x)[3])})
#endif

/* Keep a value in a register: compilers read it again for each product else, and reading is then what limits. */
#if defined(__AVX512F__)
#define HELD(x) __asm__("" : "+v"(x))
#elif defined(__SSE2__)
#define HELD(x) __asm__("" : "+x"(x))
#elif defined(__aarch64__)
#define HELD(x) __asm__("" : "+w"(x))
#else
#define HELD(x) ((void)0)
#endif

#define SAME(x) ((x) - (vec){0}) /* in all places: x - 0 is x, of -0 too */
#define INLINE static inline __attribute__((always_inline))
#define AT(p) (*(vec *)(p))
#define READ(p) (*(const vec *)(p))

/* Sum of `count` values, which fill whole vectors. */
INLINE float total(const float *from, long count) {
    vec sum = {0};
    for (long v = 0; v < count; v += WIDTH)
        sum += READ(from + v);
    float all = 0;
    for (int lane = 0; lane < WIDTH; lane++)
        all += sum[lane];
    return all;
}

#define EXPORT __attribute__((visibility("default"))) /* what Python calls */

static inline long up(long n) { return (n + WIDTH - 1) / WIDTH * WIDTH; }

#endif
