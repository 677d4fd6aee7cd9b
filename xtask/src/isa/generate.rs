//! Random encodings, most of them valid.

mod gfx12;
mod gfx9;

use amdgpu::isa::{Column, Encoding, Flags, Generation, Opcode, OpcodeInfo, Type, WaveSize};

use super::{Case, WORDS};

/// `s_nop 0`, to fill up.
pub(super) const NOP: u32 = 0xbf80_0000;

/// A small generator of random numbers (SplitMix64).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// 32 random bits.
    pub(super) fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 32) as u32
    }

    /// A number below `bound`.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(self.next()) * u64::from(bound)) >> 32) as u32
    }

    /// True once in `odds` times.
    fn once_in(&mut self, odds: u32) -> bool {
        self.below(odds) == 0
    }

    /// `width` random bits, which are zero but once in `odds` times.
    fn rarely(&mut self, odds: u32, width: u32) -> u32 {
        if self.once_in(odds) {
            self.below(1 << width)
        } else {
            0
        }
    }
}

/// An opcode in one of its encodings.
#[derive(Clone)]
pub(super) struct Form {
    pub(super) op: Opcode,
    pub(super) encoding: Encoding,
    /// With a DPP word.
    pub(super) dpp: bool,
    /// With an SDWA word.
    pub(super) sdwa: bool,
    info: &'static OpcodeInfo,
}

impl Form {
    fn is_gfx9(&self) -> bool {
        self.info.column.is_gfx9()
    }

    fn is_gfx12(&self) -> bool {
        self.info.column == Column::Gfx12
    }

    /// True if the same bytes mean different registers by wave size.
    pub(super) fn depends_on_wave(&self) -> bool {
        let wave_sized = |ty: &Type| ty.dwords(WaveSize::Wave32) != ty.dwords(WaveSize::Wave64);
        self.info.dst.iter().chain(self.info.src).any(wave_sized)
    }
}

/// Makes encodings of a generation.
pub(super) struct Generator {
    generation: Generation,
    /// Every form of every instruction.
    pub(super) forms: Vec<Form>,
}

impl Generator {
    pub(super) fn new(generation: Generation) -> Generator {
        let mut forms = Vec::new();
        for &op in Opcode::ALL {
            let Some(info) = op.info(generation) else {
                continue;
            };
            let plain = info.encodings.iter().map(|&(encoding, _)| encoding);
            let implied = (info.encodings[0].0 != Encoding::Vop3
                && info.number(Encoding::Vop3).is_some())
            .then_some(Encoding::Vop3);
            for encoding in plain.chain(implied) {
                let form = Form {
                    op,
                    encoding,
                    dpp: false,
                    sdwa: false,
                    info,
                };
                forms.push(form.clone());
                if info.has_dpp(encoding) {
                    let dpp = true;
                    forms.push(Form {
                        dpp,
                        ..form.clone()
                    });
                }
                if info.has_sdwa(encoding) {
                    let sdwa = true;
                    forms.push(Form { sdwa, ..form });
                }
            }
        }
        Generator { generation, forms }
    }

    fn pick(&self, random: &mut Random) -> &Form {
        &self.forms[random.below(self.forms.len() as u32) as usize]
    }

    /// A random encoding: mostly of a known instruction, sometimes of any
    /// number of a known format, sometimes noise.
    pub(super) fn any(&self, random: &mut Random) -> Case {
        loop {
            let case = self.draw(random);
            let crashes = match self.generation {
                Generation::Gfx9(_) => gfx9::crashes_llvm(&case),
                Generation::Gfx11 => false,
                Generation::Gfx12 => gfx12::crashes_llvm(&case),
            };
            if !crashes {
                return case;
            }
        }
    }

    fn draw(&self, random: &mut Random) -> Case {
        let form = self.pick(random);
        let mut case = self::form(random, form);
        match random.below(16) {
            0 => std::array::from_fn(|_| random.next()),
            1 => {
                // The number of another instruction, or of none.
                let (low, width) = number_field(form);
                case[0] &= !(((1 << width) - 1) << low);
                case[0] |= random.below(1 << width) << low;
                case
            }
            2 => {
                // One wrong bit.
                case[random.below(2) as usize] ^= 1 << random.below(32);
                case
            }
            _ => case,
        }
    }
}

