/* The two functions of gates, of each value of a vector. */

#ifndef GATES_H
#define GATES_H

#include "vectors.h"

/* exp(x) by powers of two and a polynomial, for |x| < 87 */
INLINE vec exponential(vec x) {
    const vec one = SAME(1.f);
    const float magic = 12582912.f; /* 1.5 * 2^23: adding it rounds to a whole number */
    vec shifted = FUSED(x, one * 1.44269504088896341f, one * magic);
    vec n = shifted - magic;
    vec r = FUSED(n, one * -0.693145751953125f, x);
    r = FUSED(n, one * -1.42860682030941723e-6f, r);
    vec p = FUSED(one * (1.f / 5040), r, one * (1.f / 720));
    p = FUSED(p, r, one * (1.f / 120));
    p = FUSED(p, r, one * (1.f / 24));
    p = FUSED(p, r, one * (1.f / 6));
    p = FUSED(p, r, one * .5f);
    p = FUSED(p, r, one);
    p = FUSED(p, r, one);
    ivec bits = (ivec)shifted - 0x4B400000; /* n as an integer */
    return (vec)((ivec)p + (bits << 23));
}

INLINE vec where(ivec mask, vec one, vec other) { return (vec)(((ivec)one & mask) | ((ivec)other & ~mask)); }

INLINE vec sigmoid(vec x) {
    const vec most = SAME(86.f);
    vec y = where(x > most, -most, where(x < -most, most, -x));
    return 1.f / (1.f + y * 0.f + exponential(y)); /* y * 0: what is not a number stays so */
}

INLINE vec hyperbolic(vec x) { return 2.f * sigmoid(2.f * x) - 1.f; }

#endif
