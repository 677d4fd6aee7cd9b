//! The opcode table of gfx11 (RDNA 3), gfx1100 in particular.
//!
//! A row: variant, mnemonic, encodings with opcode numbers, destinations,
//! sources, flags. What the columns mean is documented in
//! [`opcode`](super::opcode) and [`Type`].

use super::opcode::{Encoding, Flags, OpcodeInfo, opcodes};
use super::operand::Type;

opcodes! {
    // SOP1: Scalar, one source.
    SMovB32 "s_mov_b32" [Sop1 0x00] (S32) (B32) {}
    SMovB64 "s_mov_b64" [Sop1 0x01] (S64) (B64) {}
    SCmovB32 "s_cmov_b32" [Sop1 0x02] (S32) (B32) {READS_SCC READS_DST}
    SCmovB64 "s_cmov_b64" [Sop1 0x03] (S64) (B64) {READS_SCC READS_DST}
    SBrevB32 "s_brev_b32" [Sop1 0x04] (S32) (B32) {}
    SBrevB64 "s_brev_b64" [Sop1 0x05] (S64) (B64) {}
    SCtzI32B32 "s_ctz_i32_b32" [Sop1 0x08] (S32) (B32) {}
    SCtzI32B64 "s_ctz_i32_b64" [Sop1 0x09] (S32) (B64) {}
    SClzI32U32 "s_clz_i32_u32" [Sop1 0x0a] (S32) (B32) {}
    SClzI32U64 "s_clz_i32_u64" [Sop1 0x0b] (S32) (B64) {}
    SClsI32 "s_cls_i32" [Sop1 0x0c] (S32) (B32) {}
    SClsI32I64 "s_cls_i32_i64" [Sop1 0x0d] (S32) (B64) {}
    SSextI32I8 "s_sext_i32_i8" [Sop1 0x0e] (S32) (B32) {}
    SSextI32I16 "s_sext_i32_i16" [Sop1 0x0f] (S32) (B32) {}
    SBitset0B32 "s_bitset0_b32" [Sop1 0x10] (S32) (B32) {READS_DST}
    SBitset0B64 "s_bitset0_b64" [Sop1 0x11] (S64) (B32) {READS_DST}
    SBitset1B32 "s_bitset1_b32" [Sop1 0x12] (S32) (B32) {READS_DST}
    SBitset1B64 "s_bitset1_b64" [Sop1 0x13] (S64) (B32) {READS_DST}
    SBitreplicateB64B32 "s_bitreplicate_b64_b32" [Sop1 0x14] (S64) (B32) {}
    SAbsI32 "s_abs_i32" [Sop1 0x15] (S32) (B32) {WRITES_SCC}
    SBcnt0I32B32 "s_bcnt0_i32_b32" [Sop1 0x16] (S32) (B32) {WRITES_SCC}
    SBcnt0I32B64 "s_bcnt0_i32_b64" [Sop1 0x17] (S32) (B64) {WRITES_SCC}
    SBcnt1I32B32 "s_bcnt1_i32_b32" [Sop1 0x18] (S32) (B32) {WRITES_SCC}
    SBcnt1I32B64 "s_bcnt1_i32_b64" [Sop1 0x19] (S32) (B64) {WRITES_SCC}
    SQuadmaskB32 "s_quadmask_b32" [Sop1 0x1a] (S32) (B32) {WRITES_SCC}
    SQuadmaskB64 "s_quadmask_b64" [Sop1 0x1b] (S64) (B64) {WRITES_SCC}
    SWqmB32 "s_wqm_b32" [Sop1 0x1c] (S32) (B32) {WRITES_SCC}
    SWqmB64 "s_wqm_b64" [Sop1 0x1d] (S64) (B64) {WRITES_SCC}
    SNotB32 "s_not_b32" [Sop1 0x1e] (S32) (B32) {WRITES_SCC}
    SNotB64 "s_not_b64" [Sop1 0x1f] (S64) (B64) {WRITES_SCC}
    SAndSaveexecB32 "s_and_saveexec_b32" [Sop1 0x20] (S32) (B32) {WRITES_SCC READS_EXEC WRITES_EXEC}
    SAndSaveexecB64 "s_and_saveexec_b64" [Sop1 0x21] (S64) (B64) {WRITES_SCC READS_EXEC WRITES_EXEC}
    SOrSaveexecB32 "s_or_saveexec_b32" [Sop1 0x22] (S32) (B32) {WRITES_SCC READS_EXEC WRITES_EXEC}
    SOrSaveexecB64 "s_or_saveexec_b64" [Sop1 0x23] (S64) (B64) {WRITES_SCC READS_EXEC WRITES_EXEC}
    SXorSaveexecB32 "s_xor_saveexec_b32" [Sop1 0x24] (S32) (B32) {WRITES_SCC READS_EXEC WRITES_EXEC}
    SXorSaveexecB64 "s_xor_saveexec_b64" [Sop1 0x25] (S64) (B64) {WRITES_SCC READS_EXEC WRITES_EXEC}
    SNandSaveexecB32 "s_nand_saveexec_b32" [Sop1 0x26] (S32) (B32) {WRITES_SCC READS_EXEC WRITES_EXEC}
    SNandSaveexecB64 "s_nand_saveexec_b64" [Sop1 0x27] (S64) (B64) {WRITES_SCC READS_EXEC WRITES_EXEC}
    SNorSaveexecB32 "s_nor_saveexec_b32" [Sop1 0x28] (S32) (B32) {WRITES_SCC READS_EXEC WRITES_EXEC}
    SNorSaveexecB64 "s_nor_saveexec_b64" [Sop1 0x29] (S64) (B64) {WRITES_SCC READS_EXEC WRITES_EXEC}
    SXnorSaveexecB32 "s_xnor_saveexec_b32" [Sop1 0x2a] (S32) (B32) {WRITES_SCC READS_EXEC WRITES_EXEC}
    SXnorSaveexecB64 "s_xnor_saveexec_b64" [Sop1 0x2b] (S64) (B64) {WRITES_SCC READS_EXEC WRITES_EXEC}
    SAndNot0SaveexecB32 "s_and_not0_saveexec_b32" [Sop1 0x2c] (S32) (B32) {WRITES_SCC READS_EXEC WRITES_EXEC}
    SAndNot0SaveexecB64 "s_and_not0_saveexec_b64" [Sop1 0x2d] (S64) (B64) {WRITES_SCC READS_EXEC WRITES_EXEC}
    SOrNot0SaveexecB32 "s_or_not0_saveexec_b32" [Sop1 0x2e] (S32) (B32) {WRITES_SCC READS_EXEC WRITES_EXEC}
    SOrNot0SaveexecB64 "s_or_not0_saveexec_b64" [Sop1 0x2f] (S64) (B64) {WRITES_SCC READS_EXEC WRITES_EXEC}
    SAndNot1SaveexecB32 "s_and_not1_saveexec_b32" [Sop1 0x30] (S32) (B32) {WRITES_SCC READS_EXEC WRITES_EXEC}
    SAndNot1SaveexecB64 "s_and_not1_saveexec_b64" [Sop1 0x31] (S64) (B64) {WRITES_SCC READS_EXEC WRITES_EXEC}
    SOrNot1SaveexecB32 "s_or_not1_saveexec_b32" [Sop1 0x32] (S32) (B32) {WRITES_SCC READS_EXEC WRITES_EXEC}
    SOrNot1SaveexecB64 "s_or_not1_saveexec_b64" [Sop1 0x33] (S64) (B64) {WRITES_SCC READS_EXEC WRITES_EXEC}
    SAndNot0WrexecB32 "s_and_not0_wrexec_b32" [Sop1 0x34] (S32) (B32) {WRITES_SCC READS_EXEC WRITES_EXEC}
    SAndNot0WrexecB64 "s_and_not0_wrexec_b64" [Sop1 0x35] (S64) (B64) {WRITES_SCC READS_EXEC WRITES_EXEC}
    SAndNot1WrexecB32 "s_and_not1_wrexec_b32" [Sop1 0x36] (S32) (B32) {WRITES_SCC READS_EXEC WRITES_EXEC}
    SAndNot1WrexecB64 "s_and_not1_wrexec_b64" [Sop1 0x37] (S64) (B64) {WRITES_SCC READS_EXEC WRITES_EXEC}
    SMovrelsB32 "s_movrels_b32" [Sop1 0x40] (S32) (S32) {READS_M0}
    SMovrelsB64 "s_movrels_b64" [Sop1 0x41] (S64) (S64) {READS_M0}
    SMovreldB32 "s_movreld_b32" [Sop1 0x42] (S32) (B32) {READS_M0}
    SMovreldB64 "s_movreld_b64" [Sop1 0x43] (S64) (B64) {READS_M0}
    SMovrelsd2B32 "s_movrelsd_2_b32" [Sop1 0x44] (S32) (B32) {READS_M0}
    SGetpcB64 "s_getpc_b64" [Sop1 0x47] (S64) () {}
    SSetpcB64 "s_setpc_b64" [Sop1 0x48] () (S64) {BRANCH}
    SSwappcB64 "s_swappc_b64" [Sop1 0x49] (S64) (B64) {BRANCH}
    SRfeB64 "s_rfe_b64" [Sop1 0x4a] () (S64) {BRANCH}
    SSendmsgRtnB32 "s_sendmsg_rtn_b32" [Sop1 0x4c] (S32) (Message) {READS_M0}
    SSendmsgRtnB64 "s_sendmsg_rtn_b64" [Sop1 0x4d] (S64) (Message) {READS_M0}

    // SOP2: Scalar, two sources.
    SAddU32 "s_add_u32" [Sop2 0x00] (S32) (B32 B32) {WRITES_SCC}
    SSubU32 "s_sub_u32" [Sop2 0x01] (S32) (B32 B32) {WRITES_SCC}
    SAddI32 "s_add_i32" [Sop2 0x02] (S32) (B32 B32) {WRITES_SCC}
    SSubI32 "s_sub_i32" [Sop2 0x03] (S32) (B32 B32) {WRITES_SCC}
    SAddcU32 "s_addc_u32" [Sop2 0x04] (S32) (B32 B32) {READS_SCC WRITES_SCC}
    SSubbU32 "s_subb_u32" [Sop2 0x05] (S32) (B32 B32) {READS_SCC WRITES_SCC}
    SAbsdiffI32 "s_absdiff_i32" [Sop2 0x06] (S32) (B32 B32) {WRITES_SCC}
    SLshlB32 "s_lshl_b32" [Sop2 0x08] (S32) (B32 B32) {WRITES_SCC}
    SLshlB64 "s_lshl_b64" [Sop2 0x09] (S64) (B64 B32) {WRITES_SCC}
    SLshrB32 "s_lshr_b32" [Sop2 0x0a] (S32) (B32 B32) {WRITES_SCC}
    SLshrB64 "s_lshr_b64" [Sop2 0x0b] (S64) (B64 B32) {WRITES_SCC}
    SAshrI32 "s_ashr_i32" [Sop2 0x0c] (S32) (B32 B32) {WRITES_SCC}
    SAshrI64 "s_ashr_i64" [Sop2 0x0d] (S64) (B64 B32) {WRITES_SCC}
    SLshl1AddU32 "s_lshl1_add_u32" [Sop2 0x0e] (S32) (B32 B32) {WRITES_SCC}
    SLshl2AddU32 "s_lshl2_add_u32" [Sop2 0x0f] (S32) (B32 B32) {WRITES_SCC}
    SLshl3AddU32 "s_lshl3_add_u32" [Sop2 0x10] (S32) (B32 B32) {WRITES_SCC}
    SLshl4AddU32 "s_lshl4_add_u32" [Sop2 0x11] (S32) (B32 B32) {WRITES_SCC}
    SMinI32 "s_min_i32" [Sop2 0x12] (S32) (B32 B32) {WRITES_SCC}
    SMinU32 "s_min_u32" [Sop2 0x13] (S32) (B32 B32) {WRITES_SCC}
    SMaxI32 "s_max_i32" [Sop2 0x14] (S32) (B32 B32) {WRITES_SCC}
    SMaxU32 "s_max_u32" [Sop2 0x15] (S32) (B32 B32) {WRITES_SCC}
    SAndB32 "s_and_b32" [Sop2 0x16] (S32) (B32 B32) {WRITES_SCC}
    SAndB64 "s_and_b64" [Sop2 0x17] (S64) (B64 B64) {WRITES_SCC}
    SOrB32 "s_or_b32" [Sop2 0x18] (S32) (B32 B32) {WRITES_SCC}
    SOrB64 "s_or_b64" [Sop2 0x19] (S64) (B64 B64) {WRITES_SCC}
    SXorB32 "s_xor_b32" [Sop2 0x1a] (S32) (B32 B32) {WRITES_SCC}
    SXorB64 "s_xor_b64" [Sop2 0x1b] (S64) (B64 B64) {WRITES_SCC}
    SNandB32 "s_nand_b32" [Sop2 0x1c] (S32) (B32 B32) {WRITES_SCC}
    SNandB64 "s_nand_b64" [Sop2 0x1d] (S64) (B64 B64) {WRITES_SCC}
    SNorB32 "s_nor_b32" [Sop2 0x1e] (S32) (B32 B32) {WRITES_SCC}
    SNorB64 "s_nor_b64" [Sop2 0x1f] (S64) (B64 B64) {WRITES_SCC}
    SXnorB32 "s_xnor_b32" [Sop2 0x20] (S32) (B32 B32) {WRITES_SCC}
    SXnorB64 "s_xnor_b64" [Sop2 0x21] (S64) (B64 B64) {WRITES_SCC}
    SAndNot1B32 "s_and_not1_b32" [Sop2 0x22] (S32) (B32 B32) {WRITES_SCC}
    SAndNot1B64 "s_and_not1_b64" [Sop2 0x23] (S64) (B64 B64) {WRITES_SCC}
    SOrNot1B32 "s_or_not1_b32" [Sop2 0x24] (S32) (B32 B32) {WRITES_SCC}
    SOrNot1B64 "s_or_not1_b64" [Sop2 0x25] (S64) (B64 B64) {WRITES_SCC}
    SBfeU32 "s_bfe_u32" [Sop2 0x26] (S32) (B32 B32) {WRITES_SCC}
    SBfeI32 "s_bfe_i32" [Sop2 0x27] (S32) (B32 B32) {WRITES_SCC}
    SBfeU64 "s_bfe_u64" [Sop2 0x28] (S64) (B64 B32) {WRITES_SCC}
    SBfeI64 "s_bfe_i64" [Sop2 0x29] (S64) (B64 B32) {WRITES_SCC}
    SBfmB32 "s_bfm_b32" [Sop2 0x2a] (S32) (B32 B32) {}
    SBfmB64 "s_bfm_b64" [Sop2 0x2b] (S64) (B32 B32) {}
    SMulI32 "s_mul_i32" [Sop2 0x2c] (S32) (B32 B32) {}
    SMulHiU32 "s_mul_hi_u32" [Sop2 0x2d] (S32) (B32 B32) {}
    SMulHiI32 "s_mul_hi_i32" [Sop2 0x2e] (S32) (B32 B32) {}
    SCselectB32 "s_cselect_b32" [Sop2 0x30] (S32) (B32 B32) {READS_SCC}
    SCselectB64 "s_cselect_b64" [Sop2 0x31] (S64) (B64 B64) {READS_SCC}
    SPackLlB32B16 "s_pack_ll_b32_b16" [Sop2 0x32] (S32) (B32 B32) {}
    SPackLhB32B16 "s_pack_lh_b32_b16" [Sop2 0x33] (S32) (B32 B32) {}
    SPackHhB32B16 "s_pack_hh_b32_b16" [Sop2 0x34] (S32) (B32 B32) {}
    SPackHlB32B16 "s_pack_hl_b32_b16" [Sop2 0x35] (S32) (B32 B32) {}

    // SOPC: Scalar compares.
    SCmpEqI32 "s_cmp_eq_i32" [Sopc 0x00] () (B32 B32) {WRITES_SCC}
    SCmpLgI32 "s_cmp_lg_i32" [Sopc 0x01] () (B32 B32) {WRITES_SCC}
    SCmpGtI32 "s_cmp_gt_i32" [Sopc 0x02] () (B32 B32) {WRITES_SCC}
    SCmpGeI32 "s_cmp_ge_i32" [Sopc 0x03] () (B32 B32) {WRITES_SCC}
    SCmpLtI32 "s_cmp_lt_i32" [Sopc 0x04] () (B32 B32) {WRITES_SCC}
    SCmpLeI32 "s_cmp_le_i32" [Sopc 0x05] () (B32 B32) {WRITES_SCC}
    SCmpEqU32 "s_cmp_eq_u32" [Sopc 0x06] () (B32 B32) {WRITES_SCC}
    SCmpLgU32 "s_cmp_lg_u32" [Sopc 0x07] () (B32 B32) {WRITES_SCC}
    SCmpGtU32 "s_cmp_gt_u32" [Sopc 0x08] () (B32 B32) {WRITES_SCC}
    SCmpGeU32 "s_cmp_ge_u32" [Sopc 0x09] () (B32 B32) {WRITES_SCC}
    SCmpLtU32 "s_cmp_lt_u32" [Sopc 0x0a] () (B32 B32) {WRITES_SCC}
    SCmpLeU32 "s_cmp_le_u32" [Sopc 0x0b] () (B32 B32) {WRITES_SCC}
    SBitcmp0B32 "s_bitcmp0_b32" [Sopc 0x0c] () (B32 B32) {WRITES_SCC}
    SBitcmp1B32 "s_bitcmp1_b32" [Sopc 0x0d] () (B32 B32) {WRITES_SCC}
    SBitcmp0B64 "s_bitcmp0_b64" [Sopc 0x0e] () (B64 B32) {WRITES_SCC}
    SBitcmp1B64 "s_bitcmp1_b64" [Sopc 0x0f] () (B64 B32) {WRITES_SCC}
    SCmpEqU64 "s_cmp_eq_u64" [Sopc 0x10] () (B64 B64) {WRITES_SCC}
    SCmpLgU64 "s_cmp_lg_u64" [Sopc 0x11] () (B64 B64) {WRITES_SCC}

    // SOPK: Scalar with 16-bit constant.
    SMovkI32 "s_movk_i32" [Sopk 0x00] (S32) (Imm16) {}
    SVersion "s_version" [Sopk 0x01] () (Imm16) {}
    SCmovkI32 "s_cmovk_i32" [Sopk 0x02] (S32) (Imm16) {READS_SCC READS_DST}
    SCmpkEqI32 "s_cmpk_eq_i32" [Sopk 0x03] () (S32 Imm16) {WRITES_SCC}
    SCmpkLgI32 "s_cmpk_lg_i32" [Sopk 0x04] () (S32 Imm16) {WRITES_SCC}
    SCmpkGtI32 "s_cmpk_gt_i32" [Sopk 0x05] () (S32 Imm16) {WRITES_SCC}
    SCmpkGeI32 "s_cmpk_ge_i32" [Sopk 0x06] () (S32 Imm16) {WRITES_SCC}
    SCmpkLtI32 "s_cmpk_lt_i32" [Sopk 0x07] () (S32 Imm16) {WRITES_SCC}
    SCmpkLeI32 "s_cmpk_le_i32" [Sopk 0x08] () (S32 Imm16) {WRITES_SCC}
    SCmpkEqU32 "s_cmpk_eq_u32" [Sopk 0x09] () (S32 Imm16) {WRITES_SCC}
    SCmpkLgU32 "s_cmpk_lg_u32" [Sopk 0x0a] () (S32 Imm16) {WRITES_SCC}
    SCmpkGtU32 "s_cmpk_gt_u32" [Sopk 0x0b] () (S32 Imm16) {WRITES_SCC}
    SCmpkGeU32 "s_cmpk_ge_u32" [Sopk 0x0c] () (S32 Imm16) {WRITES_SCC}
    SCmpkLtU32 "s_cmpk_lt_u32" [Sopk 0x0d] () (S32 Imm16) {WRITES_SCC}
    SCmpkLeU32 "s_cmpk_le_u32" [Sopk 0x0e] () (S32 Imm16) {WRITES_SCC}
    SAddkI32 "s_addk_i32" [Sopk 0x0f] (S32) (Imm16) {WRITES_SCC READS_DST}
    SMulkI32 "s_mulk_i32" [Sopk 0x10] (S32) (Imm16) {READS_DST}
    SGetregB32 "s_getreg_b32" [Sopk 0x11] (S32) (HwReg) {}
    SSetregB32 "s_setreg_b32" [Sopk 0x12] () (HwReg S32) {}
    SSetregImm32B32 "s_setreg_imm32_b32" [Sopk 0x13] () (HwReg Imm32) {}
    SCallB64 "s_call_b64" [Sopk 0x14] (S64) (Branch) {BRANCH}
    SSubvectorLoopBegin "s_subvector_loop_begin" [Sopk 0x16] (S32) (Branch) {READS_EXEC WRITES_EXEC READS_DST BRANCH}
    SSubvectorLoopEnd "s_subvector_loop_end" [Sopk 0x17] (S32) (Branch) {READS_EXEC WRITES_EXEC READS_DST BRANCH}
    SWaitcntVscnt "s_waitcnt_vscnt" [Sopk 0x18] () (S32 Imm16) {}
    SWaitcntVmcnt "s_waitcnt_vmcnt" [Sopk 0x19] () (S32 Imm16) {}
    SWaitcntExpcnt "s_waitcnt_expcnt" [Sopk 0x1a] () (S32 Imm16) {}
    SWaitcntLgkmcnt "s_waitcnt_lgkmcnt" [Sopk 0x1b] () (S32 Imm16) {}

    // SOPP: Program control.
    SNop "s_nop" [Sopp 0x00] () (Dec16) {}
    SSetkill "s_setkill" [Sopp 0x01] () (Dec16) {}
    SSethalt "s_sethalt" [Sopp 0x02] () (Dec16) {}
    SSleep "s_sleep" [Sopp 0x03] () (Dec16) {}
    SSetInstPrefetchDistance "s_set_inst_prefetch_distance" [Sopp 0x04] () (Imm16) {}
    SClause "s_clause" [Sopp 0x05] () (Imm16) {}
    SDelayAlu "s_delay_alu" [Sopp 0x07] () (DelayAlu) {}
    SWaitcntDepctr "s_waitcnt_depctr" [Sopp 0x08] () (DepCtr) {}
    SWaitcnt "s_waitcnt" [Sopp 0x09] () (WaitCnt) {}
    SWaitIdle "s_wait_idle" [Sopp 0x0a] () () {}
    SWaitEvent "s_wait_event" [Sopp 0x0b] () (Imm16) {}
    STrap "s_trap" [Sopp 0x10] () (Dec16) {}
    SRoundMode "s_round_mode" [Sopp 0x11] () (Imm16) {}
    SDenormMode "s_denorm_mode" [Sopp 0x12] () (Dec16) {}
    SCodeEnd "s_code_end" [Sopp 0x1f] () () {}
    SBranch "s_branch" [Sopp 0x20] () (Branch) {BRANCH}
    SCbranchScc0 "s_cbranch_scc0" [Sopp 0x21] () (Branch) {READS_SCC BRANCH}
    SCbranchScc1 "s_cbranch_scc1" [Sopp 0x22] () (Branch) {READS_SCC BRANCH}
    SCbranchVccz "s_cbranch_vccz" [Sopp 0x23] () (Branch) {READS_VCC BRANCH}
    SCbranchVccnz "s_cbranch_vccnz" [Sopp 0x24] () (Branch) {READS_VCC BRANCH}
    SCbranchExecz "s_cbranch_execz" [Sopp 0x25] () (Branch) {READS_EXEC BRANCH}
    SCbranchExecnz "s_cbranch_execnz" [Sopp 0x26] () (Branch) {READS_EXEC BRANCH}
    SCbranchCdbgsys "s_cbranch_cdbgsys" [Sopp 0x27] () (Branch) {BRANCH}
    SCbranchCdbguser "s_cbranch_cdbguser" [Sopp 0x28] () (Branch) {BRANCH}
    SCbranchCdbgsysOrUser "s_cbranch_cdbgsys_or_user" [Sopp 0x29] () (Branch) {BRANCH}
    SCbranchCdbgsysAndUser "s_cbranch_cdbgsys_and_user" [Sopp 0x2a] () (Branch) {BRANCH}
    SEndpgm "s_endpgm" [Sopp 0x30] () (Dec16) {END}
    SEndpgmSaved "s_endpgm_saved" [Sopp 0x31] () () {END}
    SEndpgmOrderedPsDone "s_endpgm_ordered_ps_done" [Sopp 0x32] () () {END}
    SWakeup "s_wakeup" [Sopp 0x34] () () {}
    SSetprio "s_setprio" [Sopp 0x35] () (Dec16) {}
    SSendmsg "s_sendmsg" [Sopp 0x36] () (Message) {READS_M0}
    SSendmsghalt "s_sendmsghalt" [Sopp 0x37] () (Message) {READS_M0}
    SIncperflevel "s_incperflevel" [Sopp 0x38] () (Dec16) {}
    SDecperflevel "s_decperflevel" [Sopp 0x39] () (Dec16) {}
    STtracedata "s_ttracedata" [Sopp 0x3a] () () {READS_M0}
    STtracedataImm "s_ttracedata_imm" [Sopp 0x3b] () (Imm16) {READS_M0}
    SIcacheInv "s_icache_inv" [Sopp 0x3c] () () {}
    SBarrier "s_barrier" [Sopp 0x3d] () () {}

    // SMEM: Scalar memory; the source is the base.
    SLoadB32 "s_load_b32" [Smem 0x00] (S32) (S64) {}
    SLoadB64 "s_load_b64" [Smem 0x01] (S64) (S64) {}
    SLoadB128 "s_load_b128" [Smem 0x02] (S128) (S64) {}
    SLoadB256 "s_load_b256" [Smem 0x03] (S256) (S64) {}
    SLoadB512 "s_load_b512" [Smem 0x04] (S512) (S64) {}
    SBufferLoadB32 "s_buffer_load_b32" [Smem 0x08] (S32) (S128) {}
    SBufferLoadB64 "s_buffer_load_b64" [Smem 0x09] (S64) (S128) {}
    SBufferLoadB128 "s_buffer_load_b128" [Smem 0x0a] (S128) (S128) {}
    SBufferLoadB256 "s_buffer_load_b256" [Smem 0x0b] (S256) (S128) {}
    SBufferLoadB512 "s_buffer_load_b512" [Smem 0x0c] (S512) (S128) {}
    SGl1Inv "s_gl1_inv" [Smem 0x20] () () {}
    SDcacheInv "s_dcache_inv" [Smem 0x21] () () {}
    SAtcProbe "s_atc_probe" [Smem 0x22] () (S64) {}
    SAtcProbeBuffer "s_atc_probe_buffer" [Smem 0x23] () (S128) {}

    // VOP1: Vector, one source.
    VNop "v_nop" [Vop1 0x00] () () {NO_DPP NO_SUFFIX}
    VMovB32 "v_mov_b32" [Vop1 0x01, Vopd 0x08] (B32) (B32) {}
    VReadfirstlaneB32 "v_readfirstlane_b32" [Vop1 0x02] (S32) (V32) {NO_E64 NO_DPP}
    VCvtI32F64 "v_cvt_i32_f64" [Vop1 0x03] (B32) (F64) {CLAMP OMOD}
    VCvtF64I32 "v_cvt_f64_i32" [Vop1 0x04] (F64) (B32) {CLAMP OMOD}
    VCvtF32I32 "v_cvt_f32_i32" [Vop1 0x05] (F32) (B32) {CLAMP OMOD}
    VCvtF32U32 "v_cvt_f32_u32" [Vop1 0x06] (F32) (B32) {CLAMP OMOD}
    VCvtU32F32 "v_cvt_u32_f32" [Vop1 0x07] (B32) (F32) {CLAMP OMOD}
    VCvtI32F32 "v_cvt_i32_f32" [Vop1 0x08] (B32) (F32) {CLAMP OMOD}
    VCvtF16F32 "v_cvt_f16_f32" [Vop1 0x0a] (F16) (F32) {CLAMP OMOD}
    VCvtF32F16 "v_cvt_f32_f16" [Vop1 0x0b] (F32) (F16) {CLAMP OMOD}
    VCvtNearestI32F32 "v_cvt_nearest_i32_f32" [Vop1 0x0c] (B32) (F32) {CLAMP}
    VCvtFloorI32F32 "v_cvt_floor_i32_f32" [Vop1 0x0d] (B32) (F32) {CLAMP}
    VCvtOffF32I4 "v_cvt_off_f32_i4" [Vop1 0x0e] (F32) (B32) {CLAMP OMOD}
    VCvtF32F64 "v_cvt_f32_f64" [Vop1 0x0f] (F32) (F64) {CLAMP OMOD}
    VCvtF64F32 "v_cvt_f64_f32" [Vop1 0x10] (F64) (F32) {CLAMP OMOD}
    VCvtF32Ubyte0 "v_cvt_f32_ubyte0" [Vop1 0x11] (F32) (B32) {CLAMP OMOD}
    VCvtF32Ubyte1 "v_cvt_f32_ubyte1" [Vop1 0x12] (F32) (B32) {CLAMP OMOD}
    VCvtF32Ubyte2 "v_cvt_f32_ubyte2" [Vop1 0x13] (F32) (B32) {CLAMP OMOD}
    VCvtF32Ubyte3 "v_cvt_f32_ubyte3" [Vop1 0x14] (F32) (B32) {CLAMP OMOD}
    VCvtU32F64 "v_cvt_u32_f64" [Vop1 0x15] (B32) (F64) {CLAMP OMOD}
    VCvtF64U32 "v_cvt_f64_u32" [Vop1 0x16] (F64) (B32) {CLAMP OMOD}
    VTruncF64 "v_trunc_f64" [Vop1 0x17] (F64) (F64) {CLAMP OMOD}
    VCeilF64 "v_ceil_f64" [Vop1 0x18] (F64) (F64) {CLAMP OMOD}
    VRndneF64 "v_rndne_f64" [Vop1 0x19] (F64) (F64) {CLAMP OMOD}
    VFloorF64 "v_floor_f64" [Vop1 0x1a] (F64) (F64) {CLAMP OMOD}
    VPipeflush "v_pipeflush" [Vop1 0x1b] () () {NO_DPP NO_SUFFIX}
    VMovB16 "v_mov_b16" [Vop1 0x1c] (B16) (B16) {DEAD_MODS}
    VFractF32 "v_fract_f32" [Vop1 0x20] (F32) (F32) {CLAMP OMOD}
    VTruncF32 "v_trunc_f32" [Vop1 0x21] (F32) (F32) {CLAMP OMOD}
    VCeilF32 "v_ceil_f32" [Vop1 0x22] (F32) (F32) {CLAMP OMOD}
    VRndneF32 "v_rndne_f32" [Vop1 0x23] (F32) (F32) {CLAMP OMOD}
    VFloorF32 "v_floor_f32" [Vop1 0x24] (F32) (F32) {CLAMP OMOD}
    VExpF32 "v_exp_f32" [Vop1 0x25] (F32) (F32) {CLAMP OMOD}
    VLogF32 "v_log_f32" [Vop1 0x27] (F32) (F32) {CLAMP OMOD}
    VRcpF32 "v_rcp_f32" [Vop1 0x2a] (F32) (F32) {CLAMP OMOD}
    VRcpIflagF32 "v_rcp_iflag_f32" [Vop1 0x2b] (F32) (F32) {CLAMP OMOD}
    VRsqF32 "v_rsq_f32" [Vop1 0x2e] (F32) (F32) {CLAMP OMOD}
    VRcpF64 "v_rcp_f64" [Vop1 0x2f] (F64) (F64) {CLAMP OMOD}
    VRsqF64 "v_rsq_f64" [Vop1 0x31] (F64) (F64) {CLAMP OMOD}
    VSqrtF32 "v_sqrt_f32" [Vop1 0x33] (F32) (F32) {CLAMP OMOD}
    VSqrtF64 "v_sqrt_f64" [Vop1 0x34] (F64) (F64) {CLAMP OMOD}
    VSinF32 "v_sin_f32" [Vop1 0x35] (F32) (F32) {CLAMP OMOD}
    VCosF32 "v_cos_f32" [Vop1 0x36] (F32) (F32) {CLAMP OMOD}
    VNotB32 "v_not_b32" [Vop1 0x37] (B32) (B32) {}
    VBfrevB32 "v_bfrev_b32" [Vop1 0x38] (B32) (B32) {}
    VClzI32U32 "v_clz_i32_u32" [Vop1 0x39] (B32) (B32) {}
    VCtzI32B32 "v_ctz_i32_b32" [Vop1 0x3a] (B32) (B32) {}
    VClsI32 "v_cls_i32" [Vop1 0x3b] (B32) (B32) {}
    VFrexpExpI32F64 "v_frexp_exp_i32_f64" [Vop1 0x3c] (B32) (F64) {CLAMP OMOD}
    VFrexpMantF64 "v_frexp_mant_f64" [Vop1 0x3d] (F64) (F64) {CLAMP OMOD}
    VFractF64 "v_fract_f64" [Vop1 0x3e] (F64) (F64) {CLAMP OMOD}
    VFrexpExpI32F32 "v_frexp_exp_i32_f32" [Vop1 0x3f] (B32) (F32) {CLAMP}
    VFrexpMantF32 "v_frexp_mant_f32" [Vop1 0x40] (F32) (F32) {CLAMP OMOD}
    VMovreldB32 "v_movreld_b32" [Vop1 0x42] (B32) (B32) {READS_M0}
    VMovrelsB32 "v_movrels_b32" [Vop1 0x43] (B32) (V32) {READS_M0}
    VMovrelsdB32 "v_movrelsd_b32" [Vop1 0x44] (B32) (V32) {READS_M0}
    VMovrelsd2B32 "v_movrelsd_2_b32" [Vop1 0x48] (B32) (V32) {READS_M0}
    VCvtF16U16 "v_cvt_f16_u16" [Vop1 0x50] (F16) (B16) {CLAMP OMOD DEAD_MODS}
    VCvtF16I16 "v_cvt_f16_i16" [Vop1 0x51] (F16) (B16) {CLAMP OMOD DEAD_MODS}
    VCvtU16F16 "v_cvt_u16_f16" [Vop1 0x52] (B16) (F16) {CLAMP OMOD}
    VCvtI16F16 "v_cvt_i16_f16" [Vop1 0x53] (B16) (F16) {CLAMP OMOD}
    VRcpF16 "v_rcp_f16" [Vop1 0x54] (F16) (F16) {CLAMP OMOD}
    VSqrtF16 "v_sqrt_f16" [Vop1 0x55] (F16) (F16) {CLAMP OMOD}
    VRsqF16 "v_rsq_f16" [Vop1 0x56] (F16) (F16) {CLAMP OMOD}
    VLogF16 "v_log_f16" [Vop1 0x57] (F16) (F16) {CLAMP OMOD}
    VExpF16 "v_exp_f16" [Vop1 0x58] (F16) (F16) {CLAMP OMOD}
    VFrexpMantF16 "v_frexp_mant_f16" [Vop1 0x59] (F16) (F16) {CLAMP OMOD}
    VFrexpExpI16F16 "v_frexp_exp_i16_f16" [Vop1 0x5a] (B16) (F16) {CLAMP OMOD}
    VFloorF16 "v_floor_f16" [Vop1 0x5b] (F16) (F16) {CLAMP OMOD}
    VCeilF16 "v_ceil_f16" [Vop1 0x5c] (F16) (F16) {CLAMP OMOD}
    VTruncF16 "v_trunc_f16" [Vop1 0x5d] (F16) (F16) {CLAMP OMOD}
    VRndneF16 "v_rndne_f16" [Vop1 0x5e] (F16) (F16) {CLAMP OMOD}
    VFractF16 "v_fract_f16" [Vop1 0x5f] (F16) (F16) {CLAMP OMOD}
    VSinF16 "v_sin_f16" [Vop1 0x60] (F16) (F16) {CLAMP OMOD}
    VCosF16 "v_cos_f16" [Vop1 0x61] (F16) (F16) {CLAMP OMOD}
    VSatPkU8I16 "v_sat_pk_u8_i16" [Vop1 0x62] (B16) (B32) {DEAD_MODS}
    VCvtNormI16F16 "v_cvt_norm_i16_f16" [Vop1 0x63] (B16) (F16) {CLAMP OMOD}
    VCvtNormU16F16 "v_cvt_norm_u16_f16" [Vop1 0x64] (B16) (F16) {CLAMP OMOD}
    VSwapB32 "v_swap_b32" [Vop1 0x65] (B32) (V32) {READS_DST WRITES_SRC NO_E64 NO_DPP}
    VSwapB16 "v_swap_b16" [Vop1 0x66] (B16) (V16) {READS_DST WRITES_SRC NO_E64 NO_DPP}
    VPermlane64B32 "v_permlane64_b32" [Vop1 0x67] (B32) (V32) {NO_E64 NO_DPP}
    VSwaprelB32 "v_swaprel_b32" [Vop1 0x68] (B32) (V32) {READS_M0 READS_DST WRITES_SRC NO_E64 NO_DPP}
    VNotB16 "v_not_b16" [Vop1 0x69] (B16) (B16) {DEAD_MODS}
    VCvtI32I16 "v_cvt_i32_i16" [Vop1 0x6a] (B32) (B16) {DEAD_MODS}
    VCvtU32U16 "v_cvt_u32_u16" [Vop1 0x6b] (B32) (B16) {DEAD_MODS}

    // VOP2: Vector, two sources.
    VCndmaskB32 "v_cndmask_b32" [Vop2 0x01, Vopd 0x09] (B32) (F32 F32 Mask) {}
    VDot2accF32F16 "v_dot2acc_f32_f16" [Vop2 0x02, Vopd 0x0c] (F32) (PkF16 PkF16) {READS_DST NO_E64}
    VAddF32 "v_add_f32" [Vop2 0x03, Vopd 0x04] (F32) (F32 F32) {CLAMP OMOD}
    VSubF32 "v_sub_f32" [Vop2 0x04, Vopd 0x05] (F32) (F32 F32) {CLAMP OMOD}
    VSubrevF32 "v_subrev_f32" [Vop2 0x05, Vopd 0x06] (F32) (F32 F32) {CLAMP OMOD}
    VFmacDx9ZeroF32 "v_fmac_dx9_zero_f32" [Vop2 0x06] (F32) (F32 F32) {READS_DST CLAMP OMOD NO_DPP}
    VMulDx9ZeroF32 "v_mul_dx9_zero_f32" [Vop2 0x07, Vopd 0x07] (F32) (F32 F32) {CLAMP OMOD}
    VMulF32 "v_mul_f32" [Vop2 0x08, Vopd 0x03] (F32) (F32 F32) {CLAMP OMOD}
    VMulI32I24 "v_mul_i32_i24" [Vop2 0x09] (B32) (B32 B32) {CLAMP}
    VMulHiI32I24 "v_mul_hi_i32_i24" [Vop2 0x0a] (B32) (B32 B32) {}
    VMulU32U24 "v_mul_u32_u24" [Vop2 0x0b] (B32) (B32 B32) {CLAMP}
    VMulHiU32U24 "v_mul_hi_u32_u24" [Vop2 0x0c] (B32) (B32 B32) {}
    VMinF32 "v_min_f32" [Vop2 0x0f, Vopd 0x0b] (F32) (F32 F32) {CLAMP OMOD}
    VMaxF32 "v_max_f32" [Vop2 0x10, Vopd 0x0a] (F32) (F32 F32) {CLAMP OMOD}
    VMinI32 "v_min_i32" [Vop2 0x11] (B32) (B32 B32) {}
    VMaxI32 "v_max_i32" [Vop2 0x12] (B32) (B32 B32) {}
    VMinU32 "v_min_u32" [Vop2 0x13] (B32) (B32 B32) {}
    VMaxU32 "v_max_u32" [Vop2 0x14] (B32) (B32 B32) {}
    VLshlrevB32 "v_lshlrev_b32" [Vop2 0x18, Vopd 0x11] (B32) (B32 B32) {}
    VLshrrevB32 "v_lshrrev_b32" [Vop2 0x19] (B32) (B32 B32) {}
    VAshrrevI32 "v_ashrrev_i32" [Vop2 0x1a] (B32) (B32 B32) {}
    VAndB32 "v_and_b32" [Vop2 0x1b, Vopd 0x12] (B32) (B32 B32) {}
    VOrB32 "v_or_b32" [Vop2 0x1c] (B32) (B32 B32) {}
    VXorB32 "v_xor_b32" [Vop2 0x1d] (B32) (B32 B32) {}
    VXnorB32 "v_xnor_b32" [Vop2 0x1e] (B32) (B32 B32) {}
    VAddCoCiU32 "v_add_co_ci_u32" [Vop2 0x20] (B32 Mask) (B32 B32 Mask) {CLAMP}
    VSubCoCiU32 "v_sub_co_ci_u32" [Vop2 0x21] (B32 Mask) (B32 B32 Mask) {CLAMP}
    VSubrevCoCiU32 "v_subrev_co_ci_u32" [Vop2 0x22] (B32 Mask) (B32 B32 Mask) {CLAMP}
    VAddNcU32 "v_add_nc_u32" [Vop2 0x25, Vopd 0x10] (B32) (B32 B32) {CLAMP}
    VSubNcU32 "v_sub_nc_u32" [Vop2 0x26] (B32) (B32 B32) {CLAMP}
    VSubrevNcU32 "v_subrev_nc_u32" [Vop2 0x27] (B32) (B32 B32) {CLAMP}
    VFmacF32 "v_fmac_f32" [Vop2 0x2b, Vopd 0x00] (F32) (F32 F32) {READS_DST CLAMP OMOD}
    VFmamkF32 "v_fmamk_f32" [Vop2 0x2c, Vopd 0x02] (F32) (F32 Literal32 F32) {NO_E64 NO_DPP}
    VFmaakF32 "v_fmaak_f32" [Vop2 0x2d, Vopd 0x01] (F32) (F32 F32 Literal32) {NO_E64 NO_DPP}
    VCvtPkRtzF16F32 "v_cvt_pk_rtz_f16_f32" [Vop2 0x2f] (B32) (F32 F32) {CLAMP OMOD}
    VAddF16 "v_add_f16" [Vop2 0x32] (F16) (F16 F16) {CLAMP OMOD}
    VSubF16 "v_sub_f16" [Vop2 0x33] (F16) (F16 F16) {CLAMP OMOD}
    VSubrevF16 "v_subrev_f16" [Vop2 0x34] (F16) (F16 F16) {CLAMP OMOD}
    VMulF16 "v_mul_f16" [Vop2 0x35] (F16) (F16 F16) {CLAMP OMOD}
    VFmacF16 "v_fmac_f16" [Vop2 0x36] (F16) (F16 F16) {READS_DST CLAMP OMOD}
    VFmamkF16 "v_fmamk_f16" [Vop2 0x37] (F16) (F16 Literal16 F16) {NO_E64 NO_DPP}
    VFmaakF16 "v_fmaak_f16" [Vop2 0x38] (F16) (F16 F16 Literal16) {NO_E64 NO_DPP}
    VMaxF16 "v_max_f16" [Vop2 0x39] (F16) (F16 F16) {CLAMP OMOD}
    VMinF16 "v_min_f16" [Vop2 0x3a] (F16) (F16 F16) {CLAMP OMOD}
    VLdexpF16 "v_ldexp_f16" [Vop2 0x3b] (F16) (F16 B16) {CLAMP OMOD DEAD_MODS}
    VPkFmacF16 "v_pk_fmac_f16" [Vop2 0x3c] (PkF16) (SplatF16 SplatF16) {READS_DST NO_E64 NO_DPP}

    // VOPC: Vector compares.
    VCmpFF16 "v_cmp_f_f16" [Vopc 0x00] (Mask) (F16 F16) {CLAMP}
    VCmpLtF16 "v_cmp_lt_f16" [Vopc 0x01] (Mask) (F16 F16) {CLAMP}
    VCmpEqF16 "v_cmp_eq_f16" [Vopc 0x02] (Mask) (F16 F16) {CLAMP}
    VCmpLeF16 "v_cmp_le_f16" [Vopc 0x03] (Mask) (F16 F16) {CLAMP}
    VCmpGtF16 "v_cmp_gt_f16" [Vopc 0x04] (Mask) (F16 F16) {CLAMP}
    VCmpLgF16 "v_cmp_lg_f16" [Vopc 0x05] (Mask) (F16 F16) {CLAMP}
    VCmpGeF16 "v_cmp_ge_f16" [Vopc 0x06] (Mask) (F16 F16) {CLAMP}
    VCmpOF16 "v_cmp_o_f16" [Vopc 0x07] (Mask) (F16 F16) {CLAMP}
    VCmpUF16 "v_cmp_u_f16" [Vopc 0x08] (Mask) (F16 F16) {CLAMP}
    VCmpNgeF16 "v_cmp_nge_f16" [Vopc 0x09] (Mask) (F16 F16) {CLAMP}
    VCmpNlgF16 "v_cmp_nlg_f16" [Vopc 0x0a] (Mask) (F16 F16) {CLAMP}
    VCmpNgtF16 "v_cmp_ngt_f16" [Vopc 0x0b] (Mask) (F16 F16) {CLAMP}
    VCmpNleF16 "v_cmp_nle_f16" [Vopc 0x0c] (Mask) (F16 F16) {CLAMP}
    VCmpNeqF16 "v_cmp_neq_f16" [Vopc 0x0d] (Mask) (F16 F16) {CLAMP}
    VCmpNltF16 "v_cmp_nlt_f16" [Vopc 0x0e] (Mask) (F16 F16) {CLAMP}
    VCmpTF16 "v_cmp_t_f16" [Vopc 0x0f] (Mask) (F16 F16) {CLAMP}
    VCmpFF32 "v_cmp_f_f32" [Vopc 0x10] (Mask) (F32 F32) {CLAMP}
    VCmpLtF32 "v_cmp_lt_f32" [Vopc 0x11] (Mask) (F32 F32) {CLAMP}
    VCmpEqF32 "v_cmp_eq_f32" [Vopc 0x12] (Mask) (F32 F32) {CLAMP}
    VCmpLeF32 "v_cmp_le_f32" [Vopc 0x13] (Mask) (F32 F32) {CLAMP}
    VCmpGtF32 "v_cmp_gt_f32" [Vopc 0x14] (Mask) (F32 F32) {CLAMP}
    VCmpLgF32 "v_cmp_lg_f32" [Vopc 0x15] (Mask) (F32 F32) {CLAMP}
    VCmpGeF32 "v_cmp_ge_f32" [Vopc 0x16] (Mask) (F32 F32) {CLAMP}
    VCmpOF32 "v_cmp_o_f32" [Vopc 0x17] (Mask) (F32 F32) {CLAMP}
    VCmpUF32 "v_cmp_u_f32" [Vopc 0x18] (Mask) (F32 F32) {CLAMP}
    VCmpNgeF32 "v_cmp_nge_f32" [Vopc 0x19] (Mask) (F32 F32) {CLAMP}
    VCmpNlgF32 "v_cmp_nlg_f32" [Vopc 0x1a] (Mask) (F32 F32) {CLAMP}
    VCmpNgtF32 "v_cmp_ngt_f32" [Vopc 0x1b] (Mask) (F32 F32) {CLAMP}
    VCmpNleF32 "v_cmp_nle_f32" [Vopc 0x1c] (Mask) (F32 F32) {CLAMP}
    VCmpNeqF32 "v_cmp_neq_f32" [Vopc 0x1d] (Mask) (F32 F32) {CLAMP}
    VCmpNltF32 "v_cmp_nlt_f32" [Vopc 0x1e] (Mask) (F32 F32) {CLAMP}
    VCmpTF32 "v_cmp_t_f32" [Vopc 0x1f] (Mask) (F32 F32) {CLAMP}
    VCmpFF64 "v_cmp_f_f64" [Vopc 0x20] (Mask) (F64 F64) {CLAMP}
    VCmpLtF64 "v_cmp_lt_f64" [Vopc 0x21] (Mask) (F64 F64) {CLAMP}
    VCmpEqF64 "v_cmp_eq_f64" [Vopc 0x22] (Mask) (F64 F64) {CLAMP}
    VCmpLeF64 "v_cmp_le_f64" [Vopc 0x23] (Mask) (F64 F64) {CLAMP}
    VCmpGtF64 "v_cmp_gt_f64" [Vopc 0x24] (Mask) (F64 F64) {CLAMP}
    VCmpLgF64 "v_cmp_lg_f64" [Vopc 0x25] (Mask) (F64 F64) {CLAMP}
    VCmpGeF64 "v_cmp_ge_f64" [Vopc 0x26] (Mask) (F64 F64) {CLAMP}
    VCmpOF64 "v_cmp_o_f64" [Vopc 0x27] (Mask) (F64 F64) {CLAMP}
    VCmpUF64 "v_cmp_u_f64" [Vopc 0x28] (Mask) (F64 F64) {CLAMP}
    VCmpNgeF64 "v_cmp_nge_f64" [Vopc 0x29] (Mask) (F64 F64) {CLAMP}
    VCmpNlgF64 "v_cmp_nlg_f64" [Vopc 0x2a] (Mask) (F64 F64) {CLAMP}
    VCmpNgtF64 "v_cmp_ngt_f64" [Vopc 0x2b] (Mask) (F64 F64) {CLAMP}
    VCmpNleF64 "v_cmp_nle_f64" [Vopc 0x2c] (Mask) (F64 F64) {CLAMP}
    VCmpNeqF64 "v_cmp_neq_f64" [Vopc 0x2d] (Mask) (F64 F64) {CLAMP}
    VCmpNltF64 "v_cmp_nlt_f64" [Vopc 0x2e] (Mask) (F64 F64) {CLAMP}
    VCmpTF64 "v_cmp_t_f64" [Vopc 0x2f] (Mask) (F64 F64) {CLAMP}
    VCmpLtI16 "v_cmp_lt_i16" [Vopc 0x31] (Mask) (B16 B16) {DEAD_MODS}
    VCmpEqI16 "v_cmp_eq_i16" [Vopc 0x32] (Mask) (B16 B16) {DEAD_MODS}
    VCmpLeI16 "v_cmp_le_i16" [Vopc 0x33] (Mask) (B16 B16) {DEAD_MODS}
    VCmpGtI16 "v_cmp_gt_i16" [Vopc 0x34] (Mask) (B16 B16) {DEAD_MODS}
    VCmpNeI16 "v_cmp_ne_i16" [Vopc 0x35] (Mask) (B16 B16) {DEAD_MODS}
    VCmpGeI16 "v_cmp_ge_i16" [Vopc 0x36] (Mask) (B16 B16) {DEAD_MODS}
    VCmpLtU16 "v_cmp_lt_u16" [Vopc 0x39] (Mask) (B16 B16) {DEAD_MODS}
    VCmpEqU16 "v_cmp_eq_u16" [Vopc 0x3a] (Mask) (B16 B16) {DEAD_MODS}
    VCmpLeU16 "v_cmp_le_u16" [Vopc 0x3b] (Mask) (B16 B16) {DEAD_MODS}
    VCmpGtU16 "v_cmp_gt_u16" [Vopc 0x3c] (Mask) (B16 B16) {DEAD_MODS}
    VCmpNeU16 "v_cmp_ne_u16" [Vopc 0x3d] (Mask) (B16 B16) {DEAD_MODS}
    VCmpGeU16 "v_cmp_ge_u16" [Vopc 0x3e] (Mask) (B16 B16) {DEAD_MODS}
    VCmpFI32 "v_cmp_f_i32" [Vopc 0x40] (Mask) (B32 B32) {}
    VCmpLtI32 "v_cmp_lt_i32" [Vopc 0x41] (Mask) (B32 B32) {}
    VCmpEqI32 "v_cmp_eq_i32" [Vopc 0x42] (Mask) (B32 B32) {}
    VCmpLeI32 "v_cmp_le_i32" [Vopc 0x43] (Mask) (B32 B32) {}
    VCmpGtI32 "v_cmp_gt_i32" [Vopc 0x44] (Mask) (B32 B32) {}
    VCmpNeI32 "v_cmp_ne_i32" [Vopc 0x45] (Mask) (B32 B32) {}
    VCmpGeI32 "v_cmp_ge_i32" [Vopc 0x46] (Mask) (B32 B32) {}
    VCmpTI32 "v_cmp_t_i32" [Vopc 0x47] (Mask) (B32 B32) {}
    VCmpFU32 "v_cmp_f_u32" [Vopc 0x48] (Mask) (B32 B32) {}
    VCmpLtU32 "v_cmp_lt_u32" [Vopc 0x49] (Mask) (B32 B32) {}
    VCmpEqU32 "v_cmp_eq_u32" [Vopc 0x4a] (Mask) (B32 B32) {}
    VCmpLeU32 "v_cmp_le_u32" [Vopc 0x4b] (Mask) (B32 B32) {}
    VCmpGtU32 "v_cmp_gt_u32" [Vopc 0x4c] (Mask) (B32 B32) {}
    VCmpNeU32 "v_cmp_ne_u32" [Vopc 0x4d] (Mask) (B32 B32) {}
    VCmpGeU32 "v_cmp_ge_u32" [Vopc 0x4e] (Mask) (B32 B32) {}
    VCmpTU32 "v_cmp_t_u32" [Vopc 0x4f] (Mask) (B32 B32) {}
    VCmpFI64 "v_cmp_f_i64" [Vopc 0x50] (Mask) (B64 B64) {}
    VCmpLtI64 "v_cmp_lt_i64" [Vopc 0x51] (Mask) (B64 B64) {}
    VCmpEqI64 "v_cmp_eq_i64" [Vopc 0x52] (Mask) (B64 B64) {}
    VCmpLeI64 "v_cmp_le_i64" [Vopc 0x53] (Mask) (B64 B64) {}
    VCmpGtI64 "v_cmp_gt_i64" [Vopc 0x54] (Mask) (B64 B64) {}
    VCmpNeI64 "v_cmp_ne_i64" [Vopc 0x55] (Mask) (B64 B64) {}
    VCmpGeI64 "v_cmp_ge_i64" [Vopc 0x56] (Mask) (B64 B64) {}
    VCmpTI64 "v_cmp_t_i64" [Vopc 0x57] (Mask) (B64 B64) {}
    VCmpFU64 "v_cmp_f_u64" [Vopc 0x58] (Mask) (B64 B64) {}
    VCmpLtU64 "v_cmp_lt_u64" [Vopc 0x59] (Mask) (B64 B64) {}
    VCmpEqU64 "v_cmp_eq_u64" [Vopc 0x5a] (Mask) (B64 B64) {}
    VCmpLeU64 "v_cmp_le_u64" [Vopc 0x5b] (Mask) (B64 B64) {}
    VCmpGtU64 "v_cmp_gt_u64" [Vopc 0x5c] (Mask) (B64 B64) {}
    VCmpNeU64 "v_cmp_ne_u64" [Vopc 0x5d] (Mask) (B64 B64) {}
    VCmpGeU64 "v_cmp_ge_u64" [Vopc 0x5e] (Mask) (B64 B64) {}
    VCmpTU64 "v_cmp_t_u64" [Vopc 0x5f] (Mask) (B64 B64) {}
    VCmpClassF16 "v_cmp_class_f16" [Vopc 0x7d] (Mask) (F16 F16) {}
    VCmpClassF32 "v_cmp_class_f32" [Vopc 0x7e] (Mask) (F32 B32) {}
    VCmpClassF64 "v_cmp_class_f64" [Vopc 0x7f] (Mask) (F64 B32) {}
    VCmpxFF16 "v_cmpx_f_f16" [Vopc 0x80] (Mask) (F16 F16) {WRITES_EXEC CLAMP}
    VCmpxLtF16 "v_cmpx_lt_f16" [Vopc 0x81] (Mask) (F16 F16) {WRITES_EXEC CLAMP}
    VCmpxEqF16 "v_cmpx_eq_f16" [Vopc 0x82] (Mask) (F16 F16) {WRITES_EXEC CLAMP}
    VCmpxLeF16 "v_cmpx_le_f16" [Vopc 0x83] (Mask) (F16 F16) {WRITES_EXEC CLAMP}
    VCmpxGtF16 "v_cmpx_gt_f16" [Vopc 0x84] (Mask) (F16 F16) {WRITES_EXEC CLAMP}
    VCmpxLgF16 "v_cmpx_lg_f16" [Vopc 0x85] (Mask) (F16 F16) {WRITES_EXEC CLAMP}
    VCmpxGeF16 "v_cmpx_ge_f16" [Vopc 0x86] (Mask) (F16 F16) {WRITES_EXEC CLAMP}
    VCmpxOF16 "v_cmpx_o_f16" [Vopc 0x87] (Mask) (F16 F16) {WRITES_EXEC CLAMP}
    VCmpxUF16 "v_cmpx_u_f16" [Vopc 0x88] (Mask) (F16 F16) {WRITES_EXEC CLAMP}
    VCmpxNgeF16 "v_cmpx_nge_f16" [Vopc 0x89] (Mask) (F16 F16) {WRITES_EXEC CLAMP}
    VCmpxNlgF16 "v_cmpx_nlg_f16" [Vopc 0x8a] (Mask) (F16 F16) {WRITES_EXEC CLAMP}
    VCmpxNgtF16 "v_cmpx_ngt_f16" [Vopc 0x8b] (Mask) (F16 F16) {WRITES_EXEC CLAMP}
    VCmpxNleF16 "v_cmpx_nle_f16" [Vopc 0x8c] (Mask) (F16 F16) {WRITES_EXEC CLAMP}
    VCmpxNeqF16 "v_cmpx_neq_f16" [Vopc 0x8d] (Mask) (F16 F16) {WRITES_EXEC CLAMP}
    VCmpxNltF16 "v_cmpx_nlt_f16" [Vopc 0x8e] (Mask) (F16 F16) {WRITES_EXEC CLAMP}
    VCmpxTF16 "v_cmpx_t_f16" [Vopc 0x8f] (Mask) (F16 F16) {WRITES_EXEC CLAMP}
    VCmpxFF32 "v_cmpx_f_f32" [Vopc 0x90] (Mask) (F32 F32) {WRITES_EXEC CLAMP}
    VCmpxLtF32 "v_cmpx_lt_f32" [Vopc 0x91] (Mask) (F32 F32) {WRITES_EXEC CLAMP}
    VCmpxEqF32 "v_cmpx_eq_f32" [Vopc 0x92] (Mask) (F32 F32) {WRITES_EXEC CLAMP}
    VCmpxLeF32 "v_cmpx_le_f32" [Vopc 0x93] (Mask) (F32 F32) {WRITES_EXEC CLAMP}
    VCmpxGtF32 "v_cmpx_gt_f32" [Vopc 0x94] (Mask) (F32 F32) {WRITES_EXEC CLAMP}
    VCmpxLgF32 "v_cmpx_lg_f32" [Vopc 0x95] (Mask) (F32 F32) {WRITES_EXEC CLAMP}
    VCmpxGeF32 "v_cmpx_ge_f32" [Vopc 0x96] (Mask) (F32 F32) {WRITES_EXEC CLAMP}
    VCmpxOF32 "v_cmpx_o_f32" [Vopc 0x97] (Mask) (F32 F32) {WRITES_EXEC CLAMP}
    VCmpxUF32 "v_cmpx_u_f32" [Vopc 0x98] (Mask) (F32 F32) {WRITES_EXEC CLAMP}
    VCmpxNgeF32 "v_cmpx_nge_f32" [Vopc 0x99] (Mask) (F32 F32) {WRITES_EXEC CLAMP}
    VCmpxNlgF32 "v_cmpx_nlg_f32" [Vopc 0x9a] (Mask) (F32 F32) {WRITES_EXEC CLAMP}
    VCmpxNgtF32 "v_cmpx_ngt_f32" [Vopc 0x9b] (Mask) (F32 F32) {WRITES_EXEC CLAMP}
    VCmpxNleF32 "v_cmpx_nle_f32" [Vopc 0x9c] (Mask) (F32 F32) {WRITES_EXEC CLAMP}
    VCmpxNeqF32 "v_cmpx_neq_f32" [Vopc 0x9d] (Mask) (F32 F32) {WRITES_EXEC CLAMP}
    VCmpxNltF32 "v_cmpx_nlt_f32" [Vopc 0x9e] (Mask) (F32 F32) {WRITES_EXEC CLAMP}
    VCmpxTF32 "v_cmpx_t_f32" [Vopc 0x9f] (Mask) (F32 F32) {WRITES_EXEC CLAMP}
    VCmpxFF64 "v_cmpx_f_f64" [Vopc 0xa0] (Mask) (F64 F64) {WRITES_EXEC CLAMP}
    VCmpxLtF64 "v_cmpx_lt_f64" [Vopc 0xa1] (Mask) (F64 F64) {WRITES_EXEC CLAMP}
    VCmpxEqF64 "v_cmpx_eq_f64" [Vopc 0xa2] (Mask) (F64 F64) {WRITES_EXEC CLAMP}
    VCmpxLeF64 "v_cmpx_le_f64" [Vopc 0xa3] (Mask) (F64 F64) {WRITES_EXEC CLAMP}
    VCmpxGtF64 "v_cmpx_gt_f64" [Vopc 0xa4] (Mask) (F64 F64) {WRITES_EXEC CLAMP}
    VCmpxLgF64 "v_cmpx_lg_f64" [Vopc 0xa5] (Mask) (F64 F64) {WRITES_EXEC CLAMP}
    VCmpxGeF64 "v_cmpx_ge_f64" [Vopc 0xa6] (Mask) (F64 F64) {WRITES_EXEC CLAMP}
    VCmpxOF64 "v_cmpx_o_f64" [Vopc 0xa7] (Mask) (F64 F64) {WRITES_EXEC CLAMP}
    VCmpxUF64 "v_cmpx_u_f64" [Vopc 0xa8] (Mask) (F64 F64) {WRITES_EXEC CLAMP}
    VCmpxNgeF64 "v_cmpx_nge_f64" [Vopc 0xa9] (Mask) (F64 F64) {WRITES_EXEC CLAMP}
    VCmpxNlgF64 "v_cmpx_nlg_f64" [Vopc 0xaa] (Mask) (F64 F64) {WRITES_EXEC CLAMP}
    VCmpxNgtF64 "v_cmpx_ngt_f64" [Vopc 0xab] (Mask) (F64 F64) {WRITES_EXEC CLAMP}
    VCmpxNleF64 "v_cmpx_nle_f64" [Vopc 0xac] (Mask) (F64 F64) {WRITES_EXEC CLAMP}
    VCmpxNeqF64 "v_cmpx_neq_f64" [Vopc 0xad] (Mask) (F64 F64) {WRITES_EXEC CLAMP}
    VCmpxNltF64 "v_cmpx_nlt_f64" [Vopc 0xae] (Mask) (F64 F64) {WRITES_EXEC CLAMP}
    VCmpxTF64 "v_cmpx_t_f64" [Vopc 0xaf] (Mask) (F64 F64) {WRITES_EXEC CLAMP}
    VCmpxLtI16 "v_cmpx_lt_i16" [Vopc 0xb1] (Mask) (B16 B16) {WRITES_EXEC DEAD_MODS}
    VCmpxEqI16 "v_cmpx_eq_i16" [Vopc 0xb2] (Mask) (B16 B16) {WRITES_EXEC DEAD_MODS}
    VCmpxLeI16 "v_cmpx_le_i16" [Vopc 0xb3] (Mask) (B16 B16) {WRITES_EXEC DEAD_MODS}
    VCmpxGtI16 "v_cmpx_gt_i16" [Vopc 0xb4] (Mask) (B16 B16) {WRITES_EXEC DEAD_MODS}
    VCmpxNeI16 "v_cmpx_ne_i16" [Vopc 0xb5] (Mask) (B16 B16) {WRITES_EXEC DEAD_MODS}
    VCmpxGeI16 "v_cmpx_ge_i16" [Vopc 0xb6] (Mask) (B16 B16) {WRITES_EXEC DEAD_MODS}
    VCmpxLtU16 "v_cmpx_lt_u16" [Vopc 0xb9] (Mask) (B16 B16) {WRITES_EXEC DEAD_MODS}
    VCmpxEqU16 "v_cmpx_eq_u16" [Vopc 0xba] (Mask) (B16 B16) {WRITES_EXEC DEAD_MODS}
    VCmpxLeU16 "v_cmpx_le_u16" [Vopc 0xbb] (Mask) (B16 B16) {WRITES_EXEC DEAD_MODS}
    VCmpxGtU16 "v_cmpx_gt_u16" [Vopc 0xbc] (Mask) (B16 B16) {WRITES_EXEC DEAD_MODS}
    VCmpxNeU16 "v_cmpx_ne_u16" [Vopc 0xbd] (Mask) (B16 B16) {WRITES_EXEC DEAD_MODS}
    VCmpxGeU16 "v_cmpx_ge_u16" [Vopc 0xbe] (Mask) (B16 B16) {WRITES_EXEC DEAD_MODS}
    VCmpxFI32 "v_cmpx_f_i32" [Vopc 0xc0] (Mask) (B32 B32) {WRITES_EXEC}
    VCmpxLtI32 "v_cmpx_lt_i32" [Vopc 0xc1] (Mask) (B32 B32) {WRITES_EXEC}
    VCmpxEqI32 "v_cmpx_eq_i32" [Vopc 0xc2] (Mask) (B32 B32) {WRITES_EXEC}
    VCmpxLeI32 "v_cmpx_le_i32" [Vopc 0xc3] (Mask) (B32 B32) {WRITES_EXEC}
    VCmpxGtI32 "v_cmpx_gt_i32" [Vopc 0xc4] (Mask) (B32 B32) {WRITES_EXEC}
    VCmpxNeI32 "v_cmpx_ne_i32" [Vopc 0xc5] (Mask) (B32 B32) {WRITES_EXEC}
    VCmpxGeI32 "v_cmpx_ge_i32" [Vopc 0xc6] (Mask) (B32 B32) {WRITES_EXEC}
    VCmpxTI32 "v_cmpx_t_i32" [Vopc 0xc7] (Mask) (B32 B32) {WRITES_EXEC}
    VCmpxFU32 "v_cmpx_f_u32" [Vopc 0xc8] (Mask) (B32 B32) {WRITES_EXEC}
    VCmpxLtU32 "v_cmpx_lt_u32" [Vopc 0xc9] (Mask) (B32 B32) {WRITES_EXEC}
    VCmpxEqU32 "v_cmpx_eq_u32" [Vopc 0xca] (Mask) (B32 B32) {WRITES_EXEC}
    VCmpxLeU32 "v_cmpx_le_u32" [Vopc 0xcb] (Mask) (B32 B32) {WRITES_EXEC}
    VCmpxGtU32 "v_cmpx_gt_u32" [Vopc 0xcc] (Mask) (B32 B32) {WRITES_EXEC}
    VCmpxNeU32 "v_cmpx_ne_u32" [Vopc 0xcd] (Mask) (B32 B32) {WRITES_EXEC}
    VCmpxGeU32 "v_cmpx_ge_u32" [Vopc 0xce] (Mask) (B32 B32) {WRITES_EXEC}
    VCmpxTU32 "v_cmpx_t_u32" [Vopc 0xcf] (Mask) (B32 B32) {WRITES_EXEC}
    VCmpxFI64 "v_cmpx_f_i64" [Vopc 0xd0] (Mask) (B64 B64) {WRITES_EXEC}
    VCmpxLtI64 "v_cmpx_lt_i64" [Vopc 0xd1] (Mask) (B64 B64) {WRITES_EXEC}
    VCmpxEqI64 "v_cmpx_eq_i64" [Vopc 0xd2] (Mask) (B64 B64) {WRITES_EXEC}
    VCmpxLeI64 "v_cmpx_le_i64" [Vopc 0xd3] (Mask) (B64 B64) {WRITES_EXEC}
    VCmpxGtI64 "v_cmpx_gt_i64" [Vopc 0xd4] (Mask) (B64 B64) {WRITES_EXEC}
    VCmpxNeI64 "v_cmpx_ne_i64" [Vopc 0xd5] (Mask) (B64 B64) {WRITES_EXEC}
    VCmpxGeI64 "v_cmpx_ge_i64" [Vopc 0xd6] (Mask) (B64 B64) {WRITES_EXEC}
    VCmpxTI64 "v_cmpx_t_i64" [Vopc 0xd7] (Mask) (B64 B64) {WRITES_EXEC}
    VCmpxFU64 "v_cmpx_f_u64" [Vopc 0xd8] (Mask) (B64 B64) {WRITES_EXEC}
    VCmpxLtU64 "v_cmpx_lt_u64" [Vopc 0xd9] (Mask) (B64 B64) {WRITES_EXEC}
    VCmpxEqU64 "v_cmpx_eq_u64" [Vopc 0xda] (Mask) (B64 B64) {WRITES_EXEC}
    VCmpxLeU64 "v_cmpx_le_u64" [Vopc 0xdb] (Mask) (B64 B64) {WRITES_EXEC}
    VCmpxGtU64 "v_cmpx_gt_u64" [Vopc 0xdc] (Mask) (B64 B64) {WRITES_EXEC}
    VCmpxNeU64 "v_cmpx_ne_u64" [Vopc 0xdd] (Mask) (B64 B64) {WRITES_EXEC}
    VCmpxGeU64 "v_cmpx_ge_u64" [Vopc 0xde] (Mask) (B64 B64) {WRITES_EXEC}
    VCmpxTU64 "v_cmpx_t_u64" [Vopc 0xdf] (Mask) (B64 B64) {WRITES_EXEC}
    VCmpxClassF16 "v_cmpx_class_f16" [Vopc 0xfd] (Mask) (F16 F16) {WRITES_EXEC}
    VCmpxClassF32 "v_cmpx_class_f32" [Vopc 0xfe] (Mask) (F32 B32) {WRITES_EXEC DEAD_MODS}
    VCmpxClassF64 "v_cmpx_class_f64" [Vopc 0xff] (Mask) (F64 B32) {WRITES_EXEC DEAD_MODS}

    // VOP3: Vector, VOP3 only.
    VFmaDx9ZeroF32 "v_fma_dx9_zero_f32" [Vop3 0x209] (F32) (F32 F32 F32) {CLAMP OMOD NO_DPP}
    VMadI32I24 "v_mad_i32_i24" [Vop3 0x20a] (B32) (B32 B32 B32) {CLAMP}
    VMadU32U24 "v_mad_u32_u24" [Vop3 0x20b] (B32) (B32 B32 B32) {CLAMP}
    VCubeidF32 "v_cubeid_f32" [Vop3 0x20c] (F32) (F32 F32 F32) {CLAMP OMOD}
    VCubescF32 "v_cubesc_f32" [Vop3 0x20d] (F32) (F32 F32 F32) {CLAMP OMOD}
    VCubetcF32 "v_cubetc_f32" [Vop3 0x20e] (F32) (F32 F32 F32) {CLAMP OMOD}
    VCubemaF32 "v_cubema_f32" [Vop3 0x20f] (F32) (F32 F32 F32) {CLAMP OMOD}
    VBfeU32 "v_bfe_u32" [Vop3 0x210] (B32) (B32 B32 B32) {}
    VBfeI32 "v_bfe_i32" [Vop3 0x211] (B32) (B32 B32 B32) {}
    VBfiB32 "v_bfi_b32" [Vop3 0x212] (B32) (B32 B32 B32) {}
    VFmaF32 "v_fma_f32" [Vop3 0x213] (F32) (F32 F32 F32) {CLAMP OMOD}
    VFmaF64 "v_fma_f64" [Vop3 0x214] (F64) (F64 F64 F64) {CLAMP OMOD}
    VLerpU8 "v_lerp_u8" [Vop3 0x215] (B32) (B32 B32 B32) {}
    VAlignbitB32 "v_alignbit_b32" [Vop3 0x216] (B32) (B32 B32 B16) {CLAMP DEAD_MODS}
    VAlignbyteB32 "v_alignbyte_b32" [Vop3 0x217] (B32) (B32 B32 B16) {CLAMP DEAD_MODS}
    VMullitF32 "v_mullit_f32" [Vop3 0x218] (F32) (F32 F32 F32) {CLAMP OMOD}
    VMin3F32 "v_min3_f32" [Vop3 0x219] (F32) (F32 F32 F32) {CLAMP OMOD}
    VMin3I32 "v_min3_i32" [Vop3 0x21a] (B32) (B32 B32 B32) {}
    VMin3U32 "v_min3_u32" [Vop3 0x21b] (B32) (B32 B32 B32) {}
    VMax3F32 "v_max3_f32" [Vop3 0x21c] (F32) (F32 F32 F32) {CLAMP OMOD}
    VMax3I32 "v_max3_i32" [Vop3 0x21d] (B32) (B32 B32 B32) {}
    VMax3U32 "v_max3_u32" [Vop3 0x21e] (B32) (B32 B32 B32) {}
    VMed3F32 "v_med3_f32" [Vop3 0x21f] (F32) (F32 F32 F32) {CLAMP OMOD}
    VMed3I32 "v_med3_i32" [Vop3 0x220] (B32) (B32 B32 B32) {}
    VMed3U32 "v_med3_u32" [Vop3 0x221] (B32) (B32 B32 B32) {}
    VSadU8 "v_sad_u8" [Vop3 0x222] (B32) (B32 B32 B32) {CLAMP}
    VSadHiU8 "v_sad_hi_u8" [Vop3 0x223] (B32) (B32 B32 B32) {CLAMP}
    VSadU16 "v_sad_u16" [Vop3 0x224] (B32) (B32 B32 B32) {CLAMP}
    VSadU32 "v_sad_u32" [Vop3 0x225] (B32) (B32 B32 B32) {CLAMP}
    VCvtPkU8F32 "v_cvt_pk_u8_f32" [Vop3 0x226] (B32) (F32 B32 B32) {CLAMP DEAD_MODS}
    VDivFixupF32 "v_div_fixup_f32" [Vop3 0x227] (F32) (F32 F32 F32) {CLAMP OMOD NO_DPP}
    VDivFixupF64 "v_div_fixup_f64" [Vop3 0x228] (F64) (F64 F64 F64) {CLAMP OMOD}
    VDivFmasF32 "v_div_fmas_f32" [Vop3 0x237] (F32) (F32 F32 F32) {READS_VCC CLAMP OMOD NO_DPP}
    VDivFmasF64 "v_div_fmas_f64" [Vop3 0x238] (F64) (F64 F64 F64) {READS_VCC CLAMP OMOD}
    VMsadU8 "v_msad_u8" [Vop3 0x239] (B32) (B32 B32 B32) {CLAMP}
    VQsadPkU16U8 "v_qsad_pk_u16_u8" [Vop3 0x23a] (B64) (B64 B32 B64) {CLAMP}
    VMqsadPkU16U8 "v_mqsad_pk_u16_u8" [Vop3 0x23b] (B64) (B64 B32 B64) {CLAMP}
    VMqsadU32U8 "v_mqsad_u32_u8" [Vop3 0x23d] (B128) (B64 B32 V128) {CLAMP}
    VXor3B32 "v_xor3_b32" [Vop3 0x240] (B32) (B32 B32 B32) {}
    VMadU16 "v_mad_u16" [Vop3 0x241] (B16) (B16 B16 B16) {CLAMP DEAD_MODS}
    VPermB32 "v_perm_b32" [Vop3 0x244] (B32) (B32 B32 B32) {}
    VXadU32 "v_xad_u32" [Vop3 0x245] (B32) (B32 B32 B32) {}
    VLshlAddU32 "v_lshl_add_u32" [Vop3 0x246] (B32) (B32 B32 B32) {}
    VAddLshlU32 "v_add_lshl_u32" [Vop3 0x247] (B32) (B32 B32 B32) {}
    VFmaF16 "v_fma_f16" [Vop3 0x248] (F16) (F16 F16 F16) {CLAMP OMOD}
    VMin3F16 "v_min3_f16" [Vop3 0x249] (F16) (F16 F16 F16) {CLAMP OMOD}
    VMin3I16 "v_min3_i16" [Vop3 0x24a] (B16) (B16 B16 B16) {CLAMP DEAD_MODS}
    VMin3U16 "v_min3_u16" [Vop3 0x24b] (B16) (B16 B16 B16) {CLAMP DEAD_MODS}
    VMax3F16 "v_max3_f16" [Vop3 0x24c] (F16) (F16 F16 F16) {CLAMP OMOD}
    VMax3I16 "v_max3_i16" [Vop3 0x24d] (B16) (B16 B16 B16) {CLAMP DEAD_MODS}
    VMax3U16 "v_max3_u16" [Vop3 0x24e] (B16) (B16 B16 B16) {CLAMP DEAD_MODS}
    VMed3F16 "v_med3_f16" [Vop3 0x24f] (F16) (F16 F16 F16) {CLAMP OMOD}
    VMed3I16 "v_med3_i16" [Vop3 0x250] (B16) (B16 B16 B16) {CLAMP DEAD_MODS}
    VMed3U16 "v_med3_u16" [Vop3 0x251] (B16) (B16 B16 B16) {CLAMP DEAD_MODS}
    VMadI16 "v_mad_i16" [Vop3 0x253] (B16) (B16 B16 B16) {CLAMP DEAD_MODS}
    VDivFixupF16 "v_div_fixup_f16" [Vop3 0x254] (F16) (F16 F16 F16) {CLAMP OMOD}
    VAdd3U32 "v_add3_u32" [Vop3 0x255] (B32) (B32 B32 B32) {}
    VLshlOrB32 "v_lshl_or_b32" [Vop3 0x256] (B32) (B32 B32 B32) {}
    VAndOrB32 "v_and_or_b32" [Vop3 0x257] (B32) (B32 B32 B32) {}
    VOr3B32 "v_or3_b32" [Vop3 0x258] (B32) (B32 B32 B32) {}
    VMadU32U16 "v_mad_u32_u16" [Vop3 0x259] (B32) (B16 B16 B32) {CLAMP DEAD_MODS}
    VMadI32I16 "v_mad_i32_i16" [Vop3 0x25a] (B32) (B16 B16 B32) {CLAMP DEAD_MODS}
    VPermlane16B32 "v_permlane16_b32" [Vop3 0x25b] (B32) (V32 Uniform Uniform) {READS_DST NO_DPP OP_SEL}
    VPermlanex16B32 "v_permlanex16_b32" [Vop3 0x25c] (B32) (V32 Uniform Uniform) {READS_DST NO_DPP OP_SEL}
    VCndmaskB16 "v_cndmask_b16" [Vop3 0x25d] (B16) (B16 B16 Mask) {NO_OP_SEL FLOAT_MODS}
    VMaxminF32 "v_maxmin_f32" [Vop3 0x25e] (F32) (F32 F32 F32) {CLAMP OMOD}
    VMinmaxF32 "v_minmax_f32" [Vop3 0x25f] (F32) (F32 F32 F32) {CLAMP OMOD}
    VMaxminF16 "v_maxmin_f16" [Vop3 0x260] (F16) (F16 F16 F16) {CLAMP OMOD}
    VMinmaxF16 "v_minmax_f16" [Vop3 0x261] (F16) (F16 F16 F16) {CLAMP OMOD}
    VMaxminU32 "v_maxmin_u32" [Vop3 0x262] (B32) (B32 B32 B32) {}
    VMinmaxU32 "v_minmax_u32" [Vop3 0x263] (B32) (B32 B32 B32) {}
    VMaxminI32 "v_maxmin_i32" [Vop3 0x264] (B32) (B32 B32 B32) {}
    VMinmaxI32 "v_minmax_i32" [Vop3 0x265] (B32) (B32 B32 B32) {}
    VDot2F16F16 "v_dot2_f16_f16" [Vop3 0x266] (F16) (PkF16 PkF16 F16) {}
    VDot2Bf16Bf16 "v_dot2_bf16_bf16" [Vop3 0x267] (Bf16) (PkBf16 PkBf16 Bf16) {}
    VDivScaleF32 "v_div_scale_f32" [Vop3 0x2fc] (F32 Mask) (F32 F32 F32) {CLAMP OMOD NO_DPP}
    VDivScaleF64 "v_div_scale_f64" [Vop3 0x2fd] (F64 Mask) (F64 F64 F64) {CLAMP OMOD}
    VMadU64U32 "v_mad_u64_u32" [Vop3 0x2fe] (B64 Mask) (B32 B32 B64) {CLAMP}
    VMadI64I32 "v_mad_i64_i32" [Vop3 0x2ff] (B64 Mask) (B32 B32 B64) {CLAMP}
    VAddCoU32 "v_add_co_u32" [Vop3 0x300] (B32 Mask) (B32 B32) {CLAMP}
    VSubCoU32 "v_sub_co_u32" [Vop3 0x301] (B32 Mask) (B32 B32) {CLAMP}
    VSubrevCoU32 "v_subrev_co_u32" [Vop3 0x302] (B32 Mask) (B32 B32) {CLAMP}
    VAddNcU16 "v_add_nc_u16" [Vop3 0x303] (B16) (B16 B16) {CLAMP DEAD_MODS}
    VSubNcU16 "v_sub_nc_u16" [Vop3 0x304] (B16) (B16 B16) {CLAMP DEAD_MODS}
    VMulLoU16 "v_mul_lo_u16" [Vop3 0x305] (B16) (B16 B16) {DEAD_MODS}
    VCvtPkI16F32 "v_cvt_pk_i16_f32" [Vop3 0x306] (B32) (F32 F32) {CLAMP}
    VCvtPkU16F32 "v_cvt_pk_u16_f32" [Vop3 0x307] (B32) (F32 F32) {CLAMP}
    VMaxU16 "v_max_u16" [Vop3 0x309] (B16) (B16 B16) {DEAD_MODS}
    VMaxI16 "v_max_i16" [Vop3 0x30a] (B16) (B16 B16) {DEAD_MODS}
    VMinU16 "v_min_u16" [Vop3 0x30b] (B16) (B16 B16) {DEAD_MODS}
    VMinI16 "v_min_i16" [Vop3 0x30c] (B16) (B16 B16) {DEAD_MODS}
    VAddNcI16 "v_add_nc_i16" [Vop3 0x30d] (B16) (B16 B16) {CLAMP DEAD_MODS}
    VSubNcI16 "v_sub_nc_i16" [Vop3 0x30e] (B16) (B16 B16) {CLAMP DEAD_MODS}
    VPackB32F16 "v_pack_b32_f16" [Vop3 0x311] (B32) (F16 F16) {CLAMP}
    VCvtPkNormI16F16 "v_cvt_pk_norm_i16_f16" [Vop3 0x312] (B32) (F16 F16) {CLAMP}
    VCvtPkNormU16F16 "v_cvt_pk_norm_u16_f16" [Vop3 0x313] (B32) (F16 F16) {CLAMP}
    VLdexpF32 "v_ldexp_f32" [Vop3 0x31c] (F32) (F32 B32) {CLAMP OMOD DEAD_MODS}
    VBfmB32 "v_bfm_b32" [Vop3 0x31d] (B32) (B32 B32) {}
    VBcntU32B32 "v_bcnt_u32_b32" [Vop3 0x31e] (B32) (B32 B32) {}
    VMbcntLoU32B32 "v_mbcnt_lo_u32_b32" [Vop3 0x31f] (B32) (B32 B32) {}
    VMbcntHiU32B32 "v_mbcnt_hi_u32_b32" [Vop3 0x320] (B32) (B32 B32) {}
    VCvtPkNormI16F32 "v_cvt_pk_norm_i16_f32" [Vop3 0x321] (B32) (F32 F32) {CLAMP}
    VCvtPkNormU16F32 "v_cvt_pk_norm_u16_f32" [Vop3 0x322] (B32) (F32 F32) {CLAMP}
    VCvtPkU16U32 "v_cvt_pk_u16_u32" [Vop3 0x323] (B32) (B32 B32) {}
    VCvtPkI16I32 "v_cvt_pk_i16_i32" [Vop3 0x324] (B32) (B32 B32) {}
    VSubNcI32 "v_sub_nc_i32" [Vop3 0x325] (B32) (B32 B32) {CLAMP}
    VAddNcI32 "v_add_nc_i32" [Vop3 0x326] (B32) (B32 B32) {CLAMP}
    VAddF64 "v_add_f64" [Vop3 0x327] (F64) (F64 F64) {CLAMP OMOD}
    VMulF64 "v_mul_f64" [Vop3 0x328] (F64) (F64 F64) {CLAMP OMOD}
    VMinF64 "v_min_f64" [Vop3 0x329] (F64) (F64 F64) {CLAMP OMOD}
    VMaxF64 "v_max_f64" [Vop3 0x32a] (F64) (F64 F64) {CLAMP OMOD}
    VLdexpF64 "v_ldexp_f64" [Vop3 0x32b] (F64) (F64 B32) {CLAMP OMOD DEAD_MODS}
    VMulLoU32 "v_mul_lo_u32" [Vop3 0x32c] (B32) (B32 B32) {NO_DPP}
    VMulHiU32 "v_mul_hi_u32" [Vop3 0x32d] (B32) (B32 B32) {NO_DPP}
    VMulHiI32 "v_mul_hi_i32" [Vop3 0x32e] (B32) (B32 B32) {NO_DPP}
    VTrigPreopF64 "v_trig_preop_f64" [Vop3 0x32f] (F64) (F64 B32) {CLAMP OMOD DEAD_MODS}
    VLshlrevB16 "v_lshlrev_b16" [Vop3 0x338] (B16) (B16 B16) {DEAD_MODS}
    VLshrrevB16 "v_lshrrev_b16" [Vop3 0x339] (B16) (B16 B16) {DEAD_MODS}
    VAshrrevI16 "v_ashrrev_i16" [Vop3 0x33a] (B16) (B16 B16) {DEAD_MODS}
    VLshlrevB64 "v_lshlrev_b64" [Vop3 0x33c] (B64) (B32 B64) {}
    VLshrrevB64 "v_lshrrev_b64" [Vop3 0x33d] (B64) (B32 B64) {}
    VAshrrevI64 "v_ashrrev_i64" [Vop3 0x33e] (B64) (B32 B64) {}
    VReadlaneB32 "v_readlane_b32" [Vop3 0x360] (S32) (V32 Uniform) {NO_DPP}
    VWritelaneB32 "v_writelane_b32" [Vop3 0x361] (B32) (Uniform Uniform) {READS_DST NO_DPP}
    VAndB16 "v_and_b16" [Vop3 0x362] (B16) (B16 B16) {DEAD_MODS}
    VOrB16 "v_or_b16" [Vop3 0x363] (B16) (B16 B16) {DEAD_MODS}
    VXorB16 "v_xor_b16" [Vop3 0x364] (B16) (B16 B16) {DEAD_MODS}

    // VOP3P: Packed, mixed precision, dot products, matrices.
    VPkMadI16 "v_pk_mad_i16" [Vop3p 0x00] (PkB16) (PkB16 PkB16 PkB16) {CLAMP NO_DPP}
    VPkMulLoU16 "v_pk_mul_lo_u16" [Vop3p 0x01] (PkB16) (PkB16 PkB16) {CLAMP NO_DPP}
    VPkAddI16 "v_pk_add_i16" [Vop3p 0x02] (PkB16) (PkB16 PkB16) {CLAMP NO_DPP}
    VPkSubI16 "v_pk_sub_i16" [Vop3p 0x03] (PkB16) (PkB16 PkB16) {CLAMP NO_DPP}
    VPkLshlrevB16 "v_pk_lshlrev_b16" [Vop3p 0x04] (PkB16) (PkB16 PkB16) {CLAMP NO_DPP}
    VPkLshrrevB16 "v_pk_lshrrev_b16" [Vop3p 0x05] (PkB16) (PkB16 PkB16) {CLAMP NO_DPP}
    VPkAshrrevI16 "v_pk_ashrrev_i16" [Vop3p 0x06] (PkB16) (PkB16 PkB16) {CLAMP NO_DPP}
    VPkMaxI16 "v_pk_max_i16" [Vop3p 0x07] (PkB16) (PkB16 PkB16) {CLAMP NO_DPP}
    VPkMinI16 "v_pk_min_i16" [Vop3p 0x08] (PkB16) (PkB16 PkB16) {CLAMP NO_DPP}
    VPkMadU16 "v_pk_mad_u16" [Vop3p 0x09] (PkB16) (PkB16 PkB16 PkB16) {CLAMP NO_DPP}
    VPkAddU16 "v_pk_add_u16" [Vop3p 0x0a] (PkB16) (PkB16 PkB16) {CLAMP NO_DPP}
    VPkSubU16 "v_pk_sub_u16" [Vop3p 0x0b] (PkB16) (PkB16 PkB16) {CLAMP NO_DPP}
    VPkMaxU16 "v_pk_max_u16" [Vop3p 0x0c] (PkB16) (PkB16 PkB16) {CLAMP NO_DPP}
    VPkMinU16 "v_pk_min_u16" [Vop3p 0x0d] (PkB16) (PkB16 PkB16) {CLAMP NO_DPP}
    VPkFmaF16 "v_pk_fma_f16" [Vop3p 0x0e] (PkF16) (PkF16 PkF16 PkF16) {CLAMP NO_DPP}
    VPkAddF16 "v_pk_add_f16" [Vop3p 0x0f] (PkF16) (PkF16 PkF16) {CLAMP NO_DPP}
    VPkMulF16 "v_pk_mul_f16" [Vop3p 0x10] (PkF16) (PkF16 PkF16) {CLAMP NO_DPP}
    VPkMinF16 "v_pk_min_f16" [Vop3p 0x11] (PkF16) (PkF16 PkF16) {CLAMP NO_DPP}
    VPkMaxF16 "v_pk_max_f16" [Vop3p 0x12] (PkF16) (PkF16 PkF16) {CLAMP NO_DPP}
    VDot2F32F16 "v_dot2_f32_f16" [Vop3p 0x13] (F32) (PkF16 PkF16 F32) {CLAMP}
    VDot4I32Iu8 "v_dot4_i32_iu8" [Vop3p 0x16] (B32) (PkB32 PkB32 B32) {CLAMP NO_DPP SIGNED_MODS NO_OP_SEL}
    VDot4U32U8 "v_dot4_u32_u8" [Vop3p 0x17] (B32) (PkB32 PkB32 B32) {CLAMP NO_DPP NO_OP_SEL}
    VDot8I32Iu4 "v_dot8_i32_iu4" [Vop3p 0x18] (B32) (PkB32 PkB32 B32) {CLAMP NO_DPP SIGNED_MODS NO_OP_SEL}
    VDot8U32U4 "v_dot8_u32_u4" [Vop3p 0x19] (B32) (PkB32 PkB32 B32) {CLAMP NO_DPP NO_OP_SEL}
    VDot2F32Bf16 "v_dot2_f32_bf16" [Vop3p 0x1a] (F32) (PkBf16 PkBf16 F32) {CLAMP}
    VFmaMixF32 "v_fma_mix_f32" [Vop3p 0x20] (F32) (MixF32 MixF32 MixF32) {CLAMP}
    VFmaMixloF16 "v_fma_mixlo_f16" [Vop3p 0x21] (B32) (MixF32 MixF32 MixF32) {READS_DST CLAMP}
    VFmaMixhiF16 "v_fma_mixhi_f16" [Vop3p 0x22] (B32) (MixF32 MixF32 MixF32) {READS_DST CLAMP}
    VWmmaF3216x16x16F16 "v_wmma_f32_16x16x16_f16" [Vop3p 0x40] (AccF32) (V256 V256 AccF32) {NO_DPP NO_OP_SEL}
    VWmmaF3216x16x16Bf16 "v_wmma_f32_16x16x16_bf16" [Vop3p 0x41] (AccF32) (V256 V256 AccF32) {NO_DPP NO_OP_SEL}
    VWmmaF1616x16x16F16 "v_wmma_f16_16x16x16_f16" [Vop3p 0x42] (AccF16) (V256 V256 AccF16) {NO_DPP}
    VWmmaBf1616x16x16Bf16 "v_wmma_bf16_16x16x16_bf16" [Vop3p 0x43] (AccBf16) (V256 V256 AccBf16) {NO_DPP}
    VWmmaI3216x16x16Iu8 "v_wmma_i32_16x16x16_iu8" [Vop3p 0x44] (AccB32) (V128 V128 AccB32) {CLAMP NO_DPP SIGNED_MODS NO_OP_SEL}
    VWmmaI3216x16x16Iu4 "v_wmma_i32_16x16x16_iu4" [Vop3p 0x45] (AccB32) (V64 V64 AccB32) {CLAMP NO_DPP SIGNED_MODS NO_OP_SEL}

    // VOPD: Dual issue only.
    VDot2accF32Bf16 "v_dot2acc_f32_bf16" [Vopd 0x0d] (F32) (PkBf16 PkBf16) {READS_DST}

    // DS: Local data share; the first source is the address, where there is one.
    DsAddU32 "ds_add_u32" [Ds 0x00] () (V32 V32) {ATOMIC}
    DsSubU32 "ds_sub_u32" [Ds 0x01] () (V32 V32) {ATOMIC}
    DsRsubU32 "ds_rsub_u32" [Ds 0x02] () (V32 V32) {ATOMIC}
    DsIncU32 "ds_inc_u32" [Ds 0x03] () (V32 V32) {ATOMIC}
    DsDecU32 "ds_dec_u32" [Ds 0x04] () (V32 V32) {ATOMIC}
    DsMinI32 "ds_min_i32" [Ds 0x05] () (V32 V32) {ATOMIC}
    DsMaxI32 "ds_max_i32" [Ds 0x06] () (V32 V32) {ATOMIC}
    DsMinU32 "ds_min_u32" [Ds 0x07] () (V32 V32) {ATOMIC}
    DsMaxU32 "ds_max_u32" [Ds 0x08] () (V32 V32) {ATOMIC}
    DsAndB32 "ds_and_b32" [Ds 0x09] () (V32 V32) {ATOMIC}
    DsOrB32 "ds_or_b32" [Ds 0x0a] () (V32 V32) {ATOMIC}
    DsXorB32 "ds_xor_b32" [Ds 0x0b] () (V32 V32) {ATOMIC}
    DsMskorB32 "ds_mskor_b32" [Ds 0x0c] () (V32 V32 V32) {ATOMIC}
    DsStoreB32 "ds_store_b32" [Ds 0x0d] () (V32 V32) {}
    DsStore2addrB32 "ds_store_2addr_b32" [Ds 0x0e] () (V32 V32 V32) {TWO_ADDRESSES}
    DsStore2addrStride64B32 "ds_store_2addr_stride64_b32" [Ds 0x0f] () (V32 V32 V32) {TWO_ADDRESSES}
    DsCmpstoreB32 "ds_cmpstore_b32" [Ds 0x10] () (V32 V32 V32) {ATOMIC}
    DsCmpstoreF32 "ds_cmpstore_f32" [Ds 0x11] () (V32 V32 V32) {ATOMIC}
    DsMinF32 "ds_min_f32" [Ds 0x12] () (V32 V32) {ATOMIC}
    DsMaxF32 "ds_max_f32" [Ds 0x13] () (V32 V32) {ATOMIC}
    DsAddF32 "ds_add_f32" [Ds 0x15] () (V32 V32) {ATOMIC}
    DsGwsSemaReleaseAll "ds_gws_sema_release_all" [Ds 0x18] () () {READS_M0 NO_ADDRESS NEEDS_GDS}
    DsGwsInit "ds_gws_init" [Ds 0x19] () (V32) {READS_M0 NEEDS_GDS}
    DsGwsSemaV "ds_gws_sema_v" [Ds 0x1a] () () {READS_M0 NO_ADDRESS NEEDS_GDS}
    DsGwsSemaBr "ds_gws_sema_br" [Ds 0x1b] () (V32) {READS_M0 NEEDS_GDS}
    DsGwsSemaP "ds_gws_sema_p" [Ds 0x1c] () () {READS_M0 NO_ADDRESS NEEDS_GDS}
    DsGwsBarrier "ds_gws_barrier" [Ds 0x1d] () (V32) {READS_M0 NEEDS_GDS}
    DsStoreB8 "ds_store_b8" [Ds 0x1e] () (V32 V32) {}
    DsStoreB16 "ds_store_b16" [Ds 0x1f] () (V32 V32) {}
    DsAddRtnU32 "ds_add_rtn_u32" [Ds 0x20] (V32) (V32 V32) {ATOMIC}
    DsSubRtnU32 "ds_sub_rtn_u32" [Ds 0x21] (V32) (V32 V32) {ATOMIC}
    DsRsubRtnU32 "ds_rsub_rtn_u32" [Ds 0x22] (V32) (V32 V32) {ATOMIC}
    DsIncRtnU32 "ds_inc_rtn_u32" [Ds 0x23] (V32) (V32 V32) {ATOMIC}
    DsDecRtnU32 "ds_dec_rtn_u32" [Ds 0x24] (V32) (V32 V32) {ATOMIC}
    DsMinRtnI32 "ds_min_rtn_i32" [Ds 0x25] (V32) (V32 V32) {ATOMIC}
    DsMaxRtnI32 "ds_max_rtn_i32" [Ds 0x26] (V32) (V32 V32) {ATOMIC}
    DsMinRtnU32 "ds_min_rtn_u32" [Ds 0x27] (V32) (V32 V32) {ATOMIC}
    DsMaxRtnU32 "ds_max_rtn_u32" [Ds 0x28] (V32) (V32 V32) {ATOMIC}
    DsAndRtnB32 "ds_and_rtn_b32" [Ds 0x29] (V32) (V32 V32) {ATOMIC}
    DsOrRtnB32 "ds_or_rtn_b32" [Ds 0x2a] (V32) (V32 V32) {ATOMIC}
    DsXorRtnB32 "ds_xor_rtn_b32" [Ds 0x2b] (V32) (V32 V32) {ATOMIC}
    DsMskorRtnB32 "ds_mskor_rtn_b32" [Ds 0x2c] (V32) (V32 V32 V32) {ATOMIC}
    DsStorexchgRtnB32 "ds_storexchg_rtn_b32" [Ds 0x2d] (V32) (V32 V32) {ATOMIC}
    DsStorexchg2addrRtnB32 "ds_storexchg_2addr_rtn_b32" [Ds 0x2e] (V64) (V32 V32 V32) {ATOMIC TWO_ADDRESSES}
    DsStorexchg2addrStride64RtnB32 "ds_storexchg_2addr_stride64_rtn_b32" [Ds 0x2f] (V64) (V32 V32 V32) {ATOMIC TWO_ADDRESSES}
    DsCmpstoreRtnB32 "ds_cmpstore_rtn_b32" [Ds 0x30] (V32) (V32 V32 V32) {ATOMIC}
    DsCmpstoreRtnF32 "ds_cmpstore_rtn_f32" [Ds 0x31] (V32) (V32 V32 V32) {ATOMIC}
    DsMinRtnF32 "ds_min_rtn_f32" [Ds 0x32] (V32) (V32 V32) {ATOMIC}
    DsMaxRtnF32 "ds_max_rtn_f32" [Ds 0x33] (V32) (V32 V32) {ATOMIC}
    DsWrapRtnB32 "ds_wrap_rtn_b32" [Ds 0x34] (V32) (V32 V32 V32) {ATOMIC}
    DsSwizzleB32 "ds_swizzle_b32" [Ds 0x35] (V32) (V32) {}
    DsLoadB32 "ds_load_b32" [Ds 0x36] (V32) (V32) {}
    DsLoad2addrB32 "ds_load_2addr_b32" [Ds 0x37] (V64) (V32) {TWO_ADDRESSES}
    DsLoad2addrStride64B32 "ds_load_2addr_stride64_b32" [Ds 0x38] (V64) (V32) {TWO_ADDRESSES}
    DsLoadI8 "ds_load_i8" [Ds 0x39] (V32) (V32) {}
    DsLoadU8 "ds_load_u8" [Ds 0x3a] (V32) (V32) {}
    DsLoadI16 "ds_load_i16" [Ds 0x3b] (V32) (V32) {}
    DsLoadU16 "ds_load_u16" [Ds 0x3c] (V32) (V32) {}
    DsConsume "ds_consume" [Ds 0x3d] (V32) () {READS_M0 ATOMIC NO_ADDRESS}
    DsAppend "ds_append" [Ds 0x3e] (V32) () {READS_M0 ATOMIC NO_ADDRESS}
    DsOrderedCount "ds_ordered_count" [Ds 0x3f] (V32) (V32) {READS_M0 NEEDS_GDS}
    DsAddU64 "ds_add_u64" [Ds 0x40] () (V32 V64) {ATOMIC}
    DsSubU64 "ds_sub_u64" [Ds 0x41] () (V32 V64) {ATOMIC}
    DsRsubU64 "ds_rsub_u64" [Ds 0x42] () (V32 V64) {ATOMIC}
    DsIncU64 "ds_inc_u64" [Ds 0x43] () (V32 V64) {ATOMIC}
    DsDecU64 "ds_dec_u64" [Ds 0x44] () (V32 V64) {ATOMIC}
    DsMinI64 "ds_min_i64" [Ds 0x45] () (V32 V64) {ATOMIC}
    DsMaxI64 "ds_max_i64" [Ds 0x46] () (V32 V64) {ATOMIC}
    DsMinU64 "ds_min_u64" [Ds 0x47] () (V32 V64) {ATOMIC}
    DsMaxU64 "ds_max_u64" [Ds 0x48] () (V32 V64) {ATOMIC}
    DsAndB64 "ds_and_b64" [Ds 0x49] () (V32 V64) {ATOMIC}
    DsOrB64 "ds_or_b64" [Ds 0x4a] () (V32 V64) {ATOMIC}
    DsXorB64 "ds_xor_b64" [Ds 0x4b] () (V32 V64) {ATOMIC}
    DsMskorB64 "ds_mskor_b64" [Ds 0x4c] () (V32 V64 V64) {ATOMIC}
    DsStoreB64 "ds_store_b64" [Ds 0x4d] () (V32 V64) {}
    DsStore2addrB64 "ds_store_2addr_b64" [Ds 0x4e] () (V32 V64 V64) {TWO_ADDRESSES}
    DsStore2addrStride64B64 "ds_store_2addr_stride64_b64" [Ds 0x4f] () (V32 V64 V64) {TWO_ADDRESSES}
    DsCmpstoreB64 "ds_cmpstore_b64" [Ds 0x50] () (V32 V64 V64) {ATOMIC}
    DsCmpstoreF64 "ds_cmpstore_f64" [Ds 0x51] () (V32 V64 V64) {ATOMIC}
    DsMinF64 "ds_min_f64" [Ds 0x52] () (V32 V64) {ATOMIC}
    DsMaxF64 "ds_max_f64" [Ds 0x53] () (V32 V64) {ATOMIC}
    DsAddRtnU64 "ds_add_rtn_u64" [Ds 0x60] (V64) (V32 V64) {ATOMIC}
    DsSubRtnU64 "ds_sub_rtn_u64" [Ds 0x61] (V64) (V32 V64) {ATOMIC}
    DsRsubRtnU64 "ds_rsub_rtn_u64" [Ds 0x62] (V64) (V32 V64) {ATOMIC}
    DsIncRtnU64 "ds_inc_rtn_u64" [Ds 0x63] (V64) (V32 V64) {ATOMIC}
    DsDecRtnU64 "ds_dec_rtn_u64" [Ds 0x64] (V64) (V32 V64) {ATOMIC}
    DsMinRtnI64 "ds_min_rtn_i64" [Ds 0x65] (V64) (V32 V64) {ATOMIC}
    DsMaxRtnI64 "ds_max_rtn_i64" [Ds 0x66] (V64) (V32 V64) {ATOMIC}
    DsMinRtnU64 "ds_min_rtn_u64" [Ds 0x67] (V64) (V32 V64) {ATOMIC}
    DsMaxRtnU64 "ds_max_rtn_u64" [Ds 0x68] (V64) (V32 V64) {ATOMIC}
    DsAndRtnB64 "ds_and_rtn_b64" [Ds 0x69] (V64) (V32 V64) {ATOMIC}
    DsOrRtnB64 "ds_or_rtn_b64" [Ds 0x6a] (V64) (V32 V64) {ATOMIC}
    DsXorRtnB64 "ds_xor_rtn_b64" [Ds 0x6b] (V64) (V32 V64) {ATOMIC}
    DsMskorRtnB64 "ds_mskor_rtn_b64" [Ds 0x6c] (V64) (V32 V64 V64) {ATOMIC}
    DsStorexchgRtnB64 "ds_storexchg_rtn_b64" [Ds 0x6d] (V64) (V32 V64) {ATOMIC}
    DsStorexchg2addrRtnB64 "ds_storexchg_2addr_rtn_b64" [Ds 0x6e] (V128) (V32 V64 V64) {ATOMIC TWO_ADDRESSES}
    DsStorexchg2addrStride64RtnB64 "ds_storexchg_2addr_stride64_rtn_b64" [Ds 0x6f] (V128) (V32 V64 V64) {ATOMIC TWO_ADDRESSES}
    DsCmpstoreRtnB64 "ds_cmpstore_rtn_b64" [Ds 0x70] (V64) (V32 V64 V64) {ATOMIC}
    DsCmpstoreRtnF64 "ds_cmpstore_rtn_f64" [Ds 0x71] (V64) (V32 V64 V64) {ATOMIC}
    DsMinRtnF64 "ds_min_rtn_f64" [Ds 0x72] (V64) (V32 V64) {ATOMIC}
    DsMaxRtnF64 "ds_max_rtn_f64" [Ds 0x73] (V64) (V32 V64) {ATOMIC}
    DsLoadB64 "ds_load_b64" [Ds 0x76] (V64) (V32) {}
    DsLoad2addrB64 "ds_load_2addr_b64" [Ds 0x77] (V128) (V32) {TWO_ADDRESSES}
    DsLoad2addrStride64B64 "ds_load_2addr_stride64_b64" [Ds 0x78] (V128) (V32) {TWO_ADDRESSES}
    DsAddRtnF32 "ds_add_rtn_f32" [Ds 0x79] (V32) (V32 V32) {ATOMIC}
    DsAddGsRegRtn "ds_add_gs_reg_rtn" [Ds 0x7a] (V64) (V32) {READS_M0 NO_ADDRESS NEEDS_GDS}
    DsSubGsRegRtn "ds_sub_gs_reg_rtn" [Ds 0x7b] (V64) (V32) {READS_M0 NO_ADDRESS NEEDS_GDS}
    DsCondxchg32RtnB64 "ds_condxchg32_rtn_b64" [Ds 0x7e] (V64) (V32 V64) {ATOMIC}
    DsStoreB8D16Hi "ds_store_b8_d16_hi" [Ds 0xa0] () (V32 V32) {}
    DsStoreB16D16Hi "ds_store_b16_d16_hi" [Ds 0xa1] () (V32 V32) {}
    DsLoadU8D16 "ds_load_u8_d16" [Ds 0xa2] (V32) (V32) {READS_DST}
    DsLoadU8D16Hi "ds_load_u8_d16_hi" [Ds 0xa3] (V32) (V32) {READS_DST}
    DsLoadI8D16 "ds_load_i8_d16" [Ds 0xa4] (V32) (V32) {READS_DST}
    DsLoadI8D16Hi "ds_load_i8_d16_hi" [Ds 0xa5] (V32) (V32) {READS_DST}
    DsLoadU16D16 "ds_load_u16_d16" [Ds 0xa6] (V32) (V32) {READS_DST}
    DsLoadU16D16Hi "ds_load_u16_d16_hi" [Ds 0xa7] (V32) (V32) {READS_DST}
    DsBvhStackRtnB32 "ds_bvh_stack_rtn_b32" [Ds 0xad] (V32) (V32 V32 V128) {NO_GDS}
    DsStoreAddtidB32 "ds_store_addtid_b32" [Ds 0xb0] () (V32) {READS_M0 NO_ADDRESS}
    DsLoadAddtidB32 "ds_load_addtid_b32" [Ds 0xb1] (V32) () {READS_M0 NO_ADDRESS}
    DsPermuteB32 "ds_permute_b32" [Ds 0xb2] (V32) (V32 V32) {NO_GDS}
    DsBpermuteB32 "ds_bpermute_b32" [Ds 0xb3] (V32) (V32 V32) {NO_GDS}
    DsStoreB96 "ds_store_b96" [Ds 0xde] () (V32 V96) {}
    DsStoreB128 "ds_store_b128" [Ds 0xdf] () (V32 V128) {}
    DsLoadB96 "ds_load_b96" [Ds 0xfe] (V96) (V32) {}
    DsLoadB128 "ds_load_b128" [Ds 0xff] (V128) (V32) {}

    // MUBUF: Buffers; the source is the data.
    BufferLoadFormatX "buffer_load_format_x" [Mubuf 0x00] (V32) () {}
    BufferLoadFormatXy "buffer_load_format_xy" [Mubuf 0x01] (V64) () {}
    BufferLoadFormatXyz "buffer_load_format_xyz" [Mubuf 0x02] (V96) () {}
    BufferLoadFormatXyzw "buffer_load_format_xyzw" [Mubuf 0x03] (V128) () {}
    BufferStoreFormatX "buffer_store_format_x" [Mubuf 0x04] () (V32) {}
    BufferStoreFormatXy "buffer_store_format_xy" [Mubuf 0x05] () (V64) {}
    BufferStoreFormatXyz "buffer_store_format_xyz" [Mubuf 0x06] () (V96) {}
    BufferStoreFormatXyzw "buffer_store_format_xyzw" [Mubuf 0x07] () (V128) {}
    BufferLoadD16FormatX "buffer_load_d16_format_x" [Mubuf 0x08] (V32) () {READS_DST}
    BufferLoadD16FormatXy "buffer_load_d16_format_xy" [Mubuf 0x09] (V32) () {}
    BufferLoadD16FormatXyz "buffer_load_d16_format_xyz" [Mubuf 0x0a] (V64) () {READS_DST}
    BufferLoadD16FormatXyzw "buffer_load_d16_format_xyzw" [Mubuf 0x0b] (V64) () {}
    BufferStoreD16FormatX "buffer_store_d16_format_x" [Mubuf 0x0c] () (V32) {}
    BufferStoreD16FormatXy "buffer_store_d16_format_xy" [Mubuf 0x0d] () (V32) {}
    BufferStoreD16FormatXyz "buffer_store_d16_format_xyz" [Mubuf 0x0e] () (V64) {}
    BufferStoreD16FormatXyzw "buffer_store_d16_format_xyzw" [Mubuf 0x0f] () (V64) {}
    BufferLoadU8 "buffer_load_u8" [Mubuf 0x10] (V32) () {}
    BufferLoadI8 "buffer_load_i8" [Mubuf 0x11] (V32) () {}
    BufferLoadU16 "buffer_load_u16" [Mubuf 0x12] (V32) () {}
    BufferLoadI16 "buffer_load_i16" [Mubuf 0x13] (V32) () {}
    BufferLoadB32 "buffer_load_b32" [Mubuf 0x14] (V32) () {}
    BufferLoadB64 "buffer_load_b64" [Mubuf 0x15] (V64) () {}
    BufferLoadB96 "buffer_load_b96" [Mubuf 0x16] (V96) () {}
    BufferLoadB128 "buffer_load_b128" [Mubuf 0x17] (V128) () {}
    BufferStoreB8 "buffer_store_b8" [Mubuf 0x18] () (V32) {}
    BufferStoreB16 "buffer_store_b16" [Mubuf 0x19] () (V32) {}
    BufferStoreB32 "buffer_store_b32" [Mubuf 0x1a] () (V32) {}
    BufferStoreB64 "buffer_store_b64" [Mubuf 0x1b] () (V64) {}
    BufferStoreB96 "buffer_store_b96" [Mubuf 0x1c] () (V96) {}
    BufferStoreB128 "buffer_store_b128" [Mubuf 0x1d] () (V128) {}
    BufferLoadD16U8 "buffer_load_d16_u8" [Mubuf 0x1e] (V32) () {READS_DST}
    BufferLoadD16I8 "buffer_load_d16_i8" [Mubuf 0x1f] (V32) () {READS_DST}
    BufferLoadD16B16 "buffer_load_d16_b16" [Mubuf 0x20] (V32) () {READS_DST}
    BufferLoadD16HiU8 "buffer_load_d16_hi_u8" [Mubuf 0x21] (V32) () {READS_DST}
    BufferLoadD16HiI8 "buffer_load_d16_hi_i8" [Mubuf 0x22] (V32) () {READS_DST}
    BufferLoadD16HiB16 "buffer_load_d16_hi_b16" [Mubuf 0x23] (V32) () {READS_DST}
    BufferStoreD16HiB8 "buffer_store_d16_hi_b8" [Mubuf 0x24] () (V32) {}
    BufferStoreD16HiB16 "buffer_store_d16_hi_b16" [Mubuf 0x25] () (V32) {}
    BufferLoadD16HiFormatX "buffer_load_d16_hi_format_x" [Mubuf 0x26] (V32) () {READS_DST}
    BufferStoreD16HiFormatX "buffer_store_d16_hi_format_x" [Mubuf 0x27] () (V32) {}
    BufferGl0Inv "buffer_gl0_inv" [Mubuf 0x2b] () () {}
    BufferGl1Inv "buffer_gl1_inv" [Mubuf 0x2c] () () {}
    BufferAtomicSwapB32 "buffer_atomic_swap_b32" [Mubuf 0x33] (V32) (V32) {ATOMIC}
    BufferAtomicCmpswapB32 "buffer_atomic_cmpswap_b32" [Mubuf 0x34] (V32) (V64) {ATOMIC}
    BufferAtomicAddU32 "buffer_atomic_add_u32" [Mubuf 0x35] (V32) (V32) {ATOMIC}
    BufferAtomicSubU32 "buffer_atomic_sub_u32" [Mubuf 0x36] (V32) (V32) {ATOMIC}
    BufferAtomicCsubU32 "buffer_atomic_csub_u32" [Mubuf 0x37] (V32) (V32) {ATOMIC}
    BufferAtomicMinI32 "buffer_atomic_min_i32" [Mubuf 0x38] (V32) (V32) {ATOMIC}
    BufferAtomicMinU32 "buffer_atomic_min_u32" [Mubuf 0x39] (V32) (V32) {ATOMIC}
    BufferAtomicMaxI32 "buffer_atomic_max_i32" [Mubuf 0x3a] (V32) (V32) {ATOMIC}
    BufferAtomicMaxU32 "buffer_atomic_max_u32" [Mubuf 0x3b] (V32) (V32) {ATOMIC}
    BufferAtomicAndB32 "buffer_atomic_and_b32" [Mubuf 0x3c] (V32) (V32) {ATOMIC}
    BufferAtomicOrB32 "buffer_atomic_or_b32" [Mubuf 0x3d] (V32) (V32) {ATOMIC}
    BufferAtomicXorB32 "buffer_atomic_xor_b32" [Mubuf 0x3e] (V32) (V32) {ATOMIC}
    BufferAtomicIncU32 "buffer_atomic_inc_u32" [Mubuf 0x3f] (V32) (V32) {ATOMIC}
    BufferAtomicDecU32 "buffer_atomic_dec_u32" [Mubuf 0x40] (V32) (V32) {ATOMIC}
    BufferAtomicSwapB64 "buffer_atomic_swap_b64" [Mubuf 0x41] (V64) (V64) {ATOMIC}
    BufferAtomicCmpswapB64 "buffer_atomic_cmpswap_b64" [Mubuf 0x42] (V64) (V128) {ATOMIC}
    BufferAtomicAddU64 "buffer_atomic_add_u64" [Mubuf 0x43] (V64) (V64) {ATOMIC}
    BufferAtomicSubU64 "buffer_atomic_sub_u64" [Mubuf 0x44] (V64) (V64) {ATOMIC}
    BufferAtomicMinI64 "buffer_atomic_min_i64" [Mubuf 0x45] (V64) (V64) {ATOMIC}
    BufferAtomicMinU64 "buffer_atomic_min_u64" [Mubuf 0x46] (V64) (V64) {ATOMIC}
    BufferAtomicMaxI64 "buffer_atomic_max_i64" [Mubuf 0x47] (V64) (V64) {ATOMIC}
    BufferAtomicMaxU64 "buffer_atomic_max_u64" [Mubuf 0x48] (V64) (V64) {ATOMIC}
    BufferAtomicAndB64 "buffer_atomic_and_b64" [Mubuf 0x49] (V64) (V64) {ATOMIC}
    BufferAtomicOrB64 "buffer_atomic_or_b64" [Mubuf 0x4a] (V64) (V64) {ATOMIC}
    BufferAtomicXorB64 "buffer_atomic_xor_b64" [Mubuf 0x4b] (V64) (V64) {ATOMIC}
    BufferAtomicIncU64 "buffer_atomic_inc_u64" [Mubuf 0x4c] (V64) (V64) {ATOMIC}
    BufferAtomicDecU64 "buffer_atomic_dec_u64" [Mubuf 0x4d] (V64) (V64) {ATOMIC}
    BufferAtomicCmpswapF32 "buffer_atomic_cmpswap_f32" [Mubuf 0x50] (V32) (V64) {ATOMIC}
    BufferAtomicMinF32 "buffer_atomic_min_f32" [Mubuf 0x51] (V32) (V32) {ATOMIC}
    BufferAtomicMaxF32 "buffer_atomic_max_f32" [Mubuf 0x52] (V32) (V32) {ATOMIC}
    BufferAtomicAddF32 "buffer_atomic_add_f32" [Mubuf 0x56] (V32) (V32) {ATOMIC}

    // FLAT: Flat addresses; the source is the data.
    FlatLoadU8 "flat_load_u8" [Flat 0x10] (V32) () {}
    FlatLoadI8 "flat_load_i8" [Flat 0x11] (V32) () {}
    FlatLoadU16 "flat_load_u16" [Flat 0x12] (V32) () {}
    FlatLoadI16 "flat_load_i16" [Flat 0x13] (V32) () {}
    FlatLoadB32 "flat_load_b32" [Flat 0x14] (V32) () {}
    FlatLoadB64 "flat_load_b64" [Flat 0x15] (V64) () {}
    FlatLoadB96 "flat_load_b96" [Flat 0x16] (V96) () {}
    FlatLoadB128 "flat_load_b128" [Flat 0x17] (V128) () {}
    FlatStoreB8 "flat_store_b8" [Flat 0x18] () (V32) {}
    FlatStoreB16 "flat_store_b16" [Flat 0x19] () (V32) {}
    FlatStoreB32 "flat_store_b32" [Flat 0x1a] () (V32) {}
    FlatStoreB64 "flat_store_b64" [Flat 0x1b] () (V64) {}
    FlatStoreB96 "flat_store_b96" [Flat 0x1c] () (V96) {}
    FlatStoreB128 "flat_store_b128" [Flat 0x1d] () (V128) {}
    FlatLoadD16U8 "flat_load_d16_u8" [Flat 0x1e] (V32) () {READS_DST}
    FlatLoadD16I8 "flat_load_d16_i8" [Flat 0x1f] (V32) () {READS_DST}
    FlatLoadD16B16 "flat_load_d16_b16" [Flat 0x20] (V32) () {READS_DST}
    FlatLoadD16HiU8 "flat_load_d16_hi_u8" [Flat 0x21] (V32) () {READS_DST}
    FlatLoadD16HiI8 "flat_load_d16_hi_i8" [Flat 0x22] (V32) () {READS_DST}
    FlatLoadD16HiB16 "flat_load_d16_hi_b16" [Flat 0x23] (V32) () {READS_DST}
    FlatStoreD16HiB8 "flat_store_d16_hi_b8" [Flat 0x24] () (V32) {}
    FlatStoreD16HiB16 "flat_store_d16_hi_b16" [Flat 0x25] () (V32) {}
    FlatAtomicSwapB32 "flat_atomic_swap_b32" [Flat 0x33] (V32) (V32) {ATOMIC}
    FlatAtomicCmpswapB32 "flat_atomic_cmpswap_b32" [Flat 0x34] (V32) (V64) {ATOMIC}
    FlatAtomicAddU32 "flat_atomic_add_u32" [Flat 0x35] (V32) (V32) {ATOMIC}
    FlatAtomicSubU32 "flat_atomic_sub_u32" [Flat 0x36] (V32) (V32) {ATOMIC}
    FlatAtomicMinI32 "flat_atomic_min_i32" [Flat 0x38] (V32) (V32) {ATOMIC}
    FlatAtomicMinU32 "flat_atomic_min_u32" [Flat 0x39] (V32) (V32) {ATOMIC}
    FlatAtomicMaxI32 "flat_atomic_max_i32" [Flat 0x3a] (V32) (V32) {ATOMIC}
    FlatAtomicMaxU32 "flat_atomic_max_u32" [Flat 0x3b] (V32) (V32) {ATOMIC}
    FlatAtomicAndB32 "flat_atomic_and_b32" [Flat 0x3c] (V32) (V32) {ATOMIC}
    FlatAtomicOrB32 "flat_atomic_or_b32" [Flat 0x3d] (V32) (V32) {ATOMIC}
    FlatAtomicXorB32 "flat_atomic_xor_b32" [Flat 0x3e] (V32) (V32) {ATOMIC}
    FlatAtomicIncU32 "flat_atomic_inc_u32" [Flat 0x3f] (V32) (V32) {ATOMIC}
    FlatAtomicDecU32 "flat_atomic_dec_u32" [Flat 0x40] (V32) (V32) {ATOMIC}
    FlatAtomicSwapB64 "flat_atomic_swap_b64" [Flat 0x41] (V64) (V64) {ATOMIC}
    FlatAtomicCmpswapB64 "flat_atomic_cmpswap_b64" [Flat 0x42] (V64) (V128) {ATOMIC}
    FlatAtomicAddU64 "flat_atomic_add_u64" [Flat 0x43] (V64) (V64) {ATOMIC}
    FlatAtomicSubU64 "flat_atomic_sub_u64" [Flat 0x44] (V64) (V64) {ATOMIC}
    FlatAtomicMinI64 "flat_atomic_min_i64" [Flat 0x45] (V64) (V64) {ATOMIC}
    FlatAtomicMinU64 "flat_atomic_min_u64" [Flat 0x46] (V64) (V64) {ATOMIC}
    FlatAtomicMaxI64 "flat_atomic_max_i64" [Flat 0x47] (V64) (V64) {ATOMIC}
    FlatAtomicMaxU64 "flat_atomic_max_u64" [Flat 0x48] (V64) (V64) {ATOMIC}
    FlatAtomicAndB64 "flat_atomic_and_b64" [Flat 0x49] (V64) (V64) {ATOMIC}
    FlatAtomicOrB64 "flat_atomic_or_b64" [Flat 0x4a] (V64) (V64) {ATOMIC}
    FlatAtomicXorB64 "flat_atomic_xor_b64" [Flat 0x4b] (V64) (V64) {ATOMIC}
    FlatAtomicIncU64 "flat_atomic_inc_u64" [Flat 0x4c] (V64) (V64) {ATOMIC}
    FlatAtomicDecU64 "flat_atomic_dec_u64" [Flat 0x4d] (V64) (V64) {ATOMIC}
    FlatAtomicCmpswapF32 "flat_atomic_cmpswap_f32" [Flat 0x50] (V32) (V64) {ATOMIC}
    FlatAtomicMinF32 "flat_atomic_min_f32" [Flat 0x51] (V32) (V32) {ATOMIC}
    FlatAtomicMaxF32 "flat_atomic_max_f32" [Flat 0x52] (V32) (V32) {ATOMIC}
    FlatAtomicAddF32 "flat_atomic_add_f32" [Flat 0x56] (V32) (V32) {ATOMIC}

    // GLOBAL: Global addresses; the source is the data.
    GlobalLoadU8 "global_load_u8" [Global 0x10] (V32) () {}
    GlobalLoadI8 "global_load_i8" [Global 0x11] (V32) () {}
    GlobalLoadU16 "global_load_u16" [Global 0x12] (V32) () {}
    GlobalLoadI16 "global_load_i16" [Global 0x13] (V32) () {}
    GlobalLoadB32 "global_load_b32" [Global 0x14] (V32) () {}
    GlobalLoadB64 "global_load_b64" [Global 0x15] (V64) () {}
    GlobalLoadB96 "global_load_b96" [Global 0x16] (V96) () {}
    GlobalLoadB128 "global_load_b128" [Global 0x17] (V128) () {}
    GlobalStoreB8 "global_store_b8" [Global 0x18] () (V32) {}
    GlobalStoreB16 "global_store_b16" [Global 0x19] () (V32) {}
    GlobalStoreB32 "global_store_b32" [Global 0x1a] () (V32) {}
    GlobalStoreB64 "global_store_b64" [Global 0x1b] () (V64) {}
    GlobalStoreB96 "global_store_b96" [Global 0x1c] () (V96) {}
    GlobalStoreB128 "global_store_b128" [Global 0x1d] () (V128) {}
    GlobalLoadD16U8 "global_load_d16_u8" [Global 0x1e] (V32) () {READS_DST}
    GlobalLoadD16I8 "global_load_d16_i8" [Global 0x1f] (V32) () {READS_DST}
    GlobalLoadD16B16 "global_load_d16_b16" [Global 0x20] (V32) () {READS_DST}
    GlobalLoadD16HiU8 "global_load_d16_hi_u8" [Global 0x21] (V32) () {READS_DST}
    GlobalLoadD16HiI8 "global_load_d16_hi_i8" [Global 0x22] (V32) () {READS_DST}
    GlobalLoadD16HiB16 "global_load_d16_hi_b16" [Global 0x23] (V32) () {READS_DST}
    GlobalStoreD16HiB8 "global_store_d16_hi_b8" [Global 0x24] () (V32) {}
    GlobalStoreD16HiB16 "global_store_d16_hi_b16" [Global 0x25] () (V32) {}
    GlobalLoadAddtidB32 "global_load_addtid_b32" [Global 0x28] (V32) () {NO_ADDRESS}
    GlobalStoreAddtidB32 "global_store_addtid_b32" [Global 0x29] () (V32) {NO_ADDRESS}
    GlobalAtomicSwapB32 "global_atomic_swap_b32" [Global 0x33] (V32) (V32) {ATOMIC}
    GlobalAtomicCmpswapB32 "global_atomic_cmpswap_b32" [Global 0x34] (V32) (V64) {ATOMIC}
    GlobalAtomicAddU32 "global_atomic_add_u32" [Global 0x35] (V32) (V32) {ATOMIC}
    GlobalAtomicSubU32 "global_atomic_sub_u32" [Global 0x36] (V32) (V32) {ATOMIC}
    GlobalAtomicCsubU32 "global_atomic_csub_u32" [Global 0x37] (V32) (V32) {ATOMIC}
    GlobalAtomicMinI32 "global_atomic_min_i32" [Global 0x38] (V32) (V32) {ATOMIC}
    GlobalAtomicMinU32 "global_atomic_min_u32" [Global 0x39] (V32) (V32) {ATOMIC}
    GlobalAtomicMaxI32 "global_atomic_max_i32" [Global 0x3a] (V32) (V32) {ATOMIC}
    GlobalAtomicMaxU32 "global_atomic_max_u32" [Global 0x3b] (V32) (V32) {ATOMIC}
    GlobalAtomicAndB32 "global_atomic_and_b32" [Global 0x3c] (V32) (V32) {ATOMIC}
    GlobalAtomicOrB32 "global_atomic_or_b32" [Global 0x3d] (V32) (V32) {ATOMIC}
    GlobalAtomicXorB32 "global_atomic_xor_b32" [Global 0x3e] (V32) (V32) {ATOMIC}
    GlobalAtomicIncU32 "global_atomic_inc_u32" [Global 0x3f] (V32) (V32) {ATOMIC}
    GlobalAtomicDecU32 "global_atomic_dec_u32" [Global 0x40] (V32) (V32) {ATOMIC}
    GlobalAtomicSwapB64 "global_atomic_swap_b64" [Global 0x41] (V64) (V64) {ATOMIC}
    GlobalAtomicCmpswapB64 "global_atomic_cmpswap_b64" [Global 0x42] (V64) (V128) {ATOMIC}
    GlobalAtomicAddU64 "global_atomic_add_u64" [Global 0x43] (V64) (V64) {ATOMIC}
    GlobalAtomicSubU64 "global_atomic_sub_u64" [Global 0x44] (V64) (V64) {ATOMIC}
    GlobalAtomicMinI64 "global_atomic_min_i64" [Global 0x45] (V64) (V64) {ATOMIC}
    GlobalAtomicMinU64 "global_atomic_min_u64" [Global 0x46] (V64) (V64) {ATOMIC}
    GlobalAtomicMaxI64 "global_atomic_max_i64" [Global 0x47] (V64) (V64) {ATOMIC}
    GlobalAtomicMaxU64 "global_atomic_max_u64" [Global 0x48] (V64) (V64) {ATOMIC}
    GlobalAtomicAndB64 "global_atomic_and_b64" [Global 0x49] (V64) (V64) {ATOMIC}
    GlobalAtomicOrB64 "global_atomic_or_b64" [Global 0x4a] (V64) (V64) {ATOMIC}
    GlobalAtomicXorB64 "global_atomic_xor_b64" [Global 0x4b] (V64) (V64) {ATOMIC}
    GlobalAtomicIncU64 "global_atomic_inc_u64" [Global 0x4c] (V64) (V64) {ATOMIC}
    GlobalAtomicDecU64 "global_atomic_dec_u64" [Global 0x4d] (V64) (V64) {ATOMIC}
    GlobalAtomicCmpswapF32 "global_atomic_cmpswap_f32" [Global 0x50] (V32) (V64) {ATOMIC}
    GlobalAtomicMinF32 "global_atomic_min_f32" [Global 0x51] (V32) (V32) {ATOMIC}
    GlobalAtomicMaxF32 "global_atomic_max_f32" [Global 0x52] (V32) (V32) {ATOMIC}
    GlobalAtomicAddF32 "global_atomic_add_f32" [Global 0x56] (V32) (V32) {ATOMIC}

    // SCRATCH: Private addresses; the source is the data.
    ScratchLoadU8 "scratch_load_u8" [Scratch 0x10] (V32) () {}
    ScratchLoadI8 "scratch_load_i8" [Scratch 0x11] (V32) () {}
    ScratchLoadU16 "scratch_load_u16" [Scratch 0x12] (V32) () {}
    ScratchLoadI16 "scratch_load_i16" [Scratch 0x13] (V32) () {}
    ScratchLoadB32 "scratch_load_b32" [Scratch 0x14] (V32) () {}
    ScratchLoadB64 "scratch_load_b64" [Scratch 0x15] (V64) () {}
    ScratchLoadB96 "scratch_load_b96" [Scratch 0x16] (V96) () {}
    ScratchLoadB128 "scratch_load_b128" [Scratch 0x17] (V128) () {}
    ScratchStoreB8 "scratch_store_b8" [Scratch 0x18] () (V32) {}
    ScratchStoreB16 "scratch_store_b16" [Scratch 0x19] () (V32) {}
    ScratchStoreB32 "scratch_store_b32" [Scratch 0x1a] () (V32) {}
    ScratchStoreB64 "scratch_store_b64" [Scratch 0x1b] () (V64) {}
    ScratchStoreB96 "scratch_store_b96" [Scratch 0x1c] () (V96) {}
    ScratchStoreB128 "scratch_store_b128" [Scratch 0x1d] () (V128) {}
    ScratchLoadD16U8 "scratch_load_d16_u8" [Scratch 0x1e] (V32) () {READS_DST}
    ScratchLoadD16I8 "scratch_load_d16_i8" [Scratch 0x1f] (V32) () {READS_DST}
    ScratchLoadD16B16 "scratch_load_d16_b16" [Scratch 0x20] (V32) () {READS_DST}
    ScratchLoadD16HiU8 "scratch_load_d16_hi_u8" [Scratch 0x21] (V32) () {READS_DST}
    ScratchLoadD16HiI8 "scratch_load_d16_hi_i8" [Scratch 0x22] (V32) () {READS_DST}
    ScratchLoadD16HiB16 "scratch_load_d16_hi_b16" [Scratch 0x23] (V32) () {READS_DST}
    ScratchStoreD16HiB8 "scratch_store_d16_hi_b8" [Scratch 0x24] () (V32) {}
    ScratchStoreD16HiB16 "scratch_store_d16_hi_b16" [Scratch 0x25] () (V32) {}
}
