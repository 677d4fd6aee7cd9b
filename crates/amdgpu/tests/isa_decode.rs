//! What decoded instructions hold, and how decoding fails.

use amdgpu::isa::{
    self, Cdna, DecodeError, DecodeErrorKind, Dpp, DppControl, Encoding, Flags, Generation,
    InlineFloat, Instruction, Opcode, Operand, OutputModifier, Sdwa, Selection, Special, Type,
    Unused, WaveSize,
};
use proptest::prelude::*;

fn decode(wave: WaveSize, code: &[u8], offset: usize) -> Result<Instruction, DecodeError> {
    isa::decode(Generation::Gfx11, wave, code, offset)
}

fn gfx9(words: &[u32]) -> Instruction {
    isa::decode(
        Generation::Gfx9(Cdna::Cdna3),
        WaveSize::Wave64,
        &bytes(words),
        0,
    )
    .expect("valid")
}

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn wave32(words: &[u32]) -> Instruction {
    decode(WaveSize::Wave32, &bytes(words), 0).expect("valid")
}

const fn v(index: u8) -> Operand {
    Operand::Vgpr { index, dwords: 1 }
}

const fn s(index: u8, dwords: u8) -> Operand {
    Operand::Sgpr { index, dwords }
}

const VCC_LO: Operand = Operand::Special {
    reg: Special::VccLo,
    dwords: 1,
};

#[test]
fn short_and_long_forms_have_the_same_operands() {
    let short = wave32(&[0x0602_0602]);
    let long = wave32(&[0xd503_0001, 0x0002_0602]);
    assert_eq!(short.to_string(), "v_add_f32_e32 v1, s2, v3");
    assert_eq!(long.to_string(), "v_add_f32_e64 v1, s2, v3");
    assert_eq!(
        (short.op, short.encoding),
        (Opcode::VAddF32, Encoding::Vop2)
    );
    assert_eq!((long.op, long.encoding), (Opcode::VAddF32, Encoding::Vop3));
    assert_eq!(short.dst[0], long.dst[0]);
    assert_eq!(short.src[..2], [s(2, 1), v(3)]);
}

#[test]
fn vcc_is_explicit() {
    let select = wave32(&[0x0202_0602]);
    assert_eq!(select.to_string(), "v_cndmask_b32_e32 v1, s2, v3, vcc_lo");
    assert_eq!(select.src[..3], [s(2, 1), v(3), VCC_LO]);

    let add = wave32(&[0x4002_0602]);
    assert_eq!(
        add.to_string(),
        "v_add_co_ci_u32_e32 v1, vcc_lo, s2, v3, vcc_lo"
    );
    assert_eq!(add.dst, [v(1), VCC_LO]);
    assert_eq!(add.src[2], VCC_LO);

    let compare = wave32(&[0x7c22_0602]);
    assert_eq!(compare.to_string(), "v_cmp_lt_f32_e32 vcc_lo, s2, v3");
    assert_eq!(compare.dst[0], VCC_LO);

    let wide = decode(WaveSize::Wave64, &bytes(&[0x7c22_0602]), 0).expect("valid");
    assert_eq!(wide.to_string(), "v_cmp_lt_f32_e32 vcc, s2, v3");
    assert_eq!(wide.dst[0].dwords(), 2);
}

#[test]
fn compares_to_exec_write_exec() {
    let compare = wave32(&[0x7d22_0602]);
    assert_eq!(compare.to_string(), "v_cmpx_lt_f32_e32 s2, v3");
    let exec = Operand::Special {
        reg: Special::ExecLo,
        dwords: 1,
    };
    assert_eq!(compare.dst[0], exec);
    assert!(compare.info().flags.contains(Flags::WRITES_EXEC));
}

