// Loops over one instruction (or a mix) for the benchmark, and an empty kernel.
//
// Arguments of the loops: a buffer of 1 MiB (u64) and the number of rounds (u32).
// Assembled by: llvm-mc -triple=amdgcn-amd-amdhsa -mcpu=gfx1100 -filetype=obj micro.s -o micro.o
//               ld.lld -shared micro.o -o micro.hsaco
.amdgcn_target "amdgcn-amd-amdhsa--gfx1100"
.amdhsa_code_object_version 5

.macro kernel name, lds=0
  .section .rodata,"a"
  .p2align 6
  .amdhsa_kernel \name
    .amdhsa_user_sgpr_kernarg_segment_ptr 1
    .amdhsa_user_sgpr_count 2
    .amdhsa_kernarg_size 16
    .amdhsa_group_segment_fixed_size \lds
    .amdhsa_next_free_vgpr 200
    .amdhsa_next_free_sgpr 32
  .end_amdhsa_kernel
.endm

// v250-ish registers of the text: v190 = 4 * lane, v191 = 16 * lane,
// v192 = 2048 * lane, v193 = 0; s[8:11] describes the buffer.
.macro begin name
  .text
  .globl \name
  .protected \name
  .p2align 8
  .type \name,@function
\name:
  s_load_b64 s[8:9], s[0:1], 0x0
  s_load_b32 s4, s[0:1], 0x8
  s_mov_b32 s10, 0x100000
  s_mov_b32 s11, 0x31027000
  v_lshlrev_b32_e32 v190, 2, v0
  v_lshlrev_b32_e32 v191, 4, v0
  v_lshlrev_b32_e32 v192, 11, v0
  v_mov_b32_e32 v193, 0
  s_waitcnt lgkmcnt(0)
  s_mov_b32 s5, 0
.Lloop_\name:
.endm

.macro end name, lds=0
  s_add_i32 s5, s5, 1
  s_cmp_lt_u32 s5, s4
  s_cbranch_scc1 .Lloop_\name
  s_endpgm
.Lend_\name:
  .size \name, .Lend_\name-\name
  kernel \name, \lds
.endm

.text
.globl empty
.protected empty
.p2align 8
.type empty,@function
empty:
  s_endpgm
.Lend_empty:
.size empty, .Lend_empty-empty
kernel empty

begin salu
.rept 32
  s_add_i32 s20, s21, 3
  s_add_i32 s22, s23, s5
  s_lshl_b32 s24, s20, 1
  s_and_b32 s25, s22, s24
.endr
end salu

begin add_f32
.set i, 0
.rept 128
  v_add_f32_e32 v[i%32], v[64+i%16], v[96+i%24]
.set i, i+1
.endr
end add_f32

begin fmac_f32
.set i, 0
.rept 128
  v_fmac_f32_e32 v[i%32], v[64+i%16], v[96+i%24]
.set i, i+1
.endr
end fmac_f32

begin fma_sgpr
.set i, 0
.rept 128
  v_fma_f32 v[i%32], v[64+i%16], s20, v[96+i%24]
.set i, i+1
.endr
end fma_sgpr

begin fma_partial
  s_mov_b32 exec_lo, 0x0fffff7f
.set i, 0
.rept 128
  v_fma_f32 v[i%32], v[64+i%16], v[96+i%24], v[128+i%24]
.set i, i+1
.endr
end fma_partial

begin mix
.set i, 0
.rept 16
  v_add_nc_u32_e32 v[i%32], v[64+i%16], v[96+i%24]
  v_mul_f32_e32 v[(i+5)%32], v[65+i%16], v[97+i%24]
  v_lshl_or_b32 v[(i+9)%32], v[66+i%16], 4, v[98+i%24]
  v_mov_b32_e32 v[(i+3)%32], v[67+i%16]
  v_fmac_f32_e32 v[(i+11)%32], v[68+i%16], v[99+i%24]
  v_max_f32_e32 v[(i+17)%32], v[69+i%16], v[100+i%24]
  v_and_b32_e32 v[(i+23)%32], v[70+i%16], v[101+i%24]
  v_add_f32_e32 v[(i+29)%32], v[71+i%16], v[102+i%24]
.set i, i+7
.endr
end mix

begin dual_fmac
.set i, 0
.rept 64
  v_dual_fmac_f32 v[2*(i%16)], v[64+2*(i%8)], v[96+i%24] :: v_dual_fmac_f32 v[33+2*(i%16)], v[65+2*(i%8)], v[121+i%24]
.set i, i+1
.endr
end dual_fmac

begin cndmask
.set i, 0
.rept 128
  v_cndmask_b32_e32 v[i%32], v[64+i%16], v[96+i%24], vcc_lo
.set i, i+1
.endr
end cndmask

begin exp_f32
.set i, 0
.rept 128
  v_exp_f32_e32 v[i%32], v[64+i%16]
.set i, i+1
.endr
end exp_f32

begin rcp_f32
.set i, 0
.rept 128
  v_rcp_f32_e32 v[i%32], v[64+i%16]
