/* The two functions of gates, of each value of a vector; right to some 1e-7. */

#ifndef GATES_H
#define GATES_H

#include "vectors.h"

INLINE vec where(ivec mask, vec one, vec other) { return (vec)(((ivec)one & mask) | ((ivec)other & ~mask)); }

/* The values, or +-most where they are beyond; what is not a number stays so. */
INLINE vec within(vec x, vec most) {
#if defined(__AVX512F__)
    return (vec)_mm512_max_ps((__m512)-most, _mm512_min_ps((__m512)most, (__m512)x));
#elif defined(__AVX__)
    return (vec)_mm256_max_ps((__m256)-most, _mm256_min_ps((__m256)most, (__m256)x));
#else
    return where(x > most, most, where(x < -most, -most, x));
#endif
}

/* exp(x) by a power of two and a polynomial, for |x| < 87. Its terms of the second degree and above are those of
   the least relative error between +-log(2) / 2, which is 3e-9. */
INLINE vec exponential(vec x) {
    const vec one = SAME(1.f);
    const float magic = 12582912.f; /* 1.5 * 2^23: adding it rounds to a whole number */
    vec shifted = FUSED(x, one * 1.44269504088896341f, one * magic);
    vec n = shifted - magic;
    vec r = FUSED(n, one * -0.693147180559945f, x);
    vec p = FUSED(one * 0.0013814539415761828f, r, one * 0.00836874544620514f);
    p = FUSED(p, r, one * 0.04166838899254799f);
    p = FUSED(p, r, one * 0.1666652113199234f);
    p = FUSED(p, r, one * 0.4999999403953552f);
    p = FUSED(p, r, one);
    p = FUSED(p, r, one);
#if defined(__AVX512F__)
    return (vec)_mm512_scalef_ps((__m512)p, (__m512)n);
#else
    ivec bits = (ivec)shifted - 0x4B400000; /* n as an integer */
    return (vec)((ivec)p + (bits << 23)) + x * 0.f; /* x * 0: what is not a number stays so */
#endif
}

/* 1 / x, for numbers from 1 to 1e38 */
INLINE vec inverse(vec x) {
#if defined(__AVX512F__)
    vec near = (vec)_mm512_rcp14_ps((__m512)x); /* to 14 bits: a step of Newton's gives the others sooner than to divide */
    return FUSED(near, FUSED(-x, near, SAME(1.f)), near);
#else
    return 1.f / x;
#endif
}

INLINE vec sigmoid(vec x) { return inverse(1.f + exponential(within(-x, SAME(86.f)))); }

INLINE vec hyperbolic(vec x) {
    return FUSED(SAME(2.f), inverse(1.f + exponential(within(-2.f * x, SAME(86.f)))), SAME(-1.f));
}

#endif
