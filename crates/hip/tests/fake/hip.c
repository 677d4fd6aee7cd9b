// A HIP library that does nothing but write down what it was asked, for tests
// of the loading and calling side. -DOLD leaves out what HIP 5.2 lacks.
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int hipError_t;
typedef struct { uint32_t x, y, z; } dim3;

static char log_text[1 << 16];
static size_t log_length;
static _Thread_local int current_device = 1;
static _Thread_local hipError_t last_error;
static int peer_enabled;
static const void *loaded_image;

static void note(const char *format, ...) {
  va_list list;
  va_start(list, format);
  log_length += vsnprintf(log_text + log_length, sizeof(log_text) - log_length, format, list);
  va_end(list);
}

const char *fake_log(void) { return log_text; }
const void *fake_image(void) { return loaded_image; }
int fake_device(void) { return current_device; }

static hipError_t done(hipError_t error) {
  if (error) last_error = error;
  return error;
}

hipError_t hipInit(unsigned flags) { return flags; }
hipError_t hipGetLastError(void) {
  hipError_t error = last_error;
  last_error = 0;
  return error;
}
hipError_t hipPeekAtLastError(void) { return last_error; }
const char *hipGetErrorName(hipError_t error) { return error == 4711 ? "hipErrorCologne" : NULL; }
const char *hipGetErrorString(hipError_t error) { return error == 4711 ? "perfumed" : NULL; }
hipError_t hipGetDeviceCount(int *count) { *count = 2; return 0; }
hipError_t hipDeviceGet(int *device, int ordinal) { *device = ordinal; return 0; }
hipError_t hipDeviceGetAttribute(int *value, int attribute, int device) {
  *value = 1000 * device + attribute;
  return 0;
}
hipError_t hipGetDevice(int *device) { *device = current_device; return 0; }
hipError_t hipSetDevice(int device) { current_device = device; note("device %d\n", device); return 0; }
hipError_t hipDevicePrimaryCtxRetain(void **context, int device) {
  *context = (void *)(uintptr_t)(0xc0 + device);
  return 0;
}
hipError_t hipDevicePrimaryCtxRelease(int device) { note("release %d\n", device); return 0; }
hipError_t hipDeviceCanAccessPeer(int *can, int device, int peer) { *can = device != peer; return 0; }
hipError_t hipDeviceEnablePeerAccess(int peer, unsigned flags) {
  note("peer %d from %d flags %u\n", peer, current_device, flags);
  return done(peer_enabled++ ? 704 : 0);
}

// The plain name has the old layout in every version.
hipError_t hipGetDeviceProperties(char *properties, int device) {
  memset(properties, 0xee, 792);
  sprintf(properties + 396, "gfx90%d", device);
  return 0;
}
#ifndef OLD
hipError_t hipGetDevicePropertiesR0600(char *properties, int device) {
  memset(properties, 0xee, 1472);
  sprintf(properties + 1160, "gfx110%d", device);
  return 0;
}
hipError_t hipRuntimeGetVersion(int *version) { *version = 60140093; return 0; }
#else
hipError_t hipRuntimeGetVersion(int *version) { *version = 50221153; return 0; }
#endif

hipError_t hipStreamCreateWithFlags(uintptr_t *stream, unsigned flags) {
  note("stream flags %u on %d\n", flags, current_device);
  *stream = 0x5000;
  return 0;
}
hipError_t hipStreamDestroy(uintptr_t stream) { note("destroy stream %lx\n", stream); return 0; }
hipError_t hipStreamSynchronize(uintptr_t stream) { return done(stream == 0x5000 ? 0 : 400); }
hipError_t hipStreamQuery(uintptr_t stream) { (void)stream; return done(600); }
hipError_t hipStreamWaitEvent(uintptr_t stream, uintptr_t event, unsigned flags) {
  note("wait %lx %lx %u\n", stream, event, flags);
  return 0;
}
#ifdef OLD
hipError_t hipStreamAddCallback(uintptr_t stream, void (*callback)(uintptr_t, hipError_t, void *),
                                void *data, unsigned flags) {
  note("callback %lx flags %u\n", stream, flags);
  callback(stream, 0, data);
  return 0;
}
hipError_t hipEventCreate(uintptr_t *event) { note("event\n"); *event = 0xe000; return 0; }
#else
hipError_t hipLaunchHostFunc(uintptr_t stream, void (*function)(void *), void *data) {
  note("host function %lx\n", stream);
  function(data);
  return 0;
}
hipError_t hipEventCreateWithFlags(uintptr_t *event, unsigned flags) {
  note("event flags %u\n", flags);
  *event = 0xe000;
  return 0;
}
#endif
hipError_t hipEventDestroy(uintptr_t event) { (void)event; return 0; }
hipError_t hipEventRecord(uintptr_t event, uintptr_t stream) { (void)event; (void)stream; return 0; }
hipError_t hipEventQuery(uintptr_t event) { (void)event; return done(600); }
hipError_t hipEventSynchronize(uintptr_t event) { (void)event; return done(4711); }