#[test]
fn modifiers_are_masks() {
    let add = wave32(&[0xd503_8201, 0x7802_0602]);
    assert_eq!(add.to_string(), "v_add_f32_e64 v1, -s2, -|v3| clamp div:2");
    assert_eq!((add.modifiers.neg, add.modifiers.abs), (3, 2));
    assert!(add.modifiers.clamp);
    assert_eq!(add.modifiers.omod, OutputModifier::Div2);

    let half = wave32(&[0x6502_0602]);
    assert_eq!(half.to_string(), "v_add_f16_e32 v1.h, s2, v3.l");
    assert_eq!(half.modifiers.op_sel, 8);
}

#[test]
fn packed_selects_halves() {
    let packed = wave32(&[0xcc0f_5001, 0x1002_0602]);
    assert_eq!(
        packed.to_string(),
        "v_pk_add_f16 v1, s2, v3 op_sel:[0,1] op_sel_hi:[0,1]"
    );
    assert_eq!(
        (packed.modifiers.op_sel, packed.modifiers.op_sel_hi),
        (2, 2)
    );
}

#[test]
fn dual_issue_holds_two_instructions() {
    let pair = wave32(&[0xc888_0903, 0x0702_0d05, 0x1234]);
    assert_eq!(
        pair.to_string(),
        "v_dual_fmamk_f32 v7, v3, 0x1234, v4 :: v_dual_add_f32 v2, v5, v6"
    );
    assert_eq!((pair.op, pair.size_bytes), (Opcode::VFmamkF32, 12));
    assert_eq!(pair.src[..3], [v(3), Operand::Literal(0x1234), v(4)]);
    let second = pair.dual.expect("a second component");
    assert_eq!((second.op, second.dst[0]), (Opcode::VAddF32, v(2)));
    assert_eq!(second.src[..2], [v(5), v(6)]);
}

#[test]
fn lane_permutations_are_decoded() {
    let add = wave32(&[0x0602_06fa, 0xa50c_1b02]);
    assert_eq!(
        add.modifiers.dpp,
        Some(Dpp::Row {
            control: DppControl::QuadPerm([3, 2, 1, 0]),
            row_mask: 0xa,
            bank_mask: 5,
            bound_control: true,
            fetch_inactive: true,
        })
    );
    assert_eq!(add.src[..2], [v(2), v(3)]);
    assert_eq!(add.size_bytes, 8);
}

#[test]
fn memory_operands_have_fixed_places() {
    let load = wave32(&[0xdc52_0010, 0x0504_0003]);
    assert_eq!(load.to_string(), "global_load_b32 v5, v3, s[4:5] offset:16");
    assert_eq!(load.dst[0], v(5));
    assert_eq!(load.src, [v(3), s(4, 2), Operand::None, Operand::None]);
    assert_eq!(load.modifiers.offset, 16);

    let store = wave32(&[0xe068_0008, 0x8041_0203]);
    assert_eq!(
        store.to_string(),
        "buffer_store_b32 v2, v3, s[4:7], 0 offen offset:8"
    );
    assert_eq!(store.src, [v(3), s(4, 4), Operand::Int(0), v(2)]);

    let exchange = wave32(&[0xd8b8_0201, 0x0103_0204]);
    assert_eq!(
        exchange.to_string(),
        "ds_storexchg_2addr_rtn_b32 v[1:2], v4, v2, v3 offset0:1 offset1:2"
    );
    assert_eq!(exchange.src[..3], [v(4), v(2), v(3)]);
    assert_eq!(
        (exchange.modifiers.offset, exchange.modifiers.offset1),
        (1, 2)
    );
}

#[test]
fn atomics_return_only_when_asked() {
    let silent = wave32(&[0xdcd6_0000, 0x007c_0203]);
    assert_eq!(silent.to_string(), "global_atomic_add_u32 v[3:4], v2, off");
    assert_eq!(silent.dst[0], Operand::None);
    let returning = wave32(&[0xdcd6_4000, 0x017c_0203]);
    assert_eq!(returning.dst[0], v(1));
    assert!(returning.info().flags.contains(Flags::ATOMIC));
}

