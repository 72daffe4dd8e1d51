// The kernel as a module of Python: takes NumPy arrays as they are, without copies, and returns new ones.
//
// An ordinary extension module, so a call costs a tenth of a microsecond; through JavaScript it would be two.
// Every function looks whether its arguments are what it is made for, plain float32 arrays, and hands all others
// to NumPy's own way (`fall_back_on`), which also raises the errors.

#include "abi.h"
#include "kernel.h"

static void **numpy;  // NumPy's table of functions
static PyObject *float32, *int64;
static PyObject *others;  // name → the function to fall back on

typedef PyArrayObject Array;

static int is_float32(PyObject *object) {
  const Array *a = (const Array *)object;
  return a->head.type == numpy[API_ARRAY_TYPE] && a->dtype == float32;
}

static int is_contiguous(PyObject *object) {
  return is_float32(object) && ((const Array *)object)->flags & C_CONTIGUOUS;
}

static int32_t size_of(const Array *a) {
  int32_t size = 1;
  for (int i = 0; i < a->nd; i++) size *= a->shape[i];
  return size;
}

static int same_shape(const Array *a, const Array *b) {
  if (a->nd != b->nd) return 0;
  for (int i = 0; i < a->nd; i++)
    if (a->shape[i] != b->shape[i]) return 0;
  return 1;
}

static PyObject *new_array(int nd, const int32_t *shape) {
  typedef PyObject *(*Empty)(int, const int32_t *, PyObject *, int);
  Py_IncRef(float32);  // the call takes a reference away
  return ((Empty)numpy[API_EMPTY])(nd, shape, float32, 0);
}

static PyObject *fall_back(const char *name, PyObject *const *args, int32_t count) {
  return PyObject_Vectorcall(PyDict_GetItemString(others, name), args, count, 0);
}

// ----------------------------------------------------------------------------------------- element by element

static PyObject *mapped(int operation, const char *name, PyObject *const *args, int32_t count, int32_t wanted) {
  const Array *x = (const Array *)args[0], *y = (const Array *)args[count - 1];
  if (count != wanted || !is_contiguous(args[0]) || !is_contiguous(args[count - 1]) || !same_shape(x, y) || !x->nd)
    return fall_back(name, args, count);
  PyObject *out = new_array(x->nd, x->shape);
  if (!out) return 0;
  Map instruction = {MAP, operation, {1, 1, 1, size_of(x)}, {((Array *)out)->data, {0, 0, 0, 1}},
                     {x->data, {0, 0, 0, 1}}, {y->data, {0, 0, 0, 1}}};
  map(&instruction);
  return out;
}

#define MAPPED(name, wanted)                                                          \
  static PyObject *py_##name(PyObject *module, PyObject *const *args, int32_t count) { \
    (void)module;                                                                     \
    return mapped(MAP_##name, #name, args, count, wanted);                            \
  }

MAPPED(tanh, 1)
MAPPED(exp, 1)
MAPPED(log, 1)
MAPPED(expm1, 1)
MAPPED(log1p, 1)

// g where x > above and 0 elsewhere. `above` is a number of Python.
static PyObject *py_gate(PyObject *module, PyObject *const *args, int32_t count) {
  (void)module;
  if (count != 3 || !is_contiguous(args[0]) || !is_contiguous(args[1])) return fall_back("gate", args, count);
  const Array *g = (const Array *)args[0], *x = (const Array *)args[1];
  float above = (float)PyFloat_AsDouble(args[2]);
  if (PyErr_Occurred() || !same_shape(g, x) || !x->nd) {
    PyErr_Clear();
    return fall_back("gate", args, count);
  }
  PyObject *out = new_array(g->nd, g->shape);
  if (!out) return 0;
  gate(size_of(g), (float *)((Array *)out)->data, (const float *)g->data, (const float *)x->data, above);
  return out;
}

// -------------------------------------------------------------------------------------------------- products

// Matrices, or stacks of equally many, whose product is defined; not empty ones.
static int are_matrices(PyObject *const *args) {
  const Array *x = (const Array *)args[0], *y = (const Array *)args[1];
  if (!is_float32(args[0]) || !is_float32(args[1]) || x->nd != y->nd || x->nd < 2 || x->nd > 3) return 0;
  if (x->nd == 3 && x->shape[0] != y->shape[0]) return 0;
  for (int i = 0; i < x->nd; i++)
    if (x->strides[i] % 4 || y->strides[i] % 4) return 0;  // a field of records
  return x->shape[x->nd - 1] == y->shape[y->nd - 2] && size_of(x) && size_of(y);
}