/// Lowest bit and width of the opcode number in the first dword.
fn number_field(form: &Form) -> (u32, u32) {
    match form.encoding {
        Encoding::Ds if form.is_gfx9() => (17, 8),
        Encoding::Mubuf if form.is_gfx9() => (18, 7),
        Encoding::Smem if form.is_gfx12() => (13, 6),
        Encoding::Mubuf | Encoding::Flat | Encoding::Global | Encoding::Scratch
            if form.is_gfx12() =>
        {
            (14, 8)
        }
        Encoding::Mtbuf => (15, 4),
        Encoding::Sop1 => (8, 8),
        Encoding::Sop2 => (23, 7),
        Encoding::Sopc | Encoding::Sopp | Encoding::Vop3p => (16, 7),
        Encoding::Sopk => (23, 5),
        Encoding::Vop1 => (9, 8),
        Encoding::Vop2 => (25, 6),
        Encoding::Vopc => (17, 8),
        Encoding::Vop3 => (16, 10),
        Encoding::Vopd => (17, 9),
        Encoding::Smem | Encoding::Ds | Encoding::Mubuf => (18, 8),
        Encoding::Flat | Encoding::Global | Encoding::Scratch => (18, 7),
    }
}

/// A random encoding of a form, valid more often than not.
pub(super) fn form(random: &mut Random, form: &Form) -> Case {
    let info = form.info;
    let number = info.number(form.encoding).map_or(0, u32::from);
    let mut case = [NOP; WORDS];
    case[2] = constant(random);
    match form.encoding {
        Encoding::Sop1 | Encoding::Sop2 | Encoding::Sopc | Encoding::Sopk | Encoding::Sopp => {
            case[0] = scalar(random, form, number);
            case[1] = constant(random);
        }
        Encoding::Vop1 | Encoding::Vop2 | Encoding::Vopc => short(random, form, number, &mut case),
        Encoding::Vop3p if form.is_gfx9() && gfx9::is_matrix(form) => {
            gfx9::matrix(random, form, number, &mut case);
        }
        Encoding::Vop3 | Encoding::Vop3p => long(random, form, number, &mut case),
        Encoding::Vopd => dual(random, number, &mut case),
        _ if form.is_gfx9() => gfx9::memory(random, form, number, &mut case),
        Encoding::Ds => memory(random, form, number, &mut case),
        _ if form.is_gfx12() => gfx12::memory(random, form, number, &mut case),
        _ => memory(random, form, number, &mut case),
    }
    case
}

/// A literal: often one that an inline constant could stand for.
fn constant(random: &mut Random) -> u32 {
    const NEAR_INLINE: [u32; 14] = [
        0x3f80_0000,
        0xbf80_0000,
        0x3f00_0000,
        0x4000_0000,
        0xc080_0000,
        0x3e22_f983,
        0x3c00,
        0xbc00,
        0x3118,
        0x3f80,
        0x3ff0_0000,
        0x3fc4_5f30,
        0x4400_4400,
        0xffff_fff0,
    ];
    match random.below(4) {
        0 => random.below(80).wrapping_sub(20),
        1 => NEAR_INLINE[random.below(14) as usize],
        2 => random.below(0x1_0000),
        _ => random.next(),
    }
}

/// A number of a scalar source, 0 to 255.
fn scalar_source(random: &mut Random) -> u32 {
    match random.below(16) {
        0..=5 => random.below(106),
        6 | 7 => random.below(64) * 2,
        8 => 106 + random.below(22),
        9..=11 => 128 + random.below(81),
        12 => 240 + random.below(9),
        13 => 255,
        14 => 229 + random.below(26),
        _ => random.below(256),
    }
}

/// A number of a vector source, 0 to 511.
fn vector_source(random: &mut Random) -> u32 {
    if random.once_in(3) {
        scalar_source(random)
    } else {
        256 + random.below(256)
    }
}

/// A number for a source of this type.
fn typed_source(random: &mut Random, ty: Option<&Type>) -> u32 {
    if random.once_in(24) {
        return random.below(512);
    }
    match ty {
        None => random.rarely(4, 9),
        Some(Type::Uniform) => scalar_source(random) & !1,
        Some(Type::UniformF16 | Type::UniformF32) => scalar_source(random),
        Some(Type::Mask) => random.below(54) * 2,
        Some(
            Type::V32
            | Type::V64
            | Type::V128
            | Type::V256
            | Type::A32
            | Type::Mat64
            | Type::Mat128
            | Type::Mat256,
        ) => 256 + random.below(249),
        Some(Type::V192 | Type::V512 | Type::V1024) => 256 + random.below(113) * 2,
        Some(Type::F64 | Type::B64 | Type::PkF32 | Type::Pk2B32) if random.once_in(2) => {
            256 + random.below(128) * 2
        }
        Some(_) => vector_source(random),
    }
}

