//! Text of the immediates of scalar instructions and of LDS swizzles.

use std::fmt::{self, Formatter, Write};

use crate::isa::opcode::{Cdna, Generation};
use crate::isa::operand::Type;

/// Writes the immediate of a scalar instruction.
pub(super) fn write(
    f: &mut Formatter<'_>,
    value: u16,
    ty: Type,
    generation: Generation,
) -> fmt::Result {
    let gfx9 = generation.is_gfx9();
    let gfx12 = generation == Generation::Gfx12;
    match ty {
        Type::HwReg if generation == Generation::Gfx9(Cdna::Cdna2) => {
            let known = |number| {
                if number < 20 {
                    register_name_gfx9(number)
                } else {
                    ""
                }
            };
            hardware_register(f, value, known)
        }
        Type::HwReg if gfx9 => hardware_register(f, value, register_name_gfx9),
        Type::HwReg if gfx12 => hardware_register(f, value, register_name_gfx12),
        Type::HwReg => hardware_register(f, value, register_name_gfx11),
        Type::Message if gfx9 => message_gfx9(f, value),
        Type::WaitCnt if gfx9 => wait_counters_gfx9(f, value),
        Type::GprIdx => index_mode(f, value),
        Type::Dec16 if value > 64 => write!(f, "{value:#x}"),
        Type::Imm16 => write!(f, "{value:#x}"),
        Type::Message => message(f, value, gfx12),
        Type::WaitCnt => wait_counters(f, value),
        Type::DepCtr => dependency_counters(f, value),
        Type::DelayAlu => delay(f, value),
        _ => write!(f, "{value}"),
    }
}