static Operand operand(const Array *a) {
  int last = a->nd - 1;
  return (Operand){a->data, {0, last > 1 ? a->strides[0] / 4 : 0, a->strides[last - 1] / 4, a->strides[last] / 4}};
}

static PyObject *multiplied(const Array *x, const Array *y) {
  int nd = x->nd;
  int32_t shape[3] = {x->shape[0], x->shape[nd - 2], y->shape[nd - 1]};
  PyObject *out = new_array(nd, nd == 3 ? shape : shape + 1);
  if (!out) return 0;
  Product instruction = {PRODUCT, {1, nd == 3 ? x->shape[0] : 1}, shape[1], shape[2], x->shape[nd - 1],
                         operand((Array *)out), operand(x), operand(y)};
  product(&instruction);
  return out;
}

static PyObject *py_matmul(PyObject *module, PyObject *const *args, int32_t count) {
  (void)module;
  if (count != 2 || !are_matrices(args)) return fall_back("matmul", args, count);
  return multiplied((const Array *)args[0], (const Array *)args[1]);
}

static PyObject *py_affine(PyObject *module, PyObject *const *args, int32_t count) {
  (void)module;
  if (count != 3 || !are_matrices(args) || !is_contiguous(args[2])) return fall_back("affine", args, count);
  const Array *x = (const Array *)args[0], *w = (const Array *)args[1], *b = (const Array *)args[2];
  int nd = x->nd, columns = w->shape[nd - 1];
  if (b->nd < 1 || b->shape[b->nd - 1] != columns || (b->nd == 2 && (nd != 3 || b->shape[0] != x->shape[0])) || b->nd > 2)
    return fall_back("affine", args, count);
  PyObject *out = multiplied(x, w);
  if (!out) return 0;
  int32_t stack = nd == 3 ? x->shape[0] : 1, rows = x->shape[nd - 2];
  Operand sums = {((Array *)out)->data, {0, rows * columns, columns, 1}};
  Map add = {MAP, MAP_add, {1, stack, rows, columns}, sums, sums, {b->data, {0, b->nd == 2 ? columns : 0, 0, 1}}};
  map(&add);
  return out;
}

// The sum over all but the last axis of a matrix, or of each matrix of a stack.
static PyObject *py_sum_rows(PyObject *module, PyObject *const *args, int32_t count) {
  (void)module;
  const Array *x = (const Array *)args[0];
  if (count != 1 || !is_contiguous(args[0]) || x->nd < 2 || x->nd > 3 || !size_of(x))
    return fall_back("sum_rows", args, count);
  int32_t stack = x->nd == 3 ? x->shape[0] : 1, rows = x->shape[x->nd - 2], columns = x->shape[x->nd - 1];
  int32_t shape[2] = {stack, columns};
  PyObject *out = new_array(x->nd - 1, x->nd == 3 ? shape : shape + 1);
  if (!out) return 0;
  Reduction instruction = {REDUCTION, REDUCE_sum, stack, rows, columns,
                           {((Array *)out)->data, {columns, 0, 1}}, {x->data, {rows * columns, columns, 1}}};
  reduce(&instruction);
  return out;
}

// All elements of a list of arrays in one row.
static PyObject *py_end_to_end(PyObject *module, PyObject *const *args, int32_t count) {
  (void)module;
  int32_t parts = count == 1 ? PyList_Size(args[0]) : 0, size = 0;
  PyErr_Clear();  // set if it was no list
  for (int32_t i = 0; i < parts; i++) {
    PyObject *part = PyList_GetItem(args[0], i);
    if (!is_contiguous(part)) return fall_back("end_to_end", args, count);
    size += size_of((Array *)part);
  }
  if (parts < 1) return fall_back("end_to_end", args, count);
  PyObject *out = new_array(1, &size);
  if (!out) return 0;
  char *to = ((Array *)out)->data;
  for (int32_t i = 0; i < parts; i++) {
    const Array *part = (Array *)PyList_GetItem(args[0], i);
    __builtin_memcpy(to, part->data, 4 * size_of(part));
    to += 4 * size_of(part);
  }
  return out;
}

// ------------------------------------------------------------------------------------------- captured steps

