// A CUDA driver that does nothing but write down what it was asked, for tests
// of the loading and calling side. -DOLD leaves out what drivers of 2020 lack,
// -DNO_DEVICE has no GPU, -DNO_LINKER cannot compile apart from loading,
// -DNO_CALLBACK lacks what a later driver might drop.
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int CUresult;

static char log_text[1 << 16];
static size_t log_length;
static _Thread_local uintptr_t current_context;
static int peer_enabled;

static void note(const char *format, ...) {
  va_list list;
  va_start(list, format);
  log_length += vsnprintf(log_text + log_length, sizeof(log_text) - log_length, format, list);
  va_end(list);
}

const char *fake_log(void) { return log_text; }
uintptr_t fake_context(void) { return current_context; }

#ifdef NO_DEVICE
CUresult cuInit(unsigned flags) { (void)flags; return 100; }
CUresult cuDeviceGetCount(int *count) { (void)count; return 3; }
#else
CUresult cuInit(unsigned flags) { return flags; }
CUresult cuDeviceGetCount(int *count) { *count = 2; return 0; }
#endif
CUresult cuDriverGetVersion(int *version) { *version = 12040; return 0; }
CUresult cuGetErrorName(CUresult error, const char **text) {
  if (error == 4711) *text = "CUDA_ERROR_COLOGNE";
  return error == 4711 ? 0 : 1;
}
CUresult cuGetErrorString(CUresult error, const char **text) {
  if (error == 4711) *text = "perfumed";
  return error == 4711 ? 0 : 1;
}
CUresult cuDeviceGet(int *device, int ordinal) { *device = ordinal; return 0; }
CUresult cuDeviceGetName(char *name, int bytes, int device) {
  snprintf(name, bytes, "Fake %d", device);
  return 0;
}
CUresult cuDeviceGetUuid(char *uuid, int device) { memset(uuid, 0x10 + device, 16); return 0; }
#ifndef OLD
CUresult cuDeviceGetUuid_v2(char *uuid, int device) { memset(uuid, 0xa0 + device, 16); return 0; }
#endif
CUresult cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = 5000000000ul + device; return 0; }
CUresult cuDeviceGetAttribute(int *value, int attribute, int device) {
  *value = attribute == 75 ? 9 : attribute == 76 ? device : 1000 * device + attribute;
  return 0;
}
CUresult cuDevicePrimaryCtxRetain(uintptr_t *context, int device) {
  note("retain %d\n", device);
  *context = 0xc0 + device;
  return 0;
}
CUresult cuDevicePrimaryCtxRelease_v2(int device) { note("release %d\n", device); return 0; }
CUresult cuCtxGetCurrent(uintptr_t *context) { *context = current_context; return 0; }
CUresult cuCtxSetCurrent(uintptr_t context) {
  note("context %lx\n", context);
  current_context = context;
  return 0;
}
CUresult cuCtxGetDevice(int *device) {
  *device = current_context - 0xc0;
  return current_context ? 0 : 201;
}
CUresult cuDeviceCanAccessPeer(int *can, int device, int peer) { *can = device != peer; return 0; }
CUresult cuCtxEnablePeerAccess(uintptr_t peer, unsigned flags) {
  note("peer %lx from %lx flags %u\n", peer, current_context, flags);
  return peer_enabled++ ? 704 : 0;
}

