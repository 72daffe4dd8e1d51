// The arithmetic of a training step for WebAssembly with SIMD: 4 float32 at a time.
//
// NumPy in the browser has neither BLAS nor SIMD. This file has no library below it: no libm, no malloc.
// In the order in which it is best read: loading and storing vectors; exp, log, tanh; maps; reductions;
// products of matrices; and `run`, which carries out a whole list of these in one call.

#include "kernel.h"

#include <wasm_simd128.h>

typedef v128_t vector;  // 4 × float32

#define ALWAYS_INLINE static inline __attribute__((always_inline))

// ------------------------------------------------------------------------------------ vectors in memory

ALWAYS_INLINE vector number(float x) { return wasm_f32x4_splat(x); }

// `count` (1 to 4) elements, `stride` apart; the lanes beyond them repeat the first.
ALWAYS_INLINE vector load(const float *p, int stride, int count) {
  if (stride == 0) return wasm_v128_load32_splat(p);
  if (stride == 1 && count == 4) return wasm_v128_load(p);
  return wasm_f32x4_make(p[0], p[count > 1 ? stride : 0], p[count > 2 ? 2 * stride : 0],
                         p[count > 3 ? 3 * stride : 0]);
}

ALWAYS_INLINE void store(float *p, int stride, int count, vector x) {
  if (stride == 1 && count == 4) {
    wasm_v128_store(p, x);
    return;
  }
  p[0] = wasm_f32x4_extract_lane(x, 0);
  if (count > 1) p[stride] = wasm_f32x4_extract_lane(x, 1);
  if (count > 2) p[2 * stride] = wasm_f32x4_extract_lane(x, 2);
  if (count > 3) p[3 * stride] = wasm_f32x4_extract_lane(x, 3);
}

// ------------------------------------------------------------------------------------ exp, log and tanh
// After S. L. Moshier's Cephes library (expf, logf, tanhf): reduce the argument, then a short polynomial.

#define ADD(x, y) wasm_f32x4_add(x, y)
#define SUB(x, y) wasm_f32x4_sub(x, y)
#define MUL(x, y) wasm_f32x4_mul(x, y)
#define DIV(x, y) wasm_f32x4_div(x, y)
#define CHOOSE(where, yes, no) wasm_v128_bitselect(yes, no, where)

// c[0] xⁿ⁻¹ + … + c[n-1], by Horner's rule.
ALWAYS_INLINE vector polynomial(vector x, const float *c, int n) {
  vector sum = number(c[0]);
  for (int i = 1; i < n; i++) sum = ADD(MUL(sum, x), number(c[i]));
  return sum;
}

// 2ⁿ for whole n from -126 to 127, written into the bits of the exponent.
ALWAYS_INLINE vector power_of_two(vector n) {
  return wasm_i32x4_shl(wasm_i32x4_add(n, wasm_i32x4_splat(127)), 23);
}

static vector v_exp(vector x) {
  static const float c[] = {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f,
                            4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};
  // Past these limits the result is infinite or 0 anyway. min and max hand NaN on.
  vector bounded = wasm_f32x4_max(wasm_f32x4_min(x, number(89.0f)), number(-104.0f));
  vector n = wasm_f32x4_nearest(MUL(bounded, number(1.44269504088896341f)));
  // log 2 in two parts, the first of few digits, so that n times it is exact.
  vector r = SUB(SUB(bounded, MUL(n, number(0.693359375f))), MUL(n, number(-2.12194440e-4f)));
  vector value = ADD(ADD(MUL(polynomial(r, c, 6), MUL(r, r)), r), number(1.0f));
  // In two factors: a single 2ⁿ cannot be written for n = 128, nor for results below the normal numbers.
  vector whole = wasm_i32x4_trunc_sat_f32x4(n), half = wasm_i32x4_shr(whole, 1);
  return MUL(MUL(value, power_of_two(half)), power_of_two(wasm_i32x4_sub(whole, half)));
}