#[test]
fn branches_resolve() {
    let back = wave32(&[0xbfa0_fffe]);
    assert_eq!(back.to_string(), "s_branch 65534");
    assert_eq!(back.branch_target(0x100), Some(0xfc));
    assert_eq!(wave32(&[0xbfa1_0010]).branch_target(0), Some(0x44));
    assert_eq!(wave32(&[0xbf80_0000]).branch_target(0), None);
}

#[test]
fn constants_widen_by_type() {
    let cases = [
        (Operand::Int(-1), Type::B16, 0xffff),
        (Operand::Int(-1), Type::F32, 0xffff_ffff),
        (Operand::Int(-16), Type::B64, 0xffff_ffff_ffff_fff0),
        (Operand::Float(InlineFloat::One), Type::F16, 0x3c00),
        (Operand::Float(InlineFloat::One), Type::B32, 0x3f80_0000),
        (
            Operand::Float(InlineFloat::MinusTwo),
            Type::F64,
            0xc000_0000_0000_0000,
        ),
        (Operand::Float(InlineFloat::One), Type::PkBf16, 0x3f80),
        (
            Operand::Literal(0x1234_5678),
            Type::F64,
            0x1234_5678_0000_0000,
        ),
        (Operand::Literal(0xffff_fff0), Type::B64, 0xffff_fff0),
        (Operand::Literal(0x1234_5678), Type::F16, 0x5678),
    ];
    for (operand, ty, bits) in cases {
        assert_eq!(operand.constant(ty), Some(bits), "{operand:?} as {ty:?}");
    }
    assert_eq!(v(0).constant(Type::B32), None);
    let inverse = f64::from_bits(InlineFloat::InvTwoPi.f64_bits());
    assert!((inverse - 0.5 / std::f64::consts::PI).abs() < 1e-16);
}

#[test]
fn errors_name_format_number_words_and_place() {
    let cases = [
        (
            &[0xffff_ffff_u32][..],
            DecodeErrorKind::UnknownFormat,
            None,
            None,
        ),
        (
            &[0xf000_0000, 0],
            DecodeErrorKind::UnsupportedFormat,
            Some("MIMG"),
            None,
        ),
        (
            &[0xd7ff_0000, 0],
            DecodeErrorKind::UnknownOpcode,
            Some("VOP3"),
            Some(0x3ff),
        ),
        (
            &[0xd503_0001],
            DecodeErrorKind::Truncated,
            Some("VOP3"),
            Some(0x103),
        ),
        (
            &[0xbe80_00ff],
            DecodeErrorKind::Truncated,
            Some("SOP1"),
            Some(0),
        ),
        (
            &[0xbe80_00d2],
            DecodeErrorKind::BadOperand("ssrc0"),
            Some("SOP1"),
            Some(0),
        ),
        (
            &[0xbfbd_0001],
            DecodeErrorKind::ReservedField("simm16"),
            Some("SOPP"),
            Some(0x3d),
        ),
    ];
    for (words, kind, format, number) in cases {
        let mut code = vec![0; 8];
        code.extend(bytes(words));
        let error = decode(WaveSize::Wave32, &code, 8).expect_err("invalid");
        assert_eq!(
            (error.kind, error.format, error.number),
            (kind, format, number),
            "{words:08x?}"
        );
        assert_eq!((error.offset, error.words[0]), (8, Some(words[0])));
    }
    let error = decode(WaveSize::Wave32, &bytes(&[0xd7ff_0000, 0x12]), 0).expect_err("invalid");
    assert_eq!(
        error.to_string(),
        "no such instruction: VOP3 opcode 0x3ff at offset 0x0, words d7ff0000 00000012"
    );
}