.set i, i+1
.endr
end rcp_f32

begin load_b32
.set i, 0
.rept 128
  buffer_load_b32 v[i%32], v190, s[8:11], 0 offen offset:4*(i%16)
.set i, i+1
.endr
end load_b32

begin load_b128
.set i, 0
.rept 128
  buffer_load_b128 v[4*(i%16):4*(i%16)+3], v191, s[8:11], 0 offen offset:16*(i%16)
.set i, i+1
.endr
end load_b128

begin load_b128_strided
.set i, 0
.rept 128
  buffer_load_b128 v[4*(i%16):4*(i%16)+3], v192, s[8:11], 0 offen offset:16*(i%16)
.set i, i+1
.endr
end load_b128_strided

begin load_b128_uniform
.set i, 0
.rept 128
  buffer_load_b128 v[4*(i%16):4*(i%16)+3], v193, s[8:11], 0 offen offset:16*(i%16)
.set i, i+1
.endr
end load_b128_uniform

begin store_b128
.set i, 0
.rept 128
  buffer_store_b128 v[4*(i%16):4*(i%16)+3], v191, s[8:11], 0 offen offset:16*(i%16)
.set i, i+1
.endr
end store_b128

begin ds_load_b32
.set i, 0
.rept 128
  ds_load_b32 v[i%32], v190 offset:4*(i%16)
.set i, i+1
.endr
end ds_load_b32, 8192

begin ds_load_b128
.set i, 0
.rept 128
  ds_load_b128 v[4*(i%16):4*(i%16)+3], v191 offset:16*(i%16)
.set i, i+1
.endr
end ds_load_b128, 8192

begin ds_store_b32
.set i, 0
.rept 128
  ds_store_b32 v190, v[i%32] offset:4*(i%16)
.set i, i+1
.endr
end ds_store_b32, 8192

begin add_dpp
.set i, 0
.rept 128
  v_add_f32_dpp v[i%32], v[64+i%16], v[96+i%24] quad_perm:[1,0,3,2] row_mask:0xf bank_mask:0xf bound_ctrl:1
.set i, i+1
.endr
end add_dpp

begin wmma_f16
.set i, 0
.rept 64
  v_wmma_f32_16x16x16_f16 v[8*(i%4):8*(i%4)+7], v[64:71], v[96:103], v[8*(i%4):8*(i%4)+7]
.set i, i+1
.endr
end wmma_f16

