/* Hardest positives and negatives of all anchors, and what they cost. */

#include "triplets.h"

#include <math.h>
#include <string.h>

#include "../compiled_layers/memory.h"
#include "lanes.h"

#define NOTHING 1e-6f /* overlaps below it are rounding */
#define TOGETHER 8    /* vectors of others to which distances are summed in one go */
#define NONE -1

/* lanes (units, ld) and rows (anchors, units), padded to whole vectors: embeddings of the anchors. near, far: for each kind that is there, of all
   others the square of what they are apart, and of their overlap; 0 and -1 where they are not to be chosen. */
struct work {
    float *lanes, *rows, *d_rows, *squared, *near, *far;
    const float **d_of;
    long *place, ld;
};

static char *share_triplet(long anchors, long units, long kinds, char *memory, struct work *w) {
    long each = sizeof(long) / sizeof(float);
    w->ld = up(anchors);
    w->lanes = floats(&memory, units * w->ld);
    w->rows = floats(&memory, anchors * up(units));
    w->d_rows = floats(&memory, anchors * up(units));
    w->d_of = (const float **)floats(&memory, anchors * each);
    w->squared = floats(&memory, w->ld);
    w->near = floats(&memory, anchors * w->ld);
    w->far = floats(&memory, anchors * w->ld);
    w->place = (long *)floats(&memory, kinds * each);
    return memory;
}

EXPORT long triplet_bytes(long anchors, long units, long kinds) {
    struct work w;
    return bytes_up_to(share_triplet(anchors, units, kinds, 0, &w));
}