CUresult cuStreamCreate(uintptr_t *stream, unsigned flags) {
  note("stream flags %u in %lx\n", flags, current_context);
  *stream = 0x5000;
  return 0;
}
CUresult cuStreamDestroy_v2(uintptr_t stream) { note("destroy stream %lx\n", stream); return 0; }
CUresult cuStreamSynchronize(uintptr_t stream) { return stream == 0x5000 ? 0 : 400; }
CUresult cuStreamQuery(uintptr_t stream) { (void)stream; return 600; }
CUresult cuStreamWaitEvent(uintptr_t stream, uintptr_t event, unsigned flags) {
  note("wait %lx %lx %u\n", stream, event, flags);
  return 0;
}
#ifdef NO_CALLBACK
CUresult cuLaunchHostFunc(uintptr_t stream, void (*function)(void *), void *data) {
  note("host function %lx\n", stream);
  function(data);
  return 0;
}
#else
CUresult cuStreamAddCallback(uintptr_t stream, void (*callback)(uintptr_t, CUresult, void *),
                             void *data, unsigned flags) {
  note("callback %lx flags %u\n", stream, flags);
  callback(stream, 0, data);
  return 0;
}
#endif
CUresult cuEventCreate(uintptr_t *event, unsigned flags) {
  note("event flags %u\n", flags);
  *event = 0xe000;
  return 0;
}
CUresult cuEventDestroy_v2(uintptr_t event) { (void)event; return 0; }
CUresult cuEventRecord(uintptr_t event, uintptr_t stream) { (void)event; (void)stream; return 716; }
CUresult cuEventQuery(uintptr_t event) { (void)event; return 600; }
CUresult cuEventSynchronize(uintptr_t event) { (void)event; return 4711; }

// The plain names are for 32-bit addresses: whoever calls them gets nothing.
CUresult cuMemAlloc(unsigned *memory, unsigned bytes) { (void)memory; (void)bytes; abort(); }
CUresult cuMemFree(unsigned memory) { (void)memory; abort(); }
CUresult cuMemAlloc_v2(void **memory, size_t bytes) {
  if (bytes > 1 << 20) return 2;
  *memory = calloc(1, bytes);
  return 0;
}
CUresult cuMemFree_v2(void *memory) { free(memory); return 0; }
CUresult cuMemHostAlloc(void **memory, size_t bytes, unsigned flags) {
  note("host %zu flags %u\n", bytes, flags);
  *memory = calloc(1, bytes);
  return 0;
}
CUresult cuMemFreeHost(void *memory) { free(memory); return 0; }
CUresult cuMemHostGetDevicePointer_v2(void **device, void *host, unsigned flags) {
  *device = host;
  return flags;
}
CUresult cuMemcpyHtoD_v2(void *dst, const void *src, size_t bytes) {
  note("to device %zu\n", bytes);
  memcpy(dst, src, bytes);
  return 0;
}
CUresult cuMemcpyDtoH_v2(void *dst, const void *src, size_t bytes) {
  note("to host %zu\n", bytes);
  memcpy(dst, src, bytes);
  return 0;
}
CUresult cuMemcpyAsync(void *dst, const void *src, size_t bytes, uintptr_t stream) {
  note("memcpy %p %p %zu stream %lx\n", dst, src, bytes, stream);
  return 0;
}
CUresult cuMemsetD8Async(void *dst, unsigned char value, size_t count, uintptr_t stream) {
  (void)dst;
  note("memset d8 %d x %zu stream %lx\n", value, count, stream);
  return 0;
}
CUresult cuMemsetD16Async(void *dst, unsigned short value, size_t count, uintptr_t stream) {
  (void)dst;
  note("memset d16 %d x %zu stream %lx\n", value, count, stream);
  return 0;
}
CUresult cuMemsetD32Async(void *dst, unsigned value, size_t count, uintptr_t stream) {
  (void)dst;
  note("memset d32 %u x %zu stream %lx\n", value, count, stream);
  return 0;
}

struct pool_properties {
  int type, handles, location, id; void *security; size_t max; unsigned short usage; char reserved[54];
};
CUresult cuMemPoolCreate(uintptr_t *pool, const struct pool_properties *properties) {
  int rest = properties->usage;
  for (size_t i = 0; i < sizeof(properties->reserved); ++i) rest |= properties->reserved[i];
  note("pool type %d handles %d location %d %d max %zu rest %d\n", properties->type,
       properties->handles, properties->location, properties->id, properties->max, rest);
  *pool = 0x9000;
  return 0;
}
CUresult cuMemPoolSetAttribute(uintptr_t pool, int attribute, const uint64_t *value) {
  note("pool %lx attribute %d = %lu\n", pool, attribute, *value);
  return 0;
}
CUresult cuMemPoolDestroy(uintptr_t pool) { note("destroy pool %lx\n", pool); return 0; }

