/* 1 - CCC, mean squared error and (binary) cross-entropy of single frames. */

#include "losses.h"

#include <math.h>

#include "../compiled_layers/vectors.h"

#define SMALLEST 1e-12

static double ccc_loss(long frames, const float *p, const double *label, const double *labelled, double count,
                       double factor, float *d) {
    double mean_p = 0, mean_l = 0, variances = 0, covariance = 0;
    for (long i = 0; i < frames; i++)
        mean_p += p[i] * labelled[i] / count, mean_l += label[i] * labelled[i] / count;
    for (long i = 0; i < frames; i++) {
        double off_p = (p[i] - mean_p) * labelled[i], off_l = (label[i] - mean_l) * labelled[i];
        variances += (off_p * off_p + off_l * off_l) / count, covariance += off_p * off_l / count;
    }
    double distance = mean_p - mean_l, moments = variances + distance * distance;
    double below = moments < SMALLEST ? SMALLEST : moments, slope = moments < SMALLEST ? 0 : 2 * covariance / below;
    for (long i = 0; i < frames; i++) {
        double off_p = p[i] - mean_p, off_l = label[i] - mean_l;
        d[i] = -factor * labelled[i] * 2 / (count * below) * (off_l - slope * (off_p + distance));
    }
    return 1 - 2 * covariance / below;
}

/* A CCC over one frame is 0 whatever is predicted. */
static double ccc_loss_per_sequence(long frames, const float *p, const double *labelled, double count, float *d) {
    double sum = 0;
    for (long i = 0; i < frames; i++)
        sum += labelled[i] * (1 + 0 * p[i]), d[i] = 0;
    return sum / count;
}

static double mse(long frames, const float *p, const double *label, const double *labelled, double count, double factor,
                  float *d) {
    double sum = 0;
    for (long i = 0; i < frames; i++) {
        double off = p[i] - label[i];
        sum += off * off * labelled[i];
        d[i] = factor * 2 * off * labelled[i] / count;
    }
    return sum / count;
}

static double cross_entropy(long classes, long frames, const float *logits, long ld, const double *label,
                            const double *labelled, double count, double factor, float *d) {
    double sum = 0;
    for (long i = 0; i < frames; i++) {
        double most = logits[i], all = 0;
        for (long c = 1; c < classes; c++)
            most = logits[c * ld + i] > most ? logits[c * ld + i] : most;
        for (long c = 0; c < classes; c++)
            all += exp(logits[c * ld + i] - most);
        long own = (long)label[i];
        sum += (log(all) + most - logits[own * ld + i]) * labelled[i];
        for (long c = 0; c < classes; c++)
            d[c * ld + i] = factor * labelled[i] / count * (exp(logits[c * ld + i] - most) / all - (c == own));
    }
    return sum / count;
}

static double binary_cross_entropy(long classes, const double *positive_weight, long frames, const float *logits,
                                   long ld, const double *label, const double *labelled, double count, double factor,
                                   float *d) {
    double sum = 0;
    for (long i = 0; i < frames; i++)
        for (long c = 0; c < classes; c++) {
            double x = logits[c * ld + i], y = (long long)label[i] >> c & 1;
            double small = exp(-fabs(x)), weight = 1 + (positive_weight[c] - 1) * y;
            double absent = (x > 0 ? small : 1) / (1 + small); /* sigmoid(-x) */
            sum += ((1 - y) * x + weight * (log1p(small) + (x < 0 ? -x : 0))) * labelled[i] / classes;
            d[c * ld + i] = factor * labelled[i] / (count * classes) * (1 - y - weight * absent);
        }
    return sum / count;
}

EXPORT double prediction_loss(const struct loss *l, long frames, const float *outputs, long ld, const double *labels,
                              const double *labelled, double factor, float *d_outputs) {
    double count = 0;
    for (long i = 0; i < frames; i++)
        count += labelled[i];
    double any = count > 0, own = any ? count : 1;
    switch (l->kind) {
    case CCC:
        return any * ccc_loss(frames, outputs, labels, labelled, own, factor, d_outputs);
    case CCC_PER_SEQUENCE:
        return ccc_loss_per_sequence(frames, outputs, labelled, own, d_outputs);
    case MSE:
        return mse(frames, outputs, labels, labelled, own, factor, d_outputs);
    case CROSS_ENTROPY:
        return cross_entropy(l->outputs, frames, outputs, ld, labels, labelled, own, factor, d_outputs);
    default:
        return binary_cross_entropy(l->outputs, l->positive_weight, frames, outputs, ld, labels, labelled, own, factor,
                                    d_outputs);
    }
}