hipError_t hipMalloc(void **memory, size_t bytes) {
  if (bytes > 1 << 20) return done(2);
  *memory = calloc(1, bytes);
  return 0;
}
hipError_t hipFree(void *memory) { free(memory); return 0; }
hipError_t hipHostMalloc(void **memory, size_t bytes, unsigned flags) {
  note("host %zu flags %u\n", bytes, flags);
  *memory = calloc(1, bytes);
  return 0;
}
hipError_t hipHostFree(void *memory) { free(memory); return 0; }
hipError_t hipHostGetDevicePointer(void **device, void *host, unsigned flags) {
  *device = host;
  return flags;
}
hipError_t hipMemcpy(void *dst, const void *src, size_t bytes, int kind) {
  note("memcpy %zu kind %d\n", bytes, kind);
  memcpy(dst, src, bytes);
  return 0;
}
hipError_t hipMemcpyAsync(void *dst, const void *src, size_t bytes, int kind, uintptr_t stream) {
  note("memcpy %zu kind %d stream %lx\n", bytes, kind, stream);
  memcpy(dst, src, bytes);
  return 0;
}
#ifdef OLD
hipError_t hipMemsetAsync(void *dst, int value, size_t bytes, uintptr_t stream) {
  note("memset %d x %zu stream %lx\n", value, bytes, stream);
  return 0;
}
#else
hipError_t hipMemsetD8Async(void *dst, unsigned char value, size_t count, uintptr_t stream) {
  note("memset d8 %d x %zu stream %lx\n", value, count, stream);
  return 0;
}
#endif
hipError_t hipMemsetD16Async(void *dst, unsigned short value, size_t count, uintptr_t stream) {
  note("memset d16 %d x %zu stream %lx\n", value, count, stream);
  return 0;
}
hipError_t hipMemsetD32Async(void *dst, int value, size_t count, uintptr_t stream) {
  note("memset d32 %d x %zu stream %lx\n", value, count, stream);
  return 0;
}

struct pool_properties { int type, handles, location, id; void *security; char reserved[64]; };
hipError_t hipMemPoolCreate(uintptr_t *pool, const struct pool_properties *properties) {
  int rest = 0;
  for (size_t i = 0; i < sizeof(properties->reserved); ++i) rest |= properties->reserved[i];
  note("pool type %d handles %d location %d %d rest %d\n", properties->type, properties->handles,
       properties->location, properties->id, rest);
  *pool = 0x9000;
  return 0;
}
hipError_t hipMemPoolSetAttribute(uintptr_t pool, int attribute, const uint64_t *value) {
  note("pool %lx attribute %d = %lu\n", pool, attribute, *value);
  return 0;
}
hipError_t hipMemPoolDestroy(uintptr_t pool) { note("destroy pool %lx\n", pool); return 0; }