// Machine code of this machine is "code for " and the PTX, whose compiler
// takes offence at "bad".
static CUresult complain(unsigned count, const int *options, void **values, const char *text) {
  if (count != 2 || options[0] != 5 || options[1] != 6) return 1;
  snprintf(values[0], (size_t)values[1], "%s, log of %zu bytes", text, (size_t)values[1]);
  return 218;
}
CUresult cuModuleLoadDataEx(uintptr_t *module, const char *image, unsigned count, int *options,
                            void **values) {
  if ((uintptr_t)image % 8) return 1;
  if (strstr(image, "damaged")) return 200;
  if (strstr(image, "bad")) return complain(count, options, values, "line 1: bad");
  note("load \"%.8s\" of %zu\n", image, strlen(image));
  *module = 0x3000;
  return 0;
}
#ifndef NO_LINKER
static struct { int count, *options; void **values; int option[2]; void *value[2]; char code[1 << 14]; } linker;
CUresult cuLinkCreate_v2(unsigned count, int *options, void **values, uintptr_t *state) {
  linker.count = count;
  memcpy(linker.option, options, sizeof(linker.option));
  memcpy(linker.value, values, sizeof(linker.value));
  *state = 0x1000;
  return 0;
}
CUresult cuLinkAddData_v2(uintptr_t state, int type, const char *data, size_t bytes, const char *name,
                          unsigned count, int *options, void **values) {
  note("compile %lx type %d: %zu bytes\n", state, type, bytes);
  if (data[bytes - 1] || count) return 1;
  if (strstr(data, "bad")) return complain(linker.count, linker.option, linker.value, "line 1: bad");
  snprintf(linker.code, sizeof(linker.code), "code for %s", data);
  return 0;
}
CUresult cuLinkComplete(uintptr_t state, const char **code, size_t *bytes) {
  (void)state;
  *code = linker.code;
  *bytes = strlen(linker.code) + 1;
  return 0;
}
CUresult cuLinkDestroy(uintptr_t state) { note("compiled %lx\n", state); return 0; }
#endif
CUresult cuModuleUnload(uintptr_t module) { note("unload %lx\n", module); return 0; }
CUresult cuModuleGetFunction(uintptr_t *function, uintptr_t module, const char *name) {
  note("function %s of %lx\n", name, module);
  *function = 0xf000;
  return strcmp(name, "missing") ? 0 : 500;
}
CUresult cuFuncGetAttribute(int *value, int attribute, uintptr_t function) {
  (void)function;
  *value = 100 + attribute;
  return 0;
}
CUresult cuFuncSetAttribute(uintptr_t function, int attribute, int value) {
  note("function %lx attribute %d = %d\n", function, attribute, value);
  return 0;
}
#ifndef OLD
// An address and a word.
CUresult cuFuncGetParamInfo(uintptr_t function, size_t index, size_t *offset, size_t *bytes) {
  if (function != 0xf000 || index > 1) return 1;
  *offset = 8 * index;
  *bytes = index ? 4 : 8;
  return 0;
}
#endif
static void note_extra(void **extra) {
  const unsigned char *bytes = extra[1];
  if (extra[0] != (void *)1 || extra[2] != (void *)2 || extra[4] != NULL) {
    note("bad extra\n");
    return;
  }
  for (size_t i = 0; i < *(size_t *)extra[3]; ++i) note(" %02x", bytes[i]);
  note("\n");
}
CUresult cuLaunchKernel(uintptr_t function, unsigned gx, unsigned gy, unsigned gz, unsigned bx,
                        unsigned by, unsigned bz, unsigned shared, uintptr_t stream, void **params,
                        void **extra) {
  note("launch %lx grid %u %u %u block %u %u %u shared %u stream %lx params %p:", function, gx, gy,
       gz, bx, by, bz, shared, stream, (void *)params);
  note_extra(extra);
  return 0;
}

