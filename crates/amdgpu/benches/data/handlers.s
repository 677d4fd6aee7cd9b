// A loop with room for instructions, which the benchmark fills in.
//
// Arguments: a buffer with the first registers, 256 bytes each (u64), the number
// of rounds (u32, and 4 bytes of nothing), and EXEC (u64). Assembled four times:
//   llvm-mc -triple=amdgcn-amd-amdhsa -mcpu=gfx1100 --defsym GFX=11 -filetype=obj handlers.s -o handlers.o
//   ld.lld -shared -s --no-rosegment -z norelro handlers.o -o handlers_gfx1100.hsaco
// and so for gfx1201 (GFX=12), gfx942 and gfx950 (GFX=9).
.amdhsa_code_object_version 5

.text
.globl handler
.protected handler
.p2align 8
.type handler,@function
handler:
.if GFX == 9
  s_load_dwordx2 s[2:3], s[0:1], 0x0
  s_load_dword s4, s[0:1], 0x8
  s_load_dwordx2 s[6:7], s[0:1], 0x10
  s_waitcnt lgkmcnt(0)
  v_lshlrev_b32_e32 v255, 2, v0
.else
  s_load_b64 s[2:3], s[0:1], 0x0
  s_load_b32 s4, s[0:1], 0x8
  s_load_b64 s[6:7], s[0:1], 0x10
.if GFX == 12
  s_wait_kmcnt 0
.else
  s_waitcnt lgkmcnt(0)
.endif
  v_lshlrev_b32_e32 v255, 2, v0
.endif

.set i, 0
.rept 128
.if GFX == 9
  global_load_dword v[i], v255, s[2:3]
.else
  global_load_b32 v[i], v255, s[2:3]
.endif
  s_add_u32 s2, s2, 256
  s_addc_u32 s3, s3, 0
.set i, i+1
.endr
.if GFX == 12
  s_wait_loadcnt 0
.else
  s_waitcnt vmcnt(0)
.endif

  // What instructions read beside vectors: lane selects in s20, masks in s[22:23]
  // and VCC, floats in s[24:25].
  s_mov_b32 m0, 0
  s_mov_b32 s20, 5
  s_mov_b32 s21, 5
  s_mov_b32 s22, 0x0ff0a5c3
  s_mov_b32 s23, 0x35af00ff
  s_mov_b32 s24, 0x3fc00000
  s_mov_b32 s25, 0x40133333
  s_mov_b32 vcc_lo, 0
  s_mov_b32 vcc_hi, 0
  s_mov_b64 exec, s[6:7]
  s_mov_b32 s5, 0
.Lloop:
.rept 100
  s_nop 0
.endr
  s_add_i32 s5, s5, 1
  s_cmp_lt_u32 s5, s4
  s_cbranch_scc1 .Lloop
  s_endpgm
.Lend:
.size handler, .Lend-handler

.section .rodata,"a"
.p2align 6
.if GFX == 9
.amdhsa_kernel handler
  .amdhsa_user_sgpr_kernarg_segment_ptr 1
  .amdhsa_user_sgpr_count 2
  .amdhsa_kernarg_size 24
  .amdhsa_group_segment_fixed_size 32768
  .amdhsa_next_free_sgpr 64
  .amdhsa_float_denorm_mode_32 3
  .amdhsa_accum_offset 256
  .amdhsa_next_free_vgpr 512
.end_amdhsa_kernel

.amdgpu_metadata
---
amdhsa.version: [ 1, 2 ]
amdhsa.kernels:
  - .name: handler
    .symbol: handler.kd
    .kernarg_segment_size: 24
    .kernarg_segment_align: 8
    .group_segment_fixed_size: 32768
    .private_segment_fixed_size: 0
    .wavefront_size: 64
    .sgpr_count: 64
    .vgpr_count: 512
    .max_flat_workgroup_size: 64
...
.end_amdgpu_metadata
.else
.amdhsa_kernel handler
  .amdhsa_user_sgpr_kernarg_segment_ptr 1
  .amdhsa_user_sgpr_count 2
  .amdhsa_kernarg_size 24
  .amdhsa_group_segment_fixed_size 32768
  .amdhsa_next_free_sgpr 64
  .amdhsa_float_denorm_mode_32 3
  .amdhsa_wavefront_size32 1
  .amdhsa_next_free_vgpr 256
.end_amdhsa_kernel

.amdgpu_metadata
---
amdhsa.version: [ 1, 2 ]
amdhsa.kernels:
  - .name: handler
    .symbol: handler.kd
    .kernarg_segment_size: 24
    .kernarg_segment_align: 8
    .group_segment_fixed_size: 32768
    .private_segment_fixed_size: 0
    .wavefront_size: 32
    .sgpr_count: 64
    .vgpr_count: 256
    .max_flat_workgroup_size: 64
...
.end_amdgpu_metadata
.endif