static vector v_log(vector x) {
  static const float c[] = {7.0376836292e-2f,  -1.1514610310e-1f, 1.1676998740e-1f,
                            -1.2420140846e-1f, 1.4249322787e-1f,  -1.6668057665e-1f,
                            2.0000714765e-1f,  -2.4999993993e-1f, 3.3333331174e-1f};
  const vector one = number(1.0f), infinity = number(__builtin_inff());
  vector tiny = wasm_f32x4_lt(x, number(1.17549435e-38f));  // below the normal numbers: lift by 2²³
  vector lifted = CHOOSE(tiny, MUL(x, number(8388608.0f)), x);
  vector exponent = wasm_i32x4_sub(wasm_i32x4_shr(lifted, 23), wasm_i32x4_splat(126));
  vector m = wasm_v128_or(wasm_v128_and(lifted, wasm_i32x4_splat(0x007fffff)), number(0.5f));
  vector e = SUB(wasm_f32x4_convert_i32x4(exponent), wasm_v128_and(tiny, number(23.0f)));
  vector small = wasm_f32x4_lt(m, number(0.707106781f));  // bring the mantissa around 1
  e = SUB(e, wasm_v128_and(small, one));
  m = SUB(ADD(m, wasm_v128_and(small, m)), one);
  vector square = MUL(m, m);
  vector tail = MUL(MUL(m, square), polynomial(m, c, 9));
  tail = ADD(tail, MUL(e, number(-2.12194440e-4f)));
  tail = SUB(tail, MUL(square, number(0.5f)));
  vector value = ADD(ADD(m, tail), MUL(e, number(0.693359375f)));
  value = CHOOSE(wasm_f32x4_eq(x, infinity), infinity, value);
  value = CHOOSE(wasm_f32x4_eq(x, number(0.0f)), number(-__builtin_inff()), value);
  return CHOOSE(wasm_f32x4_ge(x, number(0.0f)), value, number(__builtin_nanf("")));
}

// Kahan's way to keep the digits that 1 + x and e^x - 1 lose: the rounding of u appears above and below.
static vector v_log1p(vector x) {
  vector u = ADD(number(1.0f), x), above = SUB(u, number(1.0f));
  vector value = MUL(v_log(u), DIV(x, above));
  value = CHOOSE(wasm_f32x4_eq(u, number(__builtin_inff())), u, value);
  return CHOOSE(wasm_f32x4_eq(above, number(0.0f)), x, value);
}

static vector v_expm1(vector x) {
  vector u = v_exp(x), above = SUB(u, number(1.0f));
  vector value = MUL(above, DIV(x, v_log(u)));
  vector far = wasm_v128_or(wasm_f32x4_lt(x, number(-17.0f)), wasm_f32x4_gt(x, number(17.0f)));
  value = CHOOSE(far, above, value);  // nothing is lost out there, and log(u) may be infinite
  return CHOOSE(wasm_f32x4_eq(above, number(0.0f)), x, value);
}

static vector v_tanh(vector x) {
  static const float c[] = {-5.70498872745e-3f, 2.06390887954e-2f, -5.37397155531e-2f,
                            1.33314422036e-1f, -3.33332819422e-1f};
  vector size = wasm_f32x4_abs(x), square = MUL(x, x);
  vector near_zero = ADD(MUL(MUL(polynomial(square, c, 5), square), x), x);
  vector e = v_exp(ADD(size, size));
  vector far = SUB(number(1.0f), DIV(number(2.0f), ADD(e, number(1.0f))));
  far = wasm_v128_or(far, wasm_v128_and(x, wasm_i32x4_splat(INT32_MIN)));  // the sign of x
  return CHOOSE(wasm_f32x4_lt(size, number(0.625f)), near_zero, far);
}

static vector v_sign(vector x) {
  vector one = number(1.0f), zero = number(0.0f);
  vector value = SUB(wasm_v128_and(wasm_f32x4_gt(x, zero), one), wasm_v128_and(wasm_f32x4_lt(x, zero), one));
  return CHOOSE(wasm_f32x4_eq(x, x), value, x);  // NaN stays NaN
}

// ----------------------------------------------------------------------------------------------- maps

// One row of a map. The loops for contiguous and for single inputs are apart, so that each is a short one.
#define ROW(expression)                                                                     \
  {                                                                                         \
    int i = 0;                                                                              \
    if (so == 1 && sx == 1 && sy == 1)                                                      \
      for (; i + 4 <= n; i += 4) {                                                          \
        vector x = wasm_v128_load(px + i), y = wasm_v128_load(py + i);                      \
        (void)y;                                                                            \
        wasm_v128_store(out + i, expression);                                               \
      }                                                                                     \
    for (; i < n; i += 4) {                                                                 \
      int count = n - i < 4 ? n - i : 4;                                                    \
      vector x = load(px + i * sx, sx, count), y = load(py + i * sy, sy, count);            \
      (void)y;                                                                              \
      store(out + i * so, so, count, expression);                                           \
    }                                                                                       \
    return;                                                                                 \
  }