#ifdef OLD
hipError_t hipModuleLoadData(uintptr_t *module, const void *image) {
#else
hipError_t hipModuleLoadDataEx(uintptr_t *module, const void *image, unsigned count, int *options,
                               void **values) {
  if (count == 2 && options[0] == 5 && options[1] == 6) {
    snprintf(values[0], (size_t)values[1], "log of %zu bytes", (size_t)values[1]);
  }
#endif
  if (!strcmp(image, "bad")) return done(200);
  loaded_image = image;
  *module = 0x3000;
  return 0;
}
hipError_t hipModuleUnload(uintptr_t module) { note("unload %lx\n", module); return 0; }
hipError_t hipModuleGetFunction(uintptr_t *function, uintptr_t module, const char *name) {
  note("function %s of %lx\n", name, module);
  *function = 0xf000;
  return done(strcmp(name, "missing") ? 0 : 500);
}
static void note_extra(void **extra) {
  const unsigned char *bytes = extra[1];
  if (extra[0] != (void *)1 || extra[2] != (void *)2 || extra[4] != (void *)3) {
    note("bad extra\n");
    return;
  }
  for (size_t i = 0; i < *(size_t *)extra[3]; ++i) note(" %02x", bytes[i]);
  note("\n");
}
hipError_t hipModuleLaunchKernel(uintptr_t function, unsigned gx, unsigned gy, unsigned gz,
                                 unsigned bx, unsigned by, unsigned bz, unsigned shared,
                                 uintptr_t stream, void **params, void **extra) {
  note("launch %lx grid %u %u %u block %u %u %u lds %u stream %lx params %p:", function, gx, gy, gz,
       bx, by, bz, shared, stream, (void *)params);
  note_extra(extra);
  return 0;
}

hipError_t hipGraphCreate(uintptr_t *graph, unsigned flags) { *graph = 0x6000; return flags; }
hipError_t hipGraphDestroy(uintptr_t graph) { note("destroy graph %lx\n", graph); return 0; }
struct kernel_params {
  dim3 block; void **extra; void *function; dim3 grid; void **params; unsigned shared;
};
hipError_t hipGraphAddKernelNode(uintptr_t *node, uintptr_t graph, const uintptr_t *after,
                                 size_t count, const struct kernel_params *kernel) {
  note("graph %lx after %zu: kernel %p grid %u block %u lds %u:", graph, count, kernel->function,
       kernel->grid.x, kernel->block.x, kernel->shared);
  note_extra(kernel->extra);
  *node = 0x7000;
  return 0;
}
hipError_t hipGraphExecKernelNodeSetParams(uintptr_t exec, uintptr_t node,
                                           const struct kernel_params *kernel) {
  note("exec %lx node %lx: kernel %p:", exec, node, kernel->function);
  note_extra(kernel->extra);
  return 0;
}
struct memset_params { void *dst; unsigned element; size_t height, pitch; unsigned value; size_t width; };
hipError_t hipGraphAddMemsetNode(uintptr_t *node, uintptr_t graph, const uintptr_t *after,
                                 size_t count, const struct memset_params *fill) {
  note("graph %lx after %zu: fill %p %u x %zu x %zu pitch %zu value %x\n", graph, count, fill->dst,
       fill->element, fill->width, fill->height, fill->pitch, fill->value);
  *node = 0x7001;
  return 0;
}
#ifdef OLD
hipError_t hipGraphAddMemcpyNode1D(uintptr_t *node, uintptr_t graph, const uintptr_t *after,
                                   size_t count, void *dst, const void *src, size_t bytes, int kind) {
  note("graph %lx after %zu: copy %p %p %zu kind %d\n", graph, count, dst, src, bytes, kind);
  *node = 0x7002;
  return 0;
}
hipError_t hipGraphExecMemcpyNodeSetParams1D(uintptr_t exec, uintptr_t node, void *dst,
                                             const void *src, size_t bytes, int kind) {
  note("exec %lx node %lx: copy %p %p %zu kind %d\n", exec, node, dst, src, bytes, kind);
  return 0;
}
#else
struct side {
  size_t x, y, z, level; unsigned type; const void *host; void *device, *array; size_t pitch, height;
};
struct copy { struct side src, dst; size_t width, height, depth; };
static void note_copy(const struct copy *copy, uintptr_t context) {
  note("copy type %u %p %p <- type %u %p %p: %zu x %zu x %zu context %lx\n", copy->dst.type,
       copy->dst.host, copy->dst.device, copy->src.type, copy->src.host, copy->src.device,
       copy->width, copy->height, copy->depth, context);
}
hipError_t hipDrvGraphAddMemcpyNode(uintptr_t *node, uintptr_t graph, const uintptr_t *after,
                                    size_t count, const struct copy *copy, uintptr_t context) {
  note("graph %lx after %zu: ", graph, count);
  note_copy(copy, context);
  *node = 0x7002;
  return 0;
}
hipError_t hipDrvGraphExecMemcpyNodeSetParams(uintptr_t exec, uintptr_t node,
                                              const struct copy *copy, uintptr_t context) {
  note("exec %lx node %lx: ", exec, node);
  note_copy(copy, context);
  return 0;
}
#endif
hipError_t hipGraphInstantiate(uintptr_t *exec, uintptr_t graph, uintptr_t *node, char *log,
                               size_t bytes) {
  (void)graph; (void)node; (void)log; (void)bytes;
  *exec = 0x8000;
  return 0;
}
hipError_t hipGraphExecDestroy(uintptr_t exec) { note("destroy exec %lx\n", exec); return 0; }
hipError_t hipGraphLaunch(uintptr_t exec, uintptr_t stream) {
  note("launch graph %lx stream %lx\n", exec, stream);
  return 0;
}
