// A program that the host and the GPU must run alike: each thread makes 64
// words from 4. Compiled as C for the host, as HIP for the GPU.

typedef unsigned u32;
typedef int i32;
typedef unsigned long long u64;
typedef long long i64;
typedef short s16x2 __attribute__((ext_vector_type(2)));
typedef unsigned short u16x2 __attribute__((ext_vector_type(2)));
typedef _Float16 f16x2 __attribute__((ext_vector_type(2)));

#ifdef __AMDGCN__
#define HERE __attribute__((device))
#else
#define HERE
#include <stdio.h>
#endif

union word {
  u32 u;
  float f;
  s16x2 s16;
  u16x2 u16;
  f16x2 f16;
};
union pair {
  u64 u;
  i64 i;
  double d;
};

static HERE float as_f32(u32 bits) {
  union word w;
  w.u = bits;
  return w.f;
}

// Which NaN an operation makes is nobody's promise.
static HERE u32 of_f32(float x) {
  union word w;
  w.f = x;
  return x != x ? 0x7fc00000u : w.u;
}

static HERE u64 of_f64(double x) {
  union pair p;
  p.d = x;
  return x != x ? 0x7ff8000000000000ull : p.u;
}

static HERE u32 of_f16(f16x2 x) {
  union word w;
  w.f16 = x;
  if (x.x != x.x)
    w.u16.x = 0x7e00;
  if (x.y != x.y)
    w.u16.y = 0x7e00;
  return w.u;
}

static HERE u32 *both(u32 *out, u64 value) {
  *out++ = (u32)value;
  *out++ = (u32)(value >> 32);
  return out;
}

static HERE __attribute__((noinline)) u32 again(u32 n, u32 x) {
  return n == 0 ? x : again(n - 1, x * 1664525u + 1013904223u) ^ n;
}

static HERE __attribute__((noinline)) u32 add(u32 a, u32 b) { return a + b; }
static HERE __attribute__((noinline)) u32 multiply(u32 a, u32 b) { return a * b; }
static HERE __attribute__((noinline)) u32 mix(u32 a, u32 b) { return a ^ b << 3; }
static HERE __attribute__((noinline)) u32 apart(u32 a, u32 b) { return a > b ? a - b : b - a; }

static HERE u32 *singles(u32 *out, float x, float y, float z, u32 a, u32 b) {
  *out++ = of_f32(x + y);
  *out++ = of_f32(x - z);
  *out++ = of_f32(x * y);
  *out++ = of_f32(x / y);
  *out++ = of_f32(__builtin_sqrtf(__builtin_fabsf(x)));
  *out++ = of_f32(__builtin_fmaf(x, y, z));
  *out++ = (x < y) | (x >= z) << 1 | (x != y) << 2 | (x != x) << 3;
  *out++ = __builtin_fabsf(y) < 2e9f ? (u32)(i32)y : 0;
  *out++ = of_f32((float)(i32)a);
  *out++ = of_f32((float)b);
  return out;
}

static HERE u32 *doubles(u32 *out, u64 p, u64 q) {
  union pair x, y;
  x.u = p;
  y.u = q;
  out = both(out, of_f64(x.d + y.d));
  out = both(out, of_f64(x.d * y.d));
  out = both(out, of_f64(x.d / y.d));
  out = both(out, of_f64((double)(i64)p));
  *out++ = of_f32((float)x.d);
  *out++ = (x.d < y.d) | (x.d >= y.d) << 1;
  return out;
}

static HERE u32 *wholes(u32 *out, u32 a, u32 b, u32 c, u32 d, u64 p, u64 q) {
  *out++ = a / (b | 1);
  *out++ = a % (c | 1);
  *out++ = (u32)((i32)(a >> 1) / (i32)(d | 1));
  *out++ = (u32)((i32)(b >> 1) % (i32)(c | 1));
  out = both(out, p / (q | 1));
  out = both(out, p % (q >> 20 | 1));
  out = both(out, (u64)((i64)(p >> 1) / (i64)(q >> 33 | 1)));
  out = both(out, p * q);
  out = both(out, p << (d & 63));
  out = both(out, (u64)((i64)p >> (c & 63)));
  *out++ = __builtin_popcount(a);
  *out++ = a ? __builtin_clz(a) : 32;
  *out++ = b ? __builtin_ctz(b) : 32;
  return out;
}

static HERE u32 *halves(u32 *out, u32 a, u32 b, u32 c) {
  union word x, y, z, w;
  x.u = a;
  y.u = b;
  z.u = c;
  w.s16 = x.s16 + y.s16 * z.s16;
  *out++ = w.u;
  w.u16 = (x.u16 - y.u16) >> (z.u16 & (u16x2)15);
  *out++ = w.u;
  w.s16 = __builtin_elementwise_max(x.s16, __builtin_elementwise_min(y.s16, z.s16));
  *out++ = w.u;
  *out++ = of_f16(x.f16 + y.f16);
  *out++ = of_f16(x.f16 * z.f16);
  *out++ = of_f16(x.f16 / y.f16);
  *out++ = of_f32((float)x.f16.y);
  return out;
}

static HERE u32 *memory(u32 *out, u32 a, u32 b, u32 c, u32 d, u64 p) {
  u32 table[16], sum = 0;
  for (int i = 0; i < 16; i++)
    table[i] = a * i + b;
  table[c & 15] ^= d;
  for (int i = 0; i < 16; i++)
    sum = sum * 31 + table[(i + d) & 15];
  *out++ = sum;
  unsigned char bytes[8];
  __builtin_memcpy(bytes, &p, 8);
  *out++ = bytes[c & 7] | bytes[d & 7] << 8;
  *out++ = again(a & 7, b);
  u32 (*functions[4])(u32, u32) = {add, multiply, mix, apart};
  *out++ = functions[d & 3](a, b);
  switch (a % 7) {
  case 0:
    *out++ = 1;
    break;
  case 1:
    *out++ = b;
    break;
  case 2:
    *out++ = c + 1;
    break;
  default:
    *out++ = a * 3;
  }
  return out;
}

static HERE void thread(const u32 *in, u32 *out) {
  u32 a = in[0], b = in[1], c = in[2], d = in[3];
  u64 p = (u64)a << 32 | b, q = (u64)c << 32 | d;
  out = singles(out, as_f32(a), as_f32(b), as_f32(c), a, b);
  out = doubles(out, p, q);
  out = wholes(out, a, b, c, d, p, q);
  out = halves(out, a, b, c);
  out = memory(out, a, b, c, d, p);
}

#ifdef __AMDGCN__
extern "C" __attribute__((global, amdgpu_flat_work_group_size(1, 64))) void
program(const u32 *in, u32 *out) {
  u32 i = __builtin_amdgcn_workgroup_id_x() * 64 + __builtin_amdgcn_workitem_id_x();
  thread(in + 4 * i, out + 64 * i);
}
#else
int main(void) {
  u32 in[4];
  while (fread(in, 4, 4, stdin) == 4) {
    u32 out[64] = {0};
    thread(in, out);
    fwrite(out, 4, 64, stdout);
  }
  return 0;
}
#endif