// Rows whose inputs or outputs are of another type than float32.
#define TYPED_ROW(type_out, type_x, type_y, expression)                                     \
  for (int i = 0; i < n; i++) {                                                             \
    type_x x = ((const type_x *)vx)[i * sx];                                                \
    type_y y = ((const type_y *)vy)[i * sy];                                                \
    (void)y;                                                                                \
    ((type_out *)vout)[i * so] = expression;                                                \
  }                                                                                         \
  return;

static void row(int operation, int n, void *vout, int so, const void *vx, int sx, const void *vy, int sy) {
  float *out = vout;
  const float *px = vx, *py = vy;
  switch ((enum map)operation) {
    case MAP_add: ROW(ADD(x, y))
    case MAP_subtract: ROW(SUB(x, y))
    case MAP_multiply: ROW(MUL(x, y))
    case MAP_divide: ROW(DIV(x, y))
    case MAP_maximum: ROW(wasm_f32x4_max(x, y))
    case MAP_minimum: ROW(wasm_f32x4_min(x, y))
    case MAP_copy: ROW(x)
    case MAP_negative: ROW(wasm_f32x4_neg(x))
    case MAP_absolute: ROW(wasm_f32x4_abs(x))
    case MAP_square: ROW(MUL(x, x))
    case MAP_sqrt: ROW(wasm_f32x4_sqrt(x))
    case MAP_sign: ROW(v_sign(x))
    case MAP_exp: ROW(v_exp(x))
    case MAP_log: ROW(v_log(x))
    case MAP_expm1: ROW(v_expm1(x))
    case MAP_log1p: ROW(v_log1p(x))
    case MAP_tanh: ROW(v_tanh(x))
    case MAP_greater: TYPED_ROW(boolean, float, float, x > y)
    case MAP_greater_equal: TYPED_ROW(boolean, float, float, x >= y)
    case MAP_less: TYPED_ROW(boolean, float, float, x < y)
    case MAP_less_equal: TYPED_ROW(boolean, float, float, x <= y)
    case MAP_equal: TYPED_ROW(boolean, float, float, x == y)
    case MAP_multiply_bool: TYPED_ROW(float, float, boolean, x * (float)y)  // infinity · 0 is NaN, as in NumPy
    case MAP_copy_bool: TYPED_ROW(float, boolean, boolean, (float)x)
    case MAP_equal_int64: TYPED_ROW(boolean, int64_t, int64_t, x == y)
    case MAP_COUNT: return;
  }
}

static const uint8_t inputs[] = {
#define X(name, inputs) inputs,
    MAPS(X)
#undef X
};

// Bytes of an element of `out` (0), x (1) or y (2).
static int bytes_of(int operation, int which) {
  if (operation == MAP_equal_int64) return which ? 8 : 1;
  if (operation == MAP_multiply_bool) return which == 2 ? 1 : 4;
  if (operation == MAP_copy_bool) return which ? 1 : 4;
  return operation >= MAP_greater && !which ? 1 : 4;
}

void map(const Map *p) {
  const int32_t *n = p->shape, *so = p->out.stride, *sx = p->x.stride;
  const Operand *second = inputs[p->operation] == 2 ? &p->y : &p->x;
  const int32_t *sy = second->stride;
  int bo = bytes_of(p->operation, 0), bx = bytes_of(p->operation, 1);
  int by = second == &p->y ? bytes_of(p->operation, 2) : bx;
  char *out = p->out.data, *x = p->x.data, *y = second->data;
  for (int i = 0; i < n[0]; i++)
    for (int j = 0; j < n[1]; j++)
      for (int k = 0; k < n[2]; k++)
        row(p->operation, n[3],
            out + (i * so[0] + j * so[1] + k * so[2]) * bo, so[3],
            x + (i * sx[0] + j * sx[1] + k * sx[2]) * bx, sx[3],
            y + (i * sy[0] + j * sy[1] + k * sy[2]) * by, sy[3]);
}

void gate(int n, float *out, const float *g, const float *x, float above) {
  for (int i = 0; i < n; i += 4) {
    int count = n - i < 4 ? n - i : 4;
    vector open = wasm_f32x4_gt(load(x + i, 1, count), number(above));
    // A product, not a choice: infinity · 0 is NaN, as in NumPy.
    store(out + i, 1, count, MUL(load(g + i, 1, count), wasm_v128_and(open, number(1.0f))));
  }
}

// ------------------------------------------------------------------------------------------ reductions