/* Squared distances of one anchor to `count` vectors of others. */
INLINE void some_distances(const int count, const struct work *w, long anchor, long units, long first) {
    vec sum[TOGETHER] = {{0}};
    const float *from = w->lanes;
    for (long unit = 0; unit < units; unit++, from += w->ld) {
        vec own = SAME(from[anchor]);
#pragma GCC unroll 8
        for (int i = 0; i < count; i++) {
            vec off = READ(from + first + i * WIDTH) - own;
            sum[i] = FUSED(off, off, sum[i]);
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < count; i++)
        AT(w->squared + first + i * WIDTH) = sum[i];
}

static void distances(const struct work *w, long anchor, long units) {
    long first = 0;
    for (; first + TOGETHER * WIDTH <= w->ld; first += TOGETHER * WIDTH)
        some_distances(TOGETHER, w, anchor, units, first);
    for (; first < w->ld; first += WIDTH)
        some_distances(1, w, anchor, units, first);
}

/* The rows of `near` and `far` of a kind, filled when it is first met. */
static long others_of(const struct triplet *t, const struct work *w, long anchors, const long *codes, long kind,
                      long *count) {
    if (w->place[kind] != NONE)
        return w->place[kind];
    long place = w->place[kind] = (*count)++;
    float *near = w->near + place * w->ld, *far = w->far + place * w->ld;
    for (long j = 0; j < w->ld; j++) {
        long other = j < anchors ? codes[j] : NONE;
        float overlap = other < 0 ? 0 : t->overlap[kind * t->kinds + other];
        float apart_ = other < 0 ? 0 : t->apart[kind * t->kinds + other];
        near[j] = apart_ * apart_;
        far[j] = overlap < NOTHING ? -1 : overlap * overlap;
    }
    return place;
}

/* The first of the largest values, of some vectors' largest ones. */
static long first_of(vec values, ivec at, float *found) {
    long best = NONE;
    for (int lane = 0; lane < WIDTH; lane++)
        if (at[lane] >= 0 && (best < 0 || values[lane] > *found || (values[lane] == *found && at[lane] < best)))
            best = at[lane], *found = values[lane];
    return best;
}

/* The hardest positive and negative of an anchor, NONE where there is none. */
static void hardest(const struct work *w, long anchor, long place, long *positive, long *negative) {
    const vec zero = {0};
    const float *near = w->near + place * w->ld;
    float *far = w->far + place * w->ld, own = far[anchor], found;
    vec most = zero, least = zero;
    ivec most_at, least_at, at;
    for (int lane = 0; lane < WIDTH; lane++)
        at[lane] = lane, most_at[lane] = least_at[lane] = NONE;
    far[anchor] = -1; /* nobody is its own positive */
    for (long v = 0; v < w->ld; v += WIDTH, at += WIDTH) {
        vec squared = READ(w->squared + v), of_near = READ(near + v), of_far = READ(far + v);
        vec up_to = squared * of_far, down_to = -squared / of_near;
        ivec higher = (of_far > zero) & ((most_at < 0) | (up_to > most)) & (up_to == up_to);
        ivec lower = (of_near > zero) & ((least_at < 0) | (down_to > least)) & (down_to == down_to);
        most = (vec)(((ivec)up_to & higher) | ((ivec)most & ~higher));
        least = (vec)(((ivec)down_to & lower) | ((ivec)least & ~lower));
        most_at = (at & higher) | (most_at & ~higher);
        least_at = (at & lower) | (least_at & ~lower);
    }
    far[anchor] = own;
    *positive = first_of(most, most_at, &found);
    *negative = first_of(least, least_at, &found);
}

/* A distance; the constant keeps the root's gradient finite where both are equal. */
static double distance_of(float squared) { return sqrt(squared + 1e-12); }

static void pull(float *d_one, float *d_other, const float *one, const float *other, long units, float slope) {
    for (long unit = 0; unit < units; unit += WIDTH) {
        vec change = SAME(slope) * (READ(one + unit) - READ(other + unit));
        AT(d_one + unit) += change;
        AT(d_other + unit) -= change;
    }
}

/* The loss of one anchor, and its slope. */
static double of_form(const struct triplet *t, double difference, double margin, double *slope) {
    if (t->form == HINGE) {
        difference += margin;
        *slope = difference > 0;
        return *slope * difference;
    }
    if (t->form == SOFTPLUS) {
        *slope = 1 / (1 + exp(-difference));
        return difference > 0 ? difference + log1p(exp(-difference)) : log1p(exp(difference));
    }
    *slope = 1;
    return difference;
}

EXPORT double triplet_loss(const struct triplet *t, long anchors, long units, const float *embeddings, long ld,
                           const long *at, const long *codes, double factor, float *d_embeddings, long *left_out,
                           char *memory) {
    struct work w;
    share_triplet(anchors, units, t->kinds, memory, &w);
    long wide = up(units);
    for (long unit = 0; unit < units; unit++)
        for (long i = 0; i < w.ld; i++)
            w.lanes[unit * w.ld + i] = i < anchors ? embeddings[unit * ld + at[i]] : 0;
    memset(w.rows, 0, anchors * wide * sizeof(float));
    apart(anchors, units, w.lanes, w.ld, w.rows, wide);
    memset(w.d_rows, 0, anchors * wide * sizeof(float));
    for (long kind = 0; kind < t->kinds; kind++)
        w.place[kind] = NONE;
    double sum = 0;
    long places = 0, complete = 0, present = 0;
    for (long i = 0; i < anchors; i++) {
        if (codes[i] < 0)
            continue;
        long positive, negative;
        present++;
        distances(&w, i, units);
        hardest(&w, i, others_of(t, &w, anchors, codes, codes[i], &places), &positive, &negative);
        if (positive == NONE || negative == NONE)
            continue;
        complete++;
        const float *own = w.rows + i * wide, *one = w.rows + positive * wide, *other = w.rows + negative * wide;
        long of_positive = codes[i] * t->kinds + codes[positive], of_negative = codes[i] * t->kinds + codes[negative];
        double up_to = distance_of(w.squared[positive]), down_to = distance_of(w.squared[negative]);
        double overlap = t->overlap[of_positive], apart_ = t->apart[of_negative], slope;
        sum += of_form(t, overlap * up_to - apart_ * down_to, t->margin * t->distance[of_negative], &slope);
        pull(w.d_rows + i * wide, w.d_rows + positive * wide, own, one, units, slope * overlap / up_to);
        pull(w.d_rows + i * wide, w.d_rows + negative * wide, own, other, units, -slope * apart_ / down_to);
    }
    double of_all = t->mean && complete ? 1. / complete : 1;
    float scale = factor * of_all;
    for (long i = 0; i < anchors; i++)
        w.d_of[i] = w.d_rows + i * wide;
    side_by_side(anchors, units, w.d_of, w.lanes);
    for (long unit = 0; unit < units; unit++)
        for (long i = 0; i < anchors; i++)
            d_embeddings[unit * ld + at[i]] += scale * w.lanes[unit * w.ld + i];
    *left_out = present - complete;
    return sum * of_all;
}
