// What the kernel computes: products of matrices, and programs made of products, maps and reductions.
// All arrays are float32 unless said otherwise; strides count elements, not bytes.

#pragma once

#include <stdint.h>

typedef uint8_t boolean;  // NumPy's bool: one byte, 0 or 1

// The functions that work element by element, each with the number of its inputs. Python reads this list
// from the built module, so that the numbers of operations have one source.
#define MAPS(X) \
  X(add, 2) X(subtract, 2) X(multiply, 2) X(divide, 2) X(maximum, 2) X(minimum, 2) \
  X(copy, 1) X(negative, 1) X(absolute, 1) X(square, 1) X(sqrt, 1) X(sign, 1) \
  X(exp, 1) X(log, 1) X(expm1, 1) X(log1p, 1) X(tanh, 1) \
  X(greater, 2) X(greater_equal, 2) X(less, 2) X(less_equal, 2) X(equal, 2) \
  X(multiply_bool, 2) X(copy_bool, 1) X(equal_int64, 2)

enum map {
#define X(name, inputs) MAP_##name,
  MAPS(X)
#undef X
  MAP_COUNT
};

enum reduction { REDUCE_sum, REDUCE_max };

// An array as a pointer and the distance between neighbours along each axis (0: broadcast).
typedef struct {
  void *data;
  int32_t stride[4];
} Operand;

// out (m, n) = x (m, k) · y (k, n), for each of batch[0] · batch[1] pairs of matrices.
typedef struct {
  int32_t kind, batch[2], m, n, k;
  Operand out, x, y;  // strides: the two of the batch, then rows and columns
} Product;

// out[i] = operation(x[i], y[i]) over four axes; a function of one input ignores y.
typedef struct {
  int32_t kind, operation, shape[4];
  Operand out, x, y;
} Map;

// out[i, j] = reduction of x[i, :, j]; x is (outer, reduced, inner), and so are the strides.
typedef struct {
  int32_t kind, operation, outer, reduced, inner;
  Operand out, x;
} Reduction;

enum kind { END, PRODUCT, MAP, REDUCTION };

void product(const Product *p);
void map(const Map *p);
void reduce(const Reduction *p);
void gate(int n, float *out, const float *g, const float *x, float above);  // g where x > above, else 0

// Carry out instructions one after the other, until one of kind END.
void run(const int32_t *program);