ALWAYS_INLINE vector combined(int operation, vector x, vector y) {
  return operation == REDUCE_sum ? ADD(x, y) : wasm_f32x4_max(x, y);
}

// The reduction of n numbers. Four sums run side by side, which also keeps rounding small.
ALWAYS_INLINE float reduced(int operation, const float *p, int stride, int n) {
  vector zero = number(operation == REDUCE_sum ? 0.0f : -__builtin_inff()), total = zero;
  int i = 0;
  for (; i + 4 <= n; i += 4) total = combined(operation, total, load(p + i * stride, stride, 4));
  total = combined(operation, total, wasm_i32x4_shuffle(total, total, 2, 3, 0, 1));
  total = combined(operation, total, wasm_i32x4_shuffle(total, total, 1, 0, 3, 2));
  for (; i < n; i++) total = combined(operation, total, wasm_v128_load32_splat(p + i * stride));
  return wasm_f32x4_extract_lane(total, 0);
}

// Whole rows are combined with the row of results.
ALWAYS_INLINE void reduce_rows(int operation, float *out, int so, const float *x, int rows, int apart, int sx,
                               int n) {
  for (int j = 0; j < n; j += 4) {
    int count = n - j < 4 ? n - j : 4;
    vector total = load(x + j * sx, sx, count);
    for (int r = 1; r < rows; r++) total = combined(operation, total, load(x + r * apart + j * sx, sx, count));
    store(out + j * so, so, count, total);
  }
}

void reduce(const Reduction *p) {
  const int32_t *so = p->out.stride, *sx = p->x.stride;
  for (int i = 0; i < p->outer; i++) {
    float *out = (float *)p->out.data + i * so[0];
    const float *x = (const float *)p->x.data + i * sx[0];
    if (p->inner == 1)
      *out = p->operation == REDUCE_sum ? reduced(REDUCE_sum, x, sx[1], p->reduced)
                                        : reduced(REDUCE_max, x, sx[1], p->reduced);
    else if (p->operation == REDUCE_sum)
      reduce_rows(REDUCE_sum, out, so[2], x, p->reduced, sx[1], sx[2], p->inner);
    else
      reduce_rows(REDUCE_max, out, so[2], x, p->reduced, sx[1], sx[2], p->inner);
  }
}

// -------------------------------------------------------------------------------------------- products

#define WIDTH 8    // columns of a panel: two vectors
#define DEPTH 256  // rows of a panel; 8 kB, so that it stays in the processor's first cache
#define ROWS 4     // rows computed at a time: 4 × 2 sums, which fit the 16 vector registers

typedef struct {
  const float *data;
  int row, column;  // strides
} Matrix;

// out (rows, columns) ← or += x (rows, k) · panel (k, 4 · vectors). `rows` and `vectors` are constants wherever
// this is inlined, so that the sums are registers and not an array.
ALWAYS_INLINE void block(int rows, int vectors, int columns, int k, Matrix x, const float *panel, int apart,
                         float *out, int row_out, int add_up) {
  vector sum[ROWS][2];
  for (int i = 0; i < rows; i++)
    for (int v = 0; v < vectors; v++) sum[i][v] = number(0.0f);
  for (int p = 0; p < k; p++) {
    vector y[2];
    for (int v = 0; v < vectors; v++) y[v] = wasm_v128_load(panel + p * apart + 4 * v);
    for (int i = 0; i < rows; i++) {
      vector a = wasm_v128_load32_splat(x.data + i * x.row + p * x.column);
      for (int v = 0; v < vectors; v++) sum[i][v] = ADD(sum[i][v], MUL(a, y[v]));
    }
  }
  for (int i = 0; i < rows; i++)
    for (int v = 0; v < vectors; v++) {
      float *to = out + i * row_out + 4 * v;
      int count = columns - 4 * v < 4 ? columns - 4 * v : 4;
      if (count <= 0) continue;
      store(to, 1, count, add_up ? ADD(sum[i][v], load(to, 1, count)) : sum[i][v]);
    }
}

// All rows of x against one panel.
ALWAYS_INLINE void panel_product(int vectors, int columns, int m, int k, Matrix x, const float *panel, int apart,
                                 float *out, int row_out, int add_up) {
  int i = 0;
  for (; i + ROWS <= m; i += ROWS) {
    block(ROWS, vectors, columns, k, x, panel, apart, out, row_out, add_up);
    x.data += ROWS * x.row;
    out += ROWS * row_out;
  }
  for (; i < m; i++) {
    block(1, vectors, columns, k, x, panel, apart, out, row_out, add_up);
    x.data += x.row;
    out += row_out;
  }
}