#[test]
fn offsets_beyond_the_code_are_errors() {
    let code = bytes(&[0xbf80_0000]);
    for offset in [1, 4, 5, usize::MAX - 3, usize::MAX] {
        let error = decode(WaveSize::Wave32, &code, offset).expect_err("beyond");
        assert_eq!(error.kind, DecodeErrorKind::Truncated);
    }
}

#[test]
fn gfx9_names_parts_of_dwords() {
    let add = gfx9(&[0x0204_06f9, 0x0506_0601]);
    assert_eq!(
        add.to_string(),
        "v_add_f32_sdwa v2, v1, v3 dst_sel:DWORD dst_unused:UNUSED_PAD src0_sel:DWORD src1_sel:WORD_1"
    );
    let sum = gfx9(&[0x4c04_06f9, 0x0c0b_1101]);
    assert_eq!(
        sum.to_string(),
        "v_add_u16_sdwa v2, sext(v1), sext(v3) dst_sel:BYTE_1 dst_unused:UNUSED_PRESERVE src0_sel:BYTE_3 src1_sel:WORD_0"
    );
    assert_eq!(
        sum.modifiers.sdwa,
        Some(Sdwa {
            dst: Selection::Byte(1),
            unused: Unused::Preserve,
            src: [Selection::Byte(3), Selection::Word(0)],
            sext: 3,
        })
    );
    let compare = gfx9(&[0x7c44_04f9, 0x8605_8801]);
    assert_eq!(
        compare.to_string(),
        "v_cmp_eq_f16_sdwa s[8:9], v1, s2 src0_sel:WORD_1 src1_sel:DWORD"
    );
    assert_eq!(compare.dst[0], s(8, 2));
}

#[test]
fn gfx9_permutes_lanes_across_rows() {
    let control = |instruction: Instruction| match instruction.modifiers.dpp {
        Some(Dpp::Row { control, .. }) => control,
        other => panic!("{other:?}"),
    };
    let add = gfx9(&[0x0204_06fa, 0xa501_4201]);
    assert_eq!(
        add.to_string(),
        "v_add_f32_dpp v2, v1, v3 row_bcast:15 row_mask:0xa bank_mask:0x5"
    );
    assert_eq!(control(add), DppControl::RowBcast15);
    // Pairs of registers can only be broadcast.
    let pair = gfx9(&[0x7e04_70fa, 0xff01_5300 | 4]);
    assert_eq!(
        pair.to_string(),
        "v_mov_b64_dpp v[2:3], v[4:5] row_newbcast:3 row_mask:0xf bank_mask:0xf"
    );
    assert_eq!(control(pair), DppControl::RowShare(3));
    gfx9_refuses(
        &[0x7e04_70fa, 0xff01_1104],
        DecodeErrorKind::BadOperand("dpp_ctrl"),
    );
}

#[test]
fn gfx9_has_accumulation_registers() {
    let product = gfx9(&[0xd3cd_8100, 0x0c42_1104]);
    assert_eq!(
        product.to_string(),
        "v_mfma_f32_16x16x16_f16 a[0:3], a[4:5], v[8:9], a[16:19] cbsz:1"
    );
    let a = |index, dwords| Operand::Agpr { index, dwords };
    assert_eq!(product.dst[0], a(0, 4));
    assert_eq!(product.src[0], a(4, 2));
    assert_eq!(product.src[2], a(16, 4));
    assert_eq!(product.modifiers.broadcast_size, 1);
    let load = gfx9(&[0xdc50_8000, 0x057f_0002 | 1 << 23]);
    assert_eq!(load.to_string(), "global_load_dword a5, v[2:3], off");
    assert_eq!(load.dst[0], a(5, 1));
    // Tuples begin at even registers.
    gfx9_refuses(
        &[0xd3cd_8100, 0x0c42_1105],
        DecodeErrorKind::BadOperand("src0"),
    );
}