/// One counter of a wait: name, shift, width.
type Counter = (&'static str, u32, u32);

/// Writes the counters that wait for something, all of them if none does.
fn counters(f: &mut Formatter<'_>, value: u32, counters: &[Counter]) -> fmt::Result {
    let field = |&(_, shift, width): &Counter| value >> shift & ((1 << width) - 1);
    let idle = |counter: &Counter| field(counter) == (1 << counter.2) - 1;
    let all = counters.iter().all(idle);
    let mut separator = "";
    for counter in counters.iter().filter(|counter| all || !idle(counter)) {
        write!(f, "{separator}{}({})", counter.0, field(counter))?;
        separator = " ";
    }
    Ok(())
}

fn wait_counters(f: &mut Formatter<'_>, value: u16) -> fmt::Result {
    counters(
        f,
        u32::from(value),
        &[("vmcnt", 10, 6), ("expcnt", 0, 3), ("lgkmcnt", 4, 6)],
    )
}

/// The vector memory counter has two bits more at the top.
fn wait_counters_gfx9(f: &mut Formatter<'_>, value: u16) -> fmt::Result {
    let joined = value & 0xf70 | (value & 0xf) << 12;
    let (low, high) = (u32::from(joined), u32::from(value >> 14) << 16);
    counters(
        f,
        low | high,
        &[("vmcnt", 12, 6), ("expcnt", 4, 3), ("lgkmcnt", 8, 4)],
    )
}

fn dependency_counters(f: &mut Formatter<'_>, value: u16) -> fmt::Result {
    const UNUSED: u16 = 0x60;
    if value & UNUSED != 0 {
        return write!(f, "{value:#x}");
    }
    counters(
        f,
        u32::from(value),
        &[
            ("depctr_hold_cnt", 7, 1),
            ("depctr_sa_sdst", 0, 1),
            ("depctr_va_vdst", 12, 4),
            ("depctr_va_sdst", 9, 3),
            ("depctr_va_ssrc", 8, 1),
            ("depctr_va_vcc", 1, 1),
            ("depctr_vm_vsrc", 2, 3),
        ],
    )
}

fn delay(f: &mut Formatter<'_>, value: u16) -> fmt::Result {
    const IDS: [&str; 12] = [
        "NO_DEP",
        "VALU_DEP_1",
        "VALU_DEP_2",
        "VALU_DEP_3",
        "VALU_DEP_4",
        "TRANS32_DEP_1",
        "TRANS32_DEP_2",
        "TRANS32_DEP_3",
        "FMA_ACCUM_CYCLE_1",
        "SALU_CYCLE_1",
        "SALU_CYCLE_2",
        "SALU_CYCLE_3",
    ];
    const SKIPS: [&str; 6] = ["SAME", "NEXT", "SKIP_1", "SKIP_2", "SKIP_3", "SKIP_4"];
    let fields = [
        (
            "instid0",
            value & 0xf,
            &IDS[..],
            "/* invalid instid value */",
        ),
        (
            "instskip",
            value >> 4 & 7,
            &SKIPS[..],
            "/* invalid instskip value */",
        ),
        (
            "instid1",
            value >> 7 & 0xf,
            &IDS[..],
            "/* invalid instid value */",
        ),
    ];
    let mut separator = "";
    for (name, field, names, invalid) in fields {
        if field != 0 {
            let text = names.get(usize::from(field)).unwrap_or(&invalid);
            write!(f, "{separator}{name}({text})")?;
            separator = " | ";
        }
    }
    if separator.is_empty() {
        f.write_char('0')?;
    }
    Ok(())
}

fn message(f: &mut Formatter<'_>, value: u16, gfx12: bool) -> fmt::Result {
    let name = match value & 0xff {
        1 => "MSG_INTERRUPT",
        2 => "MSG_HS_TESSFACTOR",
        3 => "MSG_DEALLOC_VGPRS",
        5 if !gfx12 => "MSG_STALL_WAVE_GEN",
        6 if !gfx12 => "MSG_HALT_WAVES",
        9 => "MSG_GS_ALLOC_REQ",
        128 => "MSG_RTN_GET_DOORBELL",
        129 => "MSG_RTN_GET_DDID",
        130 => "MSG_RTN_GET_TMA",
        131 => "MSG_RTN_GET_REALTIME",
        132 => "MSG_RTN_SAVE_WAVE",
        133 => "MSG_RTN_GET_TBA",
        134 => "MSG_RTN_GET_TBA_TO_PC",
        135 if gfx12 => "MSG_RTN_GET_SE_AID_ID",
        _ if value > 255 => return write!(f, "{value}"),
        _ => return write!(f, "sendmsg({value}, 0, 0)"),
    };
    write!(f, "sendmsg({name})")
}

fn message_gfx9(f: &mut Formatter<'_>, value: u16) -> fmt::Result {
    const STREAM_OPERATIONS: [&str; 4] = ["GS_OP_NOP", "GS_OP_CUT", "GS_OP_EMIT", "GS_OP_EMIT_CUT"];
    const SYSTEM_OPERATIONS: [&str; 5] = [
        "",
        "SYSMSG_OP_ECC_ERR_INTERRUPT",
        "SYSMSG_OP_REG_RD",
        "",
        "SYSMSG_OP_TTRACE_PC",
    ];
    let (number, operation, stream) = (value & 0xf, value >> 4 & 7, value >> 8 & 3);
    let (name, operations): (&str, &[&str]) = match number {
        1 => ("MSG_INTERRUPT", &[]),
        2 => ("MSG_GS", &STREAM_OPERATIONS),
        3 => ("MSG_GS_DONE", &STREAM_OPERATIONS),
        4 => ("MSG_SAVEWAVE", &[]),
        5 => ("MSG_STALL_WAVE_GEN", &[]),
        6 => ("MSG_HALT_WAVES", &[]),
        7 => ("MSG_ORDERED_PS_DONE", &[]),
        8 => ("MSG_EARLY_PRIM_DEALLOC", &[]),
        9 => ("MSG_GS_ALLOC_REQ", &[]),
        10 => ("MSG_GET_DOORBELL", &[]),
        15 => ("MSG_SYSMSG", &SYSTEM_OPERATIONS),
        _ => ("", &[]),
    };
    let operation_name = operations
        .get(usize::from(operation))
        .copied()
        .unwrap_or("");
    let idle = operation_name == "GS_OP_NOP";
    let streams = operations == STREAM_OPERATIONS && !idle;
    let valid = if operations.is_empty() {
        operation == 0
    } else {
        !(operation_name.is_empty() || number == 2 && idle)
    };
    if !name.is_empty() && valid && (streams || stream == 0) {
        write!(f, "sendmsg({name}")?;
        if !operations.is_empty() {
            write!(f, ", {operation_name}")?;
        }
        if streams {
            write!(f, ", {stream}")?;
        }
        return f.write_char(')');
    }
    if number | operation << 4 | stream << 8 == value {
        return write!(f, "sendmsg({number}, {operation}, {stream})");
    }
    write!(f, "{value}")
}

/// The operands that index mode applies to.
fn index_mode(f: &mut Formatter<'_>, value: u16) -> fmt::Result {
    const NAMES: [&str; 4] = ["SRC0", "SRC1", "SRC2", "DST"];
    if value >> 4 != 0 {
        return write!(f, "{value:#x}");
    }
    let chosen: Vec<&str> = (0..4)
        .filter(|i| value >> i & 1 != 0)
        .map(|i| NAMES[i])
        .collect();
    write!(f, "gpr_idx({})", chosen.join(","))
}

/// Writes the format of a typed buffer access; bytes of 8-bit fractions are
/// not mentioned.
pub(super) fn format(f: &mut Formatter<'_>, value: u8) -> fmt::Result {
    const DATA: [&str; 16] = [
        "INVALID",
        "8",
        "16",
        "8_8",
        "32",
        "16_16",
        "10_11_11",
        "11_11_10",
        "10_10_10_2",
        "2_10_10_10",
        "8_8_8_8",
        "32_32",
        "16_16_16_16",
        "32_32_32",
        "32_32_32_32",
        "RESERVED_15",
    ];
    const NUMBERS: [&str; 8] = [
        "UNORM",
        "SNORM",
        "USCALED",
        "SSCALED",
        "UINT",
        "SINT",
        "RESERVED_6",
        "FLOAT",
    ];
    let (data, number) = (usize::from(value & 0xf), usize::from(value >> 4 & 7));
    let data = (data != 1).then(|| format!("BUF_DATA_FORMAT_{}", DATA[data]));
    let number = (number != 0).then(|| format!("BUF_NUM_FORMAT_{}", NUMBERS[number]));
    let shown: Vec<String> = data.into_iter().chain(number).collect();
    if shown.is_empty() {
        return Ok(());
    }
    write!(f, " format:[{}]", shown.join(","))
}

fn register_name_gfx11(number: u16) -> &'static str {
    match number {
        1 => "HW_REG_MODE",
        2 => "HW_REG_STATUS",
        3 => "HW_REG_TRAPSTS",
        5 => "HW_REG_GPR_ALLOC",
        6 => "HW_REG_LDS_ALLOC",
        7 => "HW_REG_IB_STS",
        15 => "HW_REG_SH_MEM_BASES",
        18 => "HW_REG_PERF_SNAPSHOT_PC_LO",
        19 => "HW_REG_PERF_SNAPSHOT_PC_HI",
        20 => "HW_REG_FLAT_SCR_LO",
        21 => "HW_REG_FLAT_SCR_HI",
        23 => "HW_REG_HW_ID1",
        24 => "HW_REG_HW_ID2",
        27 => "HW_REG_PERF_SNAPSHOT_DATA",
        29 => "HW_REG_SHADER_CYCLES",
        _ => "",
    }
}

