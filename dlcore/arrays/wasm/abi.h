// The few declarations of CPython's and NumPy's C interfaces that module.c needs.
//
// The compiler that builds the kernel brings no headers of CPython for WebAssembly, so they stand here. All
// functions are of CPython's stable ABI (docs.python.org/3/c-api/stable.html). The structures are those of a
// 32-bit build: PyObject and PyModuleDef of CPython 3.12, PyArrayObject_fields of NumPy 2 (ndarraytypes.h).

#pragma once

#include <stdint.h>

typedef struct {
  int32_t references;
  void *type;
} PyObject;

typedef PyObject *(*Function)(PyObject *module, PyObject *const *args, int32_t count);  // METH_FASTCALL

typedef struct {
  const char *name;
  Function function;
  int32_t flags;
  const char *doc;
} PyMethodDef;

enum { METH_FASTCALL = 0x80, PYTHON_API_VERSION = 1013 };

typedef struct {
  PyObject head;
  void *init;
  int32_t index;
  PyObject *copy;
  const char *name, *doc;
  int32_t size;
  PyMethodDef *methods;
  void *slots, *traverse, *clear, *free;
} PyModuleDef;

PyObject *PyModule_Create2(PyModuleDef *definition, int version);
PyObject *PyImport_ImportModule(const char *name);
PyObject *PyObject_GetAttrString(PyObject *object, const char *name);
PyObject *PyObject_Vectorcall(PyObject *callable, PyObject *const *args, uint32_t count, PyObject *names);
void *PyCapsule_GetPointer(PyObject *capsule, const char *name);
PyObject *PyDict_New(void);
int PyDict_SetItemString(PyObject *dict, const char *key, PyObject *value);
PyObject *PyDict_GetItemString(PyObject *dict, const char *key);  // borrowed
int32_t PyList_Size(PyObject *list);  // -1 and an error for other objects
PyObject *PyList_GetItem(PyObject *list, int32_t i);  // borrowed
double PyFloat_AsDouble(PyObject *number);  // -1 and an error for other objects
void PyErr_Clear(void);
PyObject *PyErr_Occurred(void);
PyObject *PyLong_FromLong(long value);
PyObject *PyBool_FromLong(long value);
void Py_IncRef(PyObject *object);
void Py_DecRef(PyObject *object);

// ------------------------------------------------------------------------------------------------- NumPy

typedef struct {
  PyObject head;
  char *data;
  int32_t nd;
  int32_t *shape;
  int32_t *strides;  // bytes
  PyObject *base;
  PyObject *dtype;
  int32_t flags;
} PyArrayObject;

enum { C_CONTIGUOUS = 1, FLOAT32 = 11, INT64 = 9 };

// Places in NumPy's table of functions (numpy/__multiarray_api.h).
enum { API_ARRAY_TYPE = 2, API_DTYPE_FROM_NUMBER = 45, API_EMPTY = 184 };