#[test]
fn gfx9_operations_are_those_of_gfx11_under_old_names() {
    let load = gfx9(&[0xc002_4003, 0x0200_0010]);
    assert_eq!(load.to_string(), "s_load_dword s0, s[6:7], s1 offset:0x10");
    assert_eq!((load.op, load.op.name()), (Opcode::SLoadB32, "s_load_b32"));
    assert_eq!(load.src[..2], [s(6, 2), s(1, 1)]);
    let sum = gfx9(&[0x6802_0602]);
    assert_eq!(sum.to_string(), "v_add_u32_e32 v1, s2, v3");
    assert_eq!(sum.op, Opcode::VAddNcU32);
    // A compare that writes EXEC writes VCC as well.
    let compare = gfx9(&[0x7ca2_0602]);
    assert_eq!(compare.to_string(), "v_cmpx_lt_f32_e32 vcc, s2, v3");
    assert_eq!(compare.dst[0].dwords(), 2);
}

fn gfx9_refuses(words: &[u32], kind: DecodeErrorKind) {
    let result = isa::decode(
        Generation::Gfx9(Cdna::Cdna3),
        WaveSize::Wave64,
        &bytes(words),
        0,
    );
    assert_eq!(result.expect_err("invalid").kind, kind, "{words:08x?}");
}

#[test]
fn gfx12_computes_scalars_into_m0_but_not_exec() {
    let decode = |word| {
        let words = bytes(&[word, 0x2000_0027]);
        isa::decode(Generation::Gfx12, WaveSize::Wave32, &words, 0)
    };
    let exp = decode(0xd680_807d).expect("valid");
    assert_eq!(exp.to_string(), "v_s_exp_f32 m0, -s39 clamp");
    let error = decode(0xd680_807e).expect_err("EXEC is not written");
    assert_eq!(error.kind, DecodeErrorKind::BadOperand("vdst"));
}

#[test]
fn gfx9_has_no_literals_in_long_formats() {
    gfx9_refuses(
        &[0xd101_0001, 0x0002_06ff, 1],
        DecodeErrorKind::BadOperand("literal"),
    );
    gfx9_refuses(
        &[0xe050_1000, 0xff00_0001, 1],
        DecodeErrorKind::BadOperand("soffset"),
    );
}

fn any_generation() -> impl Strategy<Value = Generation> {
    proptest::sample::select(Generation::ALL.to_vec())
}

fn any_wave() -> impl Strategy<Value = WaveSize> {
    prop_oneof![Just(WaveSize::Wave32), Just(WaveSize::Wave64)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    /// Whatever the bytes: no panic, and no byte read that is not there.
    #[test]
    fn noise_decodes_within_bounds(generation in any_generation(), wave in any_wave(), code in proptest::collection::vec(any::<u8>(), 0..20), offset in 0usize..24) {
        match isa::decode(generation, wave, &code, offset) {
            Ok(instruction) => {
                let size = usize::from(instruction.size_bytes);
                prop_assert!(matches!(size, 4 | 8 | 12));
                prop_assert!(offset + size <= code.len());
                prop_assert!(instruction.to_string().starts_with(['s', 'v', 'd', 'b', 't', 'f', 'g']));
                // What follows the instruction does not matter.
                prop_assert_eq!(isa::decode(generation, wave, &code[..offset + size], offset), Ok(instruction));
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    /// Registers never reach past their file.
    #[test]
    fn operands_stay_within_their_files(generation in any_generation(), wave in any_wave(), words in proptest::array::uniform4(any::<u32>())) {
        let Ok(instruction) = isa::decode(generation, wave, &bytes(&words), 0) else { return Ok(()) };
        for operand in instruction.dst.iter().chain(&instruction.src) {
            match *operand {
                Operand::Vgpr { index, dwords } | Operand::Agpr { index, dwords } => prop_assert!(u16::from(index) + u16::from(dwords) <= 256 && dwords > 0),
                Operand::Sgpr { index, dwords } => prop_assert!(index + dwords <= 106 && dwords > 0),
                _ => {}
            }
        }
    }
}