CUresult cuGraphCreate(uintptr_t *graph, unsigned flags) { *graph = 0x6000; return flags; }
CUresult cuGraphDestroy(uintptr_t graph) { note("destroy graph %lx\n", graph); return 0; }
struct kernel_params {
  void *function; unsigned gx, gy, gz, bx, by, bz, shared; void **params, **extra;
};
CUresult cuGraphAddKernelNode(uintptr_t *node, uintptr_t graph, const uintptr_t *after, size_t count,
                              const struct kernel_params *kernel) {
  (void)after;
  note("graph %lx after %zu: kernel %p grid %u %u %u block %u %u %u shared %u params %p:", graph,
       count, kernel->function, kernel->gx, kernel->gy, kernel->gz, kernel->bx, kernel->by,
       kernel->bz, kernel->shared, (void *)kernel->params);
  note_extra(kernel->extra);
  *node = 0x7000;
  return 0;
}
CUresult cuGraphExecKernelNodeSetParams(uintptr_t exec, uintptr_t node,
                                        const struct kernel_params *kernel) {
  note("exec %lx node %lx: kernel %p:", exec, node, kernel->function);
  note_extra(kernel->extra);
  return 0;
}
struct memset_params { void *dst; size_t pitch; unsigned value, element; size_t width, height; };
static void note_fill(const struct memset_params *fill, uintptr_t context) {
  note("fill %p %u x %zu x %zu pitch %zu value %x context %lx\n", fill->dst, fill->element,
       fill->width, fill->height, fill->pitch, fill->value, context);
}
CUresult cuGraphAddMemsetNode(uintptr_t *node, uintptr_t graph, const uintptr_t *after, size_t count,
                              const struct memset_params *fill, uintptr_t context) {
  (void)after;
  note("graph %lx after %zu: ", graph, count);
  note_fill(fill, context);
  *node = 0x7001;
  return 0;
}
CUresult cuGraphExecMemsetNodeSetParams(uintptr_t exec, uintptr_t node,
                                        const struct memset_params *fill, uintptr_t context) {
  note("exec %lx node %lx: ", exec, node);
  note_fill(fill, context);
  return 0;
}
struct side {
  size_t x, y, z, level; unsigned type; const void *host; void *device, *array, *reserved;
  size_t pitch, height;
};
struct copy { struct side src, dst; size_t width, height, depth; };
static void note_copy(const struct copy *copy, uintptr_t context) {
  note("copy type %u %p %p <- type %u %p %p: %zu x %zu x %zu context %lx\n", copy->dst.type,
       copy->dst.host, copy->dst.device, copy->src.type, copy->src.host, copy->src.device,
       copy->width, copy->height, copy->depth, context);
}
CUresult cuGraphAddMemcpyNode(uintptr_t *node, uintptr_t graph, const uintptr_t *after, size_t count,
                              const struct copy *copy, uintptr_t context) {
  (void)after;
  note("graph %lx after %zu: ", graph, count);
  note_copy(copy, context);
  *node = 0x7002;
  return 0;
}
CUresult cuGraphExecMemcpyNodeSetParams(uintptr_t exec, uintptr_t node, const struct copy *copy,
                                        uintptr_t context) {
  note("exec %lx node %lx: ", exec, node);
  note_copy(copy, context);
  return 0;
}
#ifdef OLD
CUresult cuGraphInstantiate_v2(uintptr_t *exec, uintptr_t graph, uintptr_t *node, char *log,
                               size_t bytes) {
  (void)graph; (void)node;
  snprintf(log, bytes, "fine");
  *exec = 0x8001;
  return 0;
}
#else
CUresult cuGraphInstantiateWithFlags(uintptr_t *exec, uintptr_t graph, unsigned long long flags) {
  (void)graph;
  *exec = 0x8000;
  return flags != 0;
}
#endif
CUresult cuGraphExecDestroy(uintptr_t exec) { note("destroy exec %lx\n", exec); return 0; }
CUresult cuGraphLaunch(uintptr_t exec, uintptr_t stream) {
  note("launch graph %lx stream %lx\n", exec, stream);
  return 0;
}