fn register_name_gfx12(number: u16) -> &'static str {
    match number {
        1 => "HW_REG_WAVE_MODE",
        2 => "HW_REG_WAVE_STATUS",
        4 => "HW_REG_WAVE_STATE_PRIV",
        5 => "HW_REG_WAVE_GPR_ALLOC",
        6 => "HW_REG_WAVE_LDS_ALLOC",
        7 => "HW_REG_IB_STS",
        10 => "HW_REG_PERF_SNAPSHOT_DATA",
        11 => "HW_REG_PERF_SNAPSHOT_PC_LO",
        12 => "HW_REG_PERF_SNAPSHOT_PC_HI",
        15 => "HW_REG_PERF_SNAPSHOT_DATA1",
        16 => "HW_REG_PERF_SNAPSHOT_DATA2",
        17 => "HW_REG_WAVE_EXCP_FLAG_PRIV",
        18 => "HW_REG_WAVE_EXCP_FLAG_USER",
        19 => "HW_REG_WAVE_TRAP_CTRL",
        20 => "HW_REG_WAVE_SCRATCH_BASE_LO",
        21 => "HW_REG_WAVE_SCRATCH_BASE_HI",
        23 => "HW_REG_WAVE_HW_ID1",
        24 => "HW_REG_WAVE_HW_ID2",
        26 => "HW_REG_WAVE_SCHED_MODE",
        29 => "HW_REG_SHADER_CYCLES_LO",
        30 => "HW_REG_SHADER_CYCLES_HI",
        31 => "HW_REG_WAVE_DVGPR_ALLOC_LO",
        32 => "HW_REG_WAVE_DVGPR_ALLOC_HI",
        _ => "",
    }
}