.amdgpu_metadata
---
amdhsa.version: [1, 2]
amdhsa.target: amdgcn-amd-amdhsa--gfx1100
amdhsa.kernels:
  - .name: empty
    .symbol: empty.kd
    .kernarg_segment_size: 16
    .kernarg_segment_align: 8
    .group_segment_fixed_size: 0
    .private_segment_fixed_size: 0
    .wavefront_size: 32
    .sgpr_count: 32
    .vgpr_count: 200
    .max_flat_workgroup_size: 1024
  - .name: salu
    .symbol: salu.kd
    .kernarg_segment_size: 16
    .kernarg_segment_align: 8
    .group_segment_fixed_size: 0
    .private_segment_fixed_size: 0
    .wavefront_size: 32
    .sgpr_count: 32
    .vgpr_count: 200
    .max_flat_workgroup_size: 1024
  - .name: add_f32
    .symbol: add_f32.kd
    .kernarg_segment_size: 16
    .kernarg_segment_align: 8
    .group_segment_fixed_size: 0
    .private_segment_fixed_size: 0
    .wavefront_size: 32
    .sgpr_count: 32
    .vgpr_count: 200
    .max_flat_workgroup_size: 1024
  - .name: fmac_f32
    .symbol: fmac_f32.kd
    .kernarg_segment_size: 16
    .kernarg_segment_align: 8
    .group_segment_fixed_size: 0
    .private_segment_fixed_size: 0
    .wavefront_size: 32
    .sgpr_count: 32
    .vgpr_count: 200
    .max_flat_workgroup_size: 1024
  - .name: fma_sgpr
    .symbol: fma_sgpr.kd
    .kernarg_segment_size: 16
    .kernarg_segment_align: 8
    .group_segment_fixed_size: 0
    .private_segment_fixed_size: 0
    .wavefront_size: 32
    .sgpr_count: 32
    .vgpr_count: 200
    .max_flat_workgroup_size: 1024
  - .name: fma_partial
    .symbol: fma_partial.kd
    .kernarg_segment_size: 16
    .kernarg_segment_align: 8
    .group_segment_fixed_size: 0
    .private_segment_fixed_size: 0
    .wavefront_size: 32
    .sgpr_count: 32
    .vgpr_count: 200
    .max_flat_workgroup_size: 1024
  - .name: mix
    .symbol: mix.kd
    .kernarg_segment_size: 16
    .kernarg_segment_align: 8
    .group_segment_fixed_size: 0
    .private_segment_fixed_size: 0
    .wavefront_size: 32
    .sgpr_count: 32
    .vgpr_count: 200
    .max_flat_workgroup_size: 1024
  - .name: dual_fmac
    .symbol: dual_fmac.kd
    .kernarg_segment_size: 16
    .kernarg_segment_align: 8
    .group_segment_fixed_size: 0
    .private_segment_fixed_size: 0
    .wavefront_size: 32
    .sgpr_count: 32
    .vgpr_count: 200
    .max_flat_workgroup_size: 1024
  - .name: cndmask
    .symbol: cndmask.kd
    .kernarg_segment_size: 16
    .kernarg_segment_align: 8
    .group_segment_fixed_size: 0
    .private_segment_fixed_size: 0
    .wavefront_size: 32
    .sgpr_count: 32
    .vgpr_count: 200
    .max_flat_workgroup_size: 1024
  - .name: exp_f32
    .symbol: exp_f32.kd
    .kernarg_segment_size: 16
    .kernarg_segment_align: 8
    .group_segment_fixed_size: 0
    .private_segment_fixed_size: 0
    .wavefront_size: 32
    .sgpr_count: 32
    .vgpr_count: 200
    .max_flat_workgroup_size: 1024
  - .name: rcp_f32
    .symbol: rcp_f32.kd
    .kernarg_segment_size: 16
    .kernarg_segment_align: 8
    .group_segment_fixed_size: 0
    .private_segment_fixed_size: 0
    .wavefront_size: 32
    .sgpr_count: 32
    .vgpr_count: 200
    .max_flat_workgroup_size: 1024
  - .name: load_b32
    .symbol: load_b32.kd
    .kernarg_segment_size: 16
    .kernarg_segment_align: 8
    .group_segment_fixed_size: 0
    .private_segment_fixed_size: 0
    .wavefront_size: 32
    .sgpr_count: 32
    .vgpr_count: 200
    .max_flat_workgroup_size: 1024
  - .name: load_b128
    .symbol: load_b128.kd
    .kernarg_segment_size: 16
    .kernarg_segment_align: 8
    .group_segment_fixed_size: 0
    .private_segment_fixed_size: 0
    .wavefront_size: 32
    .sgpr_count: 32
    .vgpr_count: 200
    .max_flat_workgroup_size: 1024
  - .name: load_b128_strided
    .symbol: load_b128_strided.kd
    .kernarg_segment_size: 16
    .kernarg_segment_align: 8
    .group_segment_fixed_size: 0
    .private_segment_fixed_size: 0
    .wavefront_size: 32
    .sgpr_count: 32
    .vgpr_count: 200
    .max_flat_workgroup_size: 1024
  - .name: load_b128_uniform
    .symbol: load_b128_uniform.kd
    .kernarg_segment_size: 16
    .kernarg_segment_align: 8
    .group_segment_fixed_size: 0
    .private_segment_fixed_size: 0
    .wavefront_size: 32
    .sgpr_count: 32
    .vgpr_count: 200
    .max_flat_workgroup_size: 1024
  - .name: store_b128
    .symbol: store_b128.kd
    .kernarg_segment_size: 16
    .kernarg_segment_align: 8
    .group_segment_fixed_size: 0
    .private_segment_fixed_size: 0
    .wavefront_size: 32
    .sgpr_count: 32
    .vgpr_count: 200
    .max_flat_workgroup_size: 1024
  - .name: ds_load_b32
    .symbol: ds_load_b32.kd
    .kernarg_segment_size: 16
    .kernarg_segment_align: 8
    .group_segment_fixed_size: 8192
    .private_segment_fixed_size: 0
    .wavefront_size: 32
    .sgpr_count: 32
    .vgpr_count: 200
    .max_flat_workgroup_size: 1024
  - .name: ds_load_b128
    .symbol: ds_load_b128.kd
    .kernarg_segment_size: 16
    .kernarg_segment_align: 8
    .group_segment_fixed_size: 8192
    .private_segment_fixed_size: 0
    .wavefront_size: 32
    .sgpr_count: 32
    .vgpr_count: 200
    .max_flat_workgroup_size: 1024
  - .name: ds_store_b32
    .symbol: ds_store_b32.kd
    .kernarg_segment_size: 16
    .kernarg_segment_align: 8
    .group_segment_fixed_size: 8192
    .private_segment_fixed_size: 0
    .wavefront_size: 32
    .sgpr_count: 32
    .vgpr_count: 200
    .max_flat_workgroup_size: 1024
  - .name: add_dpp
    .symbol: add_dpp.kd
    .kernarg_segment_size: 16
    .kernarg_segment_align: 8
    .group_segment_fixed_size: 0
    .private_segment_fixed_size: 0
    .wavefront_size: 32
    .sgpr_count: 32
    .vgpr_count: 200
    .max_flat_workgroup_size: 1024
  - .name: wmma_f16
    .symbol: wmma_f16.kd
    .kernarg_segment_size: 16
    .kernarg_segment_align: 8
    .group_segment_fixed_size: 0
    .private_segment_fixed_size: 0
    .wavefront_size: 32
    .sgpr_count: 32
    .vgpr_count: 200
    .max_flat_workgroup_size: 1024
...
.end_amdgpu_metadata