/// A scalar destination or register, 0 to 127.
fn scalar_register(random: &mut Random) -> u32 {
    match random.below(4) {
        0 => random.below(128),
        1 => random.below(26) * 4,
        _ => random.below(64) * 2,
    }
}

fn scalar(random: &mut Random, form: &Form, number: u32) -> u32 {
    let info = form.info;
    let register = if form.encoding == Encoding::Sop1 && info.dst.is_empty() {
        random.rarely(8, 7)
    } else {
        scalar_register(random)
    };
    let immediate = match (random.below(4), info.src.is_empty()) {
        (0, true) => random.below(0x1_0000),
        (_, true) => 0,
        (0 | 1, _) => random.below(0x1_0000),
        (2, _) => random.below(0x1000),
        _ => random.below(80),
    };
    match form.encoding {
        Encoding::Sop1 => {
            let source = match info.src.first() {
                None => random.rarely(8, 8),
                Some(Type::S32 | Type::S64) => scalar_register(random),
                Some(_) => scalar_source(random),
            };
            0x17d << 23 | register << 16 | number << 8 | source
        }
        Encoding::Sop2 => {
            2 << 30
                | number << 23
                | register << 16
                | scalar_source(random) << 8
                | scalar_source(random)
        }
        Encoding::Sopc => {
            0x17e << 23 | number << 16 | scalar_source(random) << 8 | scalar_source(random)
        }
        Encoding::Sopk => 0xb << 28 | number << 23 | register << 16 | immediate,
        _ => 0x17f << 23 | number << 16 | immediate,
    }
}

/// A DPP word; the short formats carry source modifiers in it.
fn dpp_word(random: &mut Random, with_modifiers: bool) -> u32 {
    const CONTROLS: [u32; 8] = [0x100, 0x110, 0x120, 0x140, 0x150, 0x160, 0x130, 0x170];
    let control = if random.once_in(2) {
        random.below(256)
    } else {
        CONTROLS[random.below(8) as usize] + random.below(16)
    };
    let modifiers = if with_modifiers {
        random.rarely(2, 4)
    } else {
        random.rarely(16, 4)
    };
    let row_and_bank = if random.once_in(2) {
        0xff
    } else {
        random.below(256)
    };
    random.below(256)
        | control << 8
        | random.rarely(32, 1) << 17
        | random.below(4) << 18
        | modifiers << 20
        | row_and_bank << 24
}

/// The number that announces a DPP word.
fn dpp_source(random: &mut Random) -> u32 {
    [0xfa, 0xfa, 0xe9, 0xea][random.below(4) as usize]
}

fn short(random: &mut Random, form: &Form, number: u32, case: &mut Case) {
    let info = form.info;
    let mut source = typed_source(random, info.src.first());
    case[1] = constant(random);
    if form.dpp {
        source = dpp_source(random);
        case[1] = dpp_word(random, true);
    }
    if form.sdwa {
        source = 0xf9;
        case[1] = gfx9::sdwa_word(random, form);
    }
    let second = if info.src.len() > 1 || random.once_in(16) {
        random.below(256)
    } else {
        0
    };
    let mut result = random.below(256);
    if info
        .dst
        .first()
        .is_some_and(|ty| ty.dwords(WaveSize::Wave64) == 2)
        && random.once_in(2)
    {
        result &= !1;
    }
    if info.dst.is_empty() && !random.once_in(16) {
        result = 0;
        if !form.dpp && !form.sdwa {
            source = 0;
        }
    }
    case[0] = match form.encoding {
        Encoding::Vop1 => 0x3f << 25 | result << 17 | number << 9 | source,
        Encoding::Vop2 => number << 25 | result << 17 | second << 9 | source,
        _ => 0x3e << 25 | number << 17 | second << 9 | source,
    };
}

