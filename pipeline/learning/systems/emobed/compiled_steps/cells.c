/* GRU layers over single frames, in matrices (units, lanes). */

#include "cells.h"

#include "../compiled_layers/gates.h"
#include "../compiled_layers/memory.h"
#include "lanes.h"

long block_embedding(const struct block *b) { return b->directions * b->hidden; }

static long inputs_of(const struct block *b, long layer) { return layer ? block_embedding(b) : b->features; }

const float *block_outputs(const struct block *b, const struct block_memory *m, long ld) {
    return m->states + (b->layers - 1) * block_embedding(b) * ld;
}

char *share_block(const struct block *b, long ld, char *memory, struct block_memory *m) {
    long embedding = block_embedding(b), wide = b->layers > 1 && embedding > b->features ? embedding : b->features;
    m->gates = floats(&memory, b->layers * 3 * embedding * ld);
    m->states = floats(&memory, b->layers * embedding * ld);
    m->d_gates = floats(&memory, 4 * b->hidden * ld);
    m->d_states = floats(&memory, embedding * ld);
    m->d_below = floats(&memory, embedding * ld);
    m->rows = floats(&memory, ld * wide);
    m->tile = floats(&memory, from_lanes_values(ld));
    m->pointers = (const float **)floats(&memory, 2 * ld);
    return memory;
}

/* One direction of a layer: gates (3 * hidden, ld) and states (hidden, ld). */
static void forward_cell(const struct block *b, const float *weights, const long *at, long features,
                         const float *inputs, long lanes, long ld, float *gates, float *states) {
    long hidden = b->hidden;
    const float *bias_ih = weights + at[2], *bias_hh = weights + at[3];
    onto_lanes(3 * hidden, lanes, features, weights + at[0], features, 1, inputs, ld, gates, ld, 0);
    for (long unit = 0; unit < hidden; unit++) {
        long z_at = hidden + unit, n_at = 2 * hidden + unit;
        vec bias_r = SAME(bias_ih[unit] + bias_hh[unit]), bias_z = SAME(bias_ih[z_at] + bias_hh[z_at]);
        vec outer = SAME(bias_ih[n_at]), inner = SAME(bias_hh[n_at]);
        for (long v = 0; v < lanes; v += WIDTH) {
            float *r_of = gates + unit * ld + v, *z_of = gates + z_at * ld + v, *n_of = gates + n_at * ld + v;
            vec r = sigmoid(READ(r_of) + bias_r), z = sigmoid(READ(z_of) + bias_z);
            vec n = hyperbolic(FUSED(r, inner, READ(n_of) + outer));
            AT(r_of) = r, AT(z_of) = z, AT(n_of) = n;
            AT(states + unit * ld + v) = FUSED(z, -n, n);
        }
    }
}

/* Gradients of gates, (4 planes of units: r, z, n, n times r), and of biases. */
static void backward_gates(const struct block *b, const float *weights, const long *at, long lanes, long ld,
                           const float *gates, const float *d_states, float *d_gates, float *gradients) {
    long hidden = b->hidden;
    for (long unit = 0; unit < hidden; unit++) {
        long r_at = unit * ld, z_at = r_at + hidden * ld, n_at = z_at + hidden * ld, inner_at = n_at + hidden * ld;
        vec inner = SAME(weights[at[3] + 2 * hidden + unit]);
        for (long v = 0; v < lanes; v += WIDTH) {
            vec d_h = READ(d_states + r_at + v), r = READ(gates + r_at + v);
            vec z = READ(gates + z_at + v), n = READ(gates + n_at + v);
            vec d_n = d_h * (1.f - z) * (1.f - n * n);
            float *d = d_gates + v;
            AT(d + r_at) = d_n * inner * r * (1.f - r);
            AT(d + z_at) = d_h * -n * z * (1.f - z);
            AT(d + n_at) = d_n;
            AT(d + inner_at) = d_n * r;
        }
        float d_r = total(d_gates + r_at, lanes), d_z = total(d_gates + z_at, lanes);
        float *d_ih = gradients + at[2] + unit, *d_hh = gradients + at[3] + unit;
        d_ih[0] = d_hh[0] = d_r, d_ih[hidden] = d_hh[hidden] = d_z;
        d_ih[2 * hidden] = total(d_gates + n_at, lanes), d_hh[2 * hidden] = total(d_gates + inner_at, lanes);
    }
}

void block_forward(const struct block *b, const float *weights, const float *inputs, long lanes, long ld,
                   struct block_memory *m) {
    long plane = b->hidden * ld;
    for (long layer = 0; layer < b->layers; layer++) {
        float *states = m->states + layer * b->directions * plane;
        for (long direction = 0; direction < b->directions; direction++) {
            long cell = layer * b->directions + direction;
            forward_cell(b, weights, b->at + 4 * cell, inputs_of(b, layer), inputs, lanes, ld,
                         m->gates + cell * 3 * plane, states + direction * plane);
        }
        inputs = states;
    }
}

void block_backward(const struct block *b, const float *weights, const float *inputs, const float *const *rows,
                    long lanes, long ld, const float *d_outputs, float *d_inputs, float *gradients,
                    struct block_memory *m) {
    long plane = b->hidden * ld;
    for (long layer = b->layers - 1; layer >= 0; layer--) {
        long features = inputs_of(b, layer);
        const float *below = layer ? m->states + (layer - 1) * b->directions * plane : inputs;
        const float *const *own = layer ? 0 : rows;
        float *d_below = layer == 0 ? d_inputs : d_outputs == m->d_below ? m->d_states : m->d_below;
        if (!own) {
            apart(lanes, features, below, ld, m->rows, features);
            for (long lane = 0; lane < lanes; lane++)
                m->pointers[lane] = m->rows + lane * features;
            own = m->pointers;
        }
        for (long direction = 0; direction < b->directions; direction++) {
            long cell = layer * b->directions + direction;
            const long *at = b->at + 4 * cell;
            backward_gates(b, weights, at, lanes, ld, m->gates + cell * 3 * plane, d_outputs + direction * plane,
                           m->d_gates, gradients);
            from_lanes(3 * b->hidden, lanes, features, m->d_gates, ld, own, gradients + at[0], m->tile);
            if (d_below)
                onto_lanes(features, lanes, 3 * b->hidden, weights + at[0], 1, features, m->d_gates, ld, d_below, ld,
                           direction > 0);
        }
        d_outputs = d_below;
    }
}
