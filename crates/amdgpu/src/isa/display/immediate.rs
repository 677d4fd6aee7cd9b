//! Text of the immediates of scalar instructions and of LDS swizzles.

use std::fmt::{self, Formatter, Write};

use crate::isa::operand::Type;

/// Writes the immediate of a scalar instruction.
pub(super) fn write(f: &mut Formatter<'_>, value: u16, ty: Type) -> fmt::Result {
    match ty {
        Type::Dec16 if value > 64 => write!(f, "{value:#x}"),
        Type::Imm16 => write!(f, "{value:#x}"),
        Type::HwReg => hardware_register(f, value),
        Type::Message => message(f, value),
        Type::WaitCnt => wait_counters(f, value),
        Type::DepCtr => dependency_counters(f, value),
        Type::DelayAlu => delay(f, value),
        _ => write!(f, "{value}"),
    }
}

/// One counter of a wait: name, shift, width.
type Counter = (&'static str, u32, u32);

/// Writes the counters that wait for something, all of them if none does.
fn counters(f: &mut Formatter<'_>, value: u16, counters: &[Counter]) -> fmt::Result {
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
        value,
        &[("vmcnt", 10, 6), ("expcnt", 0, 3), ("lgkmcnt", 4, 6)],
    )
}

fn dependency_counters(f: &mut Formatter<'_>, value: u16) -> fmt::Result {
    const UNUSED: u16 = 0x60;
    if value & UNUSED != 0 {
        return write!(f, "{value:#x}");
    }
    counters(
        f,
        value,
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

fn message(f: &mut Formatter<'_>, value: u16) -> fmt::Result {
    let name = match value & 0xff {
        1 => "MSG_INTERRUPT",
        2 => "MSG_HS_TESSFACTOR",
        3 => "MSG_DEALLOC_VGPRS",
        5 => "MSG_STALL_WAVE_GEN",
        6 => "MSG_HALT_WAVES",
        9 => "MSG_GS_ALLOC_REQ",
        128 => "MSG_RTN_GET_DOORBELL",
        129 => "MSG_RTN_GET_DDID",
        130 => "MSG_RTN_GET_TMA",
        131 => "MSG_RTN_GET_REALTIME",
        132 => "MSG_RTN_SAVE_WAVE",
        133 => "MSG_RTN_GET_TBA",
        134 => "MSG_RTN_GET_TBA_TO_PC",
        _ if value > 255 => return write!(f, "{value}"),
        _ => return write!(f, "sendmsg({value}, 0, 0)"),
    };
    write!(f, "sendmsg({name})")
}

fn hardware_register(f: &mut Formatter<'_>, value: u16) -> fmt::Result {
    let number = value & 0x3f;
    let offset = value >> 6 & 0x1f;
    let size = (value >> 11) + 1;
    let name = match number {
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
    };
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