// Carry out a program: an array of int32 made by arrays/simd.py.
static PyObject *py_run(PyObject *module, PyObject *const *args, int32_t count) {
  (void)module;
  if (count == 1) run((const int32_t *)((const Array *)args[0])->data);
  return PyBool_FromLong(count == 1);
}

// Overwrite an array with another of the same shape and dtype. False, and nothing is done, if they differ.
static PyObject *py_overwrite(PyObject *module, PyObject *const *args, int32_t count) {
  (void)module;
  const Array *to = (const Array *)args[0], *from = (const Array *)args[count - 1];
  int plain = count == 2 && to->head.type == numpy[API_ARRAY_TYPE] && from->head.type == numpy[API_ARRAY_TYPE];
  if (!plain || from->dtype != to->dtype || (to->dtype != float32 && to->dtype != int64) || !same_shape(from, to) ||
      !(from->flags & to->flags & C_CONTIGUOUS))
    return PyBool_FromLong(0);
  __builtin_memmove(to->data, from->data, size_of(to) * (to->dtype == int64 ? 8 : 4));
  return PyBool_FromLong(1);
}

// ------------------------------------------------------------------------------------------------- the module

static PyObject *py_fall_back_on(PyObject *module, PyObject *const *args, int32_t count) {
  (void)module;
  if (count == 1) {
    Py_IncRef(args[0]);
    if (others) Py_DecRef(others);
    others = args[0];
  }
  return PyBool_FromLong(count == 1);
}

// name → number of every map, for those who write programs.
static PyObject *py_maps(PyObject *module, PyObject *const *args, int32_t count) {
  (void)module, (void)args, (void)count;
  PyObject *names = PyDict_New();
#define X(name, inputs)                                   \
  {                                                       \
    PyObject *number = PyLong_FromLong(MAP_##name);       \
    PyDict_SetItemString(names, #name, number);           \
    Py_DecRef(number);                                    \
  }
  MAPS(X)
#undef X
  return names;
}

static PyMethodDef functions[] = {
    {"matmul", py_matmul, METH_FASTCALL, "Return the matrix product of x and y."},
    {"affine", py_affine, METH_FASTCALL, "Return x W + b for each row of x."},
    {"sum_rows", py_sum_rows, METH_FASTCALL, "Return the sum over the axis before the last."},
    {"tanh", py_tanh, METH_FASTCALL, "Return the hyperbolic tangent."},
    {"gate", py_gate, METH_FASTCALL, "Return g where x > above and 0 elsewhere."},
    {"end_to_end", py_end_to_end, METH_FASTCALL, "Return all elements of a list of arrays in one row."},
    {"exp", py_exp, METH_FASTCALL, "Return e to the power x."},
    {"log", py_log, METH_FASTCALL, "Return the natural logarithm."},
    {"expm1", py_expm1, METH_FASTCALL, "Return e to the power x, minus 1."},
    {"log1p", py_log1p, METH_FASTCALL, "Return the natural logarithm of 1 + x."},
    {"run", py_run, METH_FASTCALL, "Carry out a program."},
    {"overwrite", py_overwrite, METH_FASTCALL, "Copy values into an array, if shape and dtype are the same."},
    {"fall_back_on", py_fall_back_on, METH_FASTCALL, "Set the functions for all other arguments, by name."},
    {"maps", py_maps, METH_FASTCALL, "Return the number of each map by its name."},
    {0, 0, 0, 0}};

static PyModuleDef definition = {
    .head = {1, 0}, .name = "_simd", .doc = "NumPy's missing SIMD in the browser.", .size = -1, .methods = functions};

__attribute__((visibility("default"))) PyObject *PyInit__simd(void) {
  PyObject *umath = PyImport_ImportModule("numpy._core._multiarray_umath");
  PyObject *capsule = umath ? PyObject_GetAttrString(umath, "_ARRAY_API") : 0;
  numpy = capsule ? PyCapsule_GetPointer(capsule, 0) : 0;
  if (!numpy) return 0;
  typedef PyObject *(*DtypeFromNumber)(int);
  float32 = ((DtypeFromNumber)numpy[API_DTYPE_FROM_NUMBER])(FLOAT32);
  int64 = ((DtypeFromNumber)numpy[API_DTYPE_FROM_NUMBER])(INT64);
  return PyModule_Create2(&definition, PYTHON_API_VERSION);
}