fn long(random: &mut Random, form: &Form, number: u32, case: &mut Case) {
    let info = form.info;
    let result = match info.dst.first() {
        None => random.rarely(8, 8),
        Some(Type::Mask | Type::S32) => scalar_register(random),
        Some(ty) if ty.dwords(WaveSize::Wave64) > 1 => random.below(128) * 2,
        Some(_) => random.below(256),
    };
    let mut sources = [0; 3];
    for (i, source) in sources.iter_mut().enumerate() {
        *source = typed_source(random, info.src.get(i));
    }
    if form.dpp {
        sources[0] = dpp_source(random);
        case[2] = dpp_word(random, false);
    }
    // Modifier bits of sources that exist, of others only now and then.
    let used = (1 << info.src.len()) - 1;
    let mut modifiers = |odds| {
        let mask = if random.once_in(16) { 7 } else { used };
        random.rarely(odds, 3) & mask
    };
    let (abs, op_sel, neg) = (modifiers(4), modifiers(4), modifiers(4));
    let middle = if info.dst.len() == 2 {
        scalar_register(random) << 8
    } else {
        abs << 8 | op_sel << 11 | random.rarely(4, 1) << 14
    };
    let prefix = match (form.is_gfx9(), form.encoding == Encoding::Vop3p) {
        (false, true) => 0xcc << 24,
        (false, false) => 0x35 << 26,
        (true, true) => 0x1a7 << 23,
        (true, false) => 0x34 << 26,
    };
    case[0] = prefix | number << 16 | random.rarely(4, 1) << 15 | middle | result;
    case[1] = sources[0]
        | sources[1] << 9
        | sources[2] << 18
        | if form.encoding == Encoding::Vop3p {
            random.below(4) << 27
        } else {
            random.rarely(4, 2) << 27
        }
        | neg << 29;
    if form.encoding == Encoding::Vop3p && random.once_in(2) {
        case[0] |= 1 << 14;
    }
}

fn dual(random: &mut Random, number: u32, case: &mut Case) {
    let as_x = number < 14 && random.once_in(2);
    let (x, y) = if as_x {
        (number, random.below(19))
    } else {
        (random.below(14), number)
    };
    let second = |random: &mut Random, number: u32| {
        // A move has no second source.
        let unused = number == 8 && !random.once_in(8);
        if unused { 0 } else { random.below(256) << 9 }
    };
    case[0] = 0x32 << 26 | x << 22 | y << 17 | second(random, x) | vector_source(random);
    case[1] = random.below(256) << 24
        | random.below(128) << 17
        | second(random, y)
        | vector_source(random);
}

fn memory(random: &mut Random, form: &Form, number: u32, case: &mut Case) {
    let info = form.info;
    let vgpr = |random: &mut Random, used: bool| {
        if used {
            random.below(256)
        } else {
            random.rarely(16, 8)
        }
    };
    let (low, high) = match form.encoding {
        Encoding::Smem => {
            let offset = if random.once_in(2) {
                124
            } else {
                scalar_register(random)
            };
            (
                0x3d << 26
                    | random.rarely(4, 4) << 13
                    | scalar_register(random) << 6
                    | random.below(64),
                offset << 25 | random.rarely(16, 4) << 21 | random.rarely(2, 21),
            )
        }
        Encoding::Ds => {
            let address = u32::from(!info.flags.contains(Flags::NO_ADDRESS));
            let gds = u32::from(info.flags.contains(Flags::NEEDS_GDS));
            let data = info.src.len() as u32 - address.min(info.src.len() as u32);
            (
                0x36 << 26 | random.rarely(8, 2) << 16 | gds << 17 | random.rarely(2, 16),
                vgpr(random, !info.dst.is_empty()) << 24
                    | vgpr(random, data > 1) << 16
                    | vgpr(random, data > 0) << 8
                    | vgpr(random, address > 0),
            )
        }
        Encoding::Mubuf => (
            0x38 << 26
                | random.rarely(2, 3) << 12
                | random.rarely(16, 3) << 15
                | random.rarely(2, 12),
            scalar_source(random) << 24
                | random.below(4) << 22
                | random.rarely(8, 1) << 21
                | random.below(28) << 16
                | random.below(256) << 8
                | random.below(256),
        ),
        _ => flat(random, form, &vgpr),
    };
    let shift = 18;
    case[0] = low | number << shift;
    case[1] = high;
}

fn flat(random: &mut Random, form: &Form, vgpr: &impl Fn(&mut Random, bool) -> u32) -> (u32, u32) {
    let info = form.info;
    let segment = match form.encoding {
        Encoding::Flat => 0,
        Encoding::Scratch => 1,
        _ => 2,
    };
    let base = if form.encoding == Encoding::Flat || random.once_in(2) {
        124
    } else {
        scalar_register(random)
    };
    let cache = random.rarely(2, 3);
    let atomic = !info.dst.is_empty() && !info.src.is_empty();
    let returns = if atomic {
        cache & 2 != 0
    } else {
        !info.dst.is_empty()
    };
    let enable = if form.encoding == Encoding::Scratch {
        random.below(2)
    } else {
        random.rarely(16, 1)
    };
    (
        0x37 << 26 | segment << 16 | cache << 13 | random.rarely(2, 13),
        vgpr(random, returns) << 24
            | enable << 23
            | base << 16
            | vgpr(random, !info.src.is_empty()) << 8
            | vgpr(random, true),
    )
}