fn register_name_gfx9(number: u16) -> &'static str {
    match number {
        1 => "HW_REG_MODE",
        2 => "HW_REG_STATUS",
        3 => "HW_REG_TRAPSTS",
        4 => "HW_REG_HW_ID",
        5 => "HW_REG_GPR_ALLOC",
        6 => "HW_REG_LDS_ALLOC",
        7 => "HW_REG_IB_STS",
        15 => "HW_REG_SH_MEM_BASES",
        16 => "HW_REG_TBA_LO",
        17 => "HW_REG_TBA_HI",
        18 => "HW_REG_TMA_LO",
        19 => "HW_REG_TMA_HI",
        20 => "HW_REG_XCC_ID",
        21 => "HW_REG_SQ_PERF_SNAPSHOT_DATA",
        22 => "HW_REG_SQ_PERF_SNAPSHOT_DATA1",
        23 => "HW_REG_SQ_PERF_SNAPSHOT_PC_LO",
        24 => "HW_REG_SQ_PERF_SNAPSHOT_PC_HI",
        _ => "",
    }
}

fn hardware_register(
    f: &mut Formatter<'_>,
    value: u16,
    name: impl Fn(u16) -> &'static str,
) -> fmt::Result {
    let number = value & 0x3f;
    let offset = value >> 6 & 0x1f;
    let size = (value >> 11) + 1;
    let name = name(number);
    f.write_str("hwreg(")?;
    if name.is_empty() {
        write!(f, "{number}")?;
    } else {
        f.write_str(name)?;
    }
    if (offset, size) != (0, 32) {
        write!(f, ", {offset}, {size}")?;
    }
    f.write_char(')')
}

/// Writes the operand of `s_version`.
pub(super) fn version(f: &mut Formatter<'_>, value: u16) -> fmt::Result {
    if value & 0x1f00 != 0 {
        return write!(f, "{value:#x}");
    }
    let flags = [
        (0x2000, "UC_VERSION_W64_BIT"),
        (0x4000, "UC_VERSION_W32_BIT"),
        (0x8000, "UC_VERSION_MDP_BIT"),
    ];
    let set = flags.iter().filter(|(bit, _)| value & bit != 0);
    for _ in 1..set.clone().count() {
        f.write_char('(')?;
    }
    match value & 0xff {
        0 => f.write_str("UC_VERSION_GFX7")?,
        4 => f.write_str("UC_VERSION_GFX10")?,
        6 => f.write_str("UC_VERSION_GFX11")?,
        9 => f.write_str("UC_VERSION_GFX12")?,
        other => write!(f, "{other}")?,
    }
    for (i, (_, name)) in set.enumerate() {
        f.write_str(if i > 0 { ")|" } else { "|" })?;
        f.write_str(name)?;
    }
    Ok(())
}

/// Writes the pattern of `ds_swizzle_b32`.
pub(super) fn swizzle(f: &mut Formatter<'_>, value: u16) -> fmt::Result {
    if value >> 8 == 0x80 {
        let lane = |i: u32| value >> (2 * i) & 3;
        let (a, b, c, d) = (lane(0), lane(1), lane(2), lane(3));
        return write!(f, "swizzle(QUAD_PERM,{a},{b},{c},{d})");
    }
    if value >> 13 == 6 {
        let (direction, size) = (value >> 10 & 1, value >> 5 & 0x1f);
        return write!(f, "swizzle(ROTATE,{direction},{size})");
    }
    if value >> 13 == 7 {
        return write!(f, "swizzle(FFT,{})", value & 0x1f);
    }
    if value >> 15 == 1 {
        return write!(f, "{value}");
    }
    let (and, or, xor) = (value & 0x1f, value >> 5 & 0x1f, value >> 10 & 0x1f);
    if and == 0x1f && or == 0 && xor.is_power_of_two() {
        return write!(f, "swizzle(SWAP,{xor})");
    }
    if and == 0x1f && or == 0 && xor > 0 && (xor + 1).is_power_of_two() {
        return write!(f, "swizzle(REVERSE,{})", xor + 1);
    }
    let group = 32 - and;
    if group > 1 && group.is_power_of_two() && or < group && xor == 0 {
        return write!(f, "swizzle(BROADCAST,{group},{or})");
    }
    f.write_str("swizzle(BITMASK_PERM,\"")?;
    for position in (0..5).rev() {
        let bit = |mask: u16| mask >> position & 1;
        let zero = bit(or) ^ bit(xor);
        let one = (bit(and) | bit(or)) ^ bit(xor);
        f.write_char(match (zero, one) {
            (0, 0) => '0',
            (1, 1) => '1',
            (0, _) => 'p',
            _ => 'i',
        })?;
    }
    f.write_str("\")")
}