// Lay `columns` columns and k rows of y side by side, filled up with zeros to WIDTH columns.
static void pack(float *panel, Matrix y, int columns, int k) {
  for (int p = 0; p < k; p++)
    for (int j = 0; j < WIDTH; j++)
      panel[p * WIDTH + j] = j < columns ? y.data[p * y.row + j * y.column] : 0.0f;
}

static void matrix_product(int m, int n, int k, Matrix x, Matrix y, float *out, int row_out) {
  static float packed[DEPTH * WIDTH];
  for (int j = 0; j < n; j += WIDTH) {
    int columns = n - j < WIDTH ? n - j : WIDTH;
    for (int p = 0; p < k || p == 0; p += DEPTH) {  // once even for k = 0: the product is then 0
      int depth = k - p < DEPTH ? k - p : DEPTH, apart = y.row;
      Matrix part = {x.data + p * x.column, x.row, x.column};
      Matrix from = {y.data + p * y.row + j * y.column, y.row, y.column};
      const float *panel = from.data;
      // Columns far apart in memory must be packed; other panels are worth it if they are read often.
      if (y.column != 1 || columns < WIDTH || (m >= 16 && depth >= 32)) {
        pack(packed, from, columns, depth);
        panel = packed;
        apart = WIDTH;
      }
      if (columns > 4)
        panel_product(2, columns, m, depth, part, panel, apart, out + j, row_out, p > 0);
      else
        panel_product(1, columns, m, depth, part, panel, apart, out + j, row_out, p > 0);
    }
  }
}

// out[i] = row i of x · the vector y.
static void vector_product(int m, int k, Matrix x, const float *y, int apart, float *out, int row_out) {
  for (int i = 0; i < m; i++) {
    const float *a = x.data + i * x.row;
    vector sum = number(0.0f);
    int p = 0;
    for (; p + 4 <= k; p += 4)
      sum = ADD(sum, MUL(load(a + p * x.column, x.column, 4), load(y + p * apart, apart, 4)));
    sum = ADD(sum, wasm_i32x4_shuffle(sum, sum, 2, 3, 0, 1));
    sum = ADD(sum, wasm_i32x4_shuffle(sum, sum, 1, 0, 3, 2));
    float total = wasm_f32x4_extract_lane(sum, 0);
    for (; p < k; p++) total += a[p * x.column] * y[p * apart];
    out[i * row_out] = total;
  }
}

// The product by the way that suits its shape. (x y)ᵀ = yᵀ xᵀ: a product of one row is one of one column.
static void one_product(int m, int n, int k, Matrix x, Matrix y, float *out, int row_out, int column_out) {
  if (n == 1 && x.row == 1 && row_out == 1 && m > 1)
    matrix_product(1, m, k, (Matrix){y.data, 0, y.row}, (Matrix){x.data, x.column, 1}, out, 0);
  else if (n == 1)
    vector_product(m, k, x, y.data, y.row, out, row_out);
  else if (m == 1 && y.column != 1)
    vector_product(n, k, (Matrix){y.data, y.column, y.row}, x.data, x.column, out, column_out);
  else
    matrix_product(m, n, k, x, y, out, row_out);
}

void product(const Product *p) {
  const int32_t *so = p->out.stride, *sx = p->x.stride, *sy = p->y.stride;
  for (int i = 0; i < p->batch[0]; i++)
    for (int j = 0; j < p->batch[1]; j++) {
      Matrix x = {(const float *)p->x.data + i * sx[0] + j * sx[1], sx[2], sx[3]};
      Matrix y = {(const float *)p->y.data + i * sy[0] + j * sy[1], sy[2], sy[3]};
      one_product(p->m, p->n, p->k, x, y, (float *)p->out.data + i * so[0] + j * so[1], so[2], so[3]);
    }
}

// ------------------------------------------------------------------------------------------- a program

__attribute__((visibility("default"))) void run(const int32_t *program) {
  for (;;) switch (*program) {
      case PRODUCT:
        product((const Product *)program);
        program += sizeof(Product) / sizeof *program;
        break;
      case MAP:
        map((const Map *)program);
        program += sizeof(Map) / sizeof *program;
        break;
      case REDUCTION:
        reduce((const Reduction *)program);
        program += sizeof(Reduction) / sizeof *program;
        break;
      default:
        return;
    }
}
