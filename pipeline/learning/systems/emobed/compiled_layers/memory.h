/* The memory that a call works in: its caller gives it, so that it is kept from call to call. */

#ifndef MEMORY_H
#define MEMORY_H

#include <stdint.h>

/* Take so many values of the memory, aligned as it is. */
static inline float *floats(char **memory, long count) {
    float *found = (float *)*memory;
    /* an address as a number: C does not count from a pointer to nothing */
    *memory = (char *)((uintptr_t)*memory + (count * sizeof(float) + 63) / 64 * 64);
    return found;
}

/* Bytes up to the end of what was taken of a memory that begins nowhere. */
static inline long bytes_up_to(const char *end) { return (long)(uintptr_t)end; }

#endif
