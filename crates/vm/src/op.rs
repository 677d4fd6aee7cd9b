//! The table of instructions: one row each, for both bytecode versions.
//!
//! How instructions are read, what is proved about them, and how they are written as text derives from the operands of
//! their rows. What they do is up to the interpreter.

/// How a byte is read as an instruction: by itself, or behind a prefix byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Set {
    /// No prefix.
    Core,
    /// Behind `E0`: needs `EXT_F32`.
    F32,
    /// Behind `E1`: needs `EXT_F64`.
    F64,
}

impl Set {
    /// The byte that stands before the opcode.
    pub const fn prefix(self) -> Option<u8> {
        match self {
            Self::Core => None,
            Self::F32 => Some(0xe0),
            Self::F64 => Some(0xe1),
        }
    }
}

/// An operand as it stands behind the opcode, and what it must be.
///
/// Everything is packed, except that lists begin with padding to an even offset in the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operand {
    /// A register that is read: `u16`.
    I32,
    /// Two registers that are read, named by the first, which is even: `u16`.
    I64,
    /// As `I32`.
    F32,
    /// As `I64`.
    F64,
    /// A reference register that is read: `u16`.
    Ref,
    /// A reference register that is read, and from version 17 on emptied if the operand says so: `u16`.
    MovableRef,
    /// A register that is written: `u16`.
    ToI32,
    /// Two registers that are written: `u16`.
    ToI64,
    /// A register that is written: `u16`.
    ToF32,
    /// Two registers that are written: `u16`.
    ToF64,
    /// A reference register that is written: `u16`.
    ToRef,
    /// A constant: `u32`.
    Imm32,
    /// A constant: `u64`.
    Imm64,
    /// Offset of four bytes among the value globals: `u32`.
    Global32,
    /// Offset of eight bytes among the value globals: `u32`.
    Global64,
    /// Number of a reference global: `u32`.
    GlobalRef,
    /// Number of a type: `u32`.
    Type,
    /// Number of a data segment: `u32`.
    Rodata,
    /// Number of a function, or of an import if the top bit is set: `u32`.
    Callee,
    /// Number of an import, the top bit set: `u32`.
    Import,
    /// Where a block begins: `u32`.
    Block,
    /// What a branch copies, pairs of registers word by word: list of `u16`, `u16`.
    Remap,
    /// How often each group of arguments is repeated, `FFFF` for what is no group: list of `u16`.
    Segments,
    /// Arguments of a call, as its callee wants them: list of `u16`.
    Args,
    /// Where the results of a call go: list of `u16`.
    Results,
    /// Results of this function: list of `u16`.
    Returned,
    /// Registers of any kind: list of `u16`.
    Payload,
    /// Registers as `I32`: list of `u16`.
    I32s,
    /// Registers as `I64`: list of `u16`.
    I64s,
    /// Registers as `F32`: list of `u16`.
    F32s,
    /// Registers as `F64`: list of `u16`.
    F64s,
    /// Reference registers: list of `u16`.
    Refs,
    /// Reference registers, emptied where the operand says so: list of `u16`.
    MovableRefs,
    /// Bytes of a text: `u16` length, then the bytes.
    Text,
    /// More branches: `u16` count, then for each a `Block` and a `Remap`.
    Cases,
}

/// What the table says about an instruction.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// How its opcode is read.
    pub set: Set,
    /// Its opcode.
    pub opcode: u8,
    /// Its name, without `vm.`.
    pub mnemonic: &'static str,
    /// What stands behind the opcode.
    pub operands: &'static [Operand],
    /// The bytecode version that brought it: 15 or 17.
    pub since: u16,
}

macro_rules! table {
    ($($set:ident $opcode:literal $name:ident $mnemonic:literal [$($operand:ident),*] $since:literal;)*) => {
        /// An instruction.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u16)]
        pub enum Op {
            $(
                #[doc = concat!("`", $mnemonic, "`")]
                $name,
            )*
        }

        /// Every instruction.
        pub const OPS: &[Op] = &[$(Op::$name),*];

        static ROWS: &[Row] = &[
            $(Row {
                set: Set::$set,
                opcode: $opcode,
                mnemonic: $mnemonic,
                operands: &[$(Operand::$operand),*],
                since: $since,
            },)*
        ];

        static BY_OPCODE: [[Option<Op>; 256]; 3] = {
            let mut by_opcode = [[None; 256]; 3];
            $(by_opcode[Set::$set as usize][$opcode] = Some(Op::$name);)*
            by_opcode
        };
    };
}

impl Op {
    /// What the table says about it.
    pub fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// Its name, without `vm.`.
    pub fn mnemonic(self) -> &'static str {
        self.row().mnemonic
    }

    /// The instruction with this opcode.
    pub fn from_opcode(set: Set, opcode: u8) -> Option<Self> {
        BY_OPCODE[set as usize][usize::from(opcode)]
    }

    /// Whether a block ends with it. `fail` with status 0 goes on with the block that comes next in the stream.
    pub fn ends_block(self) -> bool {
        matches!(
            self,
            Self::Br
                | Self::CondBr
                | Self::BrTable
                | Self::CallYieldable
                | Self::CallVariadicYieldable
                | Self::Return
                | Self::Fail
                | Self::Yield
                | Self::Break
                | Self::CondBreak
        )
    }
}

table! {

    Core 0x00 GlobalLoadI32 "global.load.i32" [Global32, ToI32] 15;
    Core 0x01 GlobalStoreI32 "global.store.i32" [Global32, I32] 15;
    Core 0x02 GlobalLoadIndirectI32 "global.load.indirect.i32" [I32, ToI32] 15;
    Core 0x03 GlobalStoreIndirectI32 "global.store.indirect.i32" [I32, I32] 15;
    Core 0x04 GlobalLoadI64 "global.load.i64" [Global64, ToI64] 15;
    Core 0x05 GlobalStoreI64 "global.store.i64" [Global64, I64] 15;
    Core 0x06 GlobalLoadIndirectI64 "global.load.indirect.i64" [I32, ToI64] 15;
    Core 0x07 GlobalStoreIndirectI64 "global.store.indirect.i64" [I32, I64] 15;
    Core 0x08 GlobalLoadRef "global.load.ref" [GlobalRef, Type, ToRef] 15;
    Core 0x09 GlobalStoreRef "global.store.ref" [GlobalRef, Type, MovableRef] 15;
    Core 0x0a GlobalLoadIndirectRef "global.load.indirect.ref" [I32, Type, ToRef] 15;
    Core 0x0b GlobalStoreIndirectRef "global.store.indirect.ref" [I32, Type, MovableRef] 15;
    Core 0x0c ConstI32Zero "const.i32.zero" [ToI32] 15;
    Core 0x0d ConstI32 "const.i32" [Imm32, ToI32] 15;
    Core 0x0e ConstI64Zero "const.i64.zero" [ToI64] 15;
    Core 0x0f ConstI64 "const.i64" [Imm64, ToI64] 15;
    Core 0x10 ConstRefZero "const.ref.zero" [ToRef] 15;
    Core 0x11 ConstRefRodata "const.ref.rodata" [Rodata, ToRef] 15;
    Core 0x12 ListAlloc "list.alloc" [Type, I32, ToRef] 15;
    Core 0x13 ListReserve "list.reserve" [Ref, I32] 15;
    Core 0x14 ListSize "list.size" [Ref, ToI32] 15;
    Core 0x15 ListResize "list.resize" [Ref, I32] 15;
    Core 0x16 ListGetI32 "list.get.i32" [Ref, I32, ToI32] 15;
    Core 0x17 ListSetI32 "list.set.i32" [Ref, I32, I32] 15;
    Core 0x18 ListGetI64 "list.get.i64" [Ref, I32, ToI64] 15;
    Core 0x19 ListSetI64 "list.set.i64" [Ref, I32, I64] 15;
    Core 0x1a ListGetRef "list.get.ref" [Ref, I32, Type, ToRef] 15;
    Core 0x1b ListSetRef "list.set.ref" [Ref, I32, MovableRef] 15;
    Core 0x1c SelectI32 "select.i32" [I32, I32, I32, ToI32] 15;
    Core 0x1d SelectI64 "select.i64" [I32, I64, I64, ToI64] 15;
    Core 0x1e SelectRef "select.ref" [I32, Type, MovableRef, MovableRef, ToRef] 15;
    Core 0x1f SwitchI32 "switch.i32" [I32, I32, I32s, ToI32] 15;
    Core 0x20 SwitchI64 "switch.i64" [I32, I64, I64s, ToI64] 15;
    Core 0x21 SwitchRef "switch.ref" [I32, Type, MovableRef, MovableRefs, ToRef] 15;
    Core 0x22 AddI32 "add.i32" [I32, I32, ToI32] 15;
    Core 0x23 SubI32 "sub.i32" [I32, I32, ToI32] 15;
    Core 0x24 MulI32 "mul.i32" [I32, I32, ToI32] 15;
    Core 0x25 DivI32S "div.i32.s" [I32, I32, ToI32] 15;
    Core 0x26 DivI32U "div.i32.u" [I32, I32, ToI32] 15;
    Core 0x27 RemI32S "rem.i32.s" [I32, I32, ToI32] 15;
    Core 0x28 RemI32U "rem.i32.u" [I32, I32, ToI32] 15;
    Core 0x29 FmaI32 "fma.i32" [I32, I32, I32, ToI32] 15;
    Core 0x2a AddI64 "add.i64" [I64, I64, ToI64] 15;
    Core 0x2b SubI64 "sub.i64" [I64, I64, ToI64] 15;
    Core 0x2c MulI64 "mul.i64" [I64, I64, ToI64] 15;
    Core 0x2d DivI64S "div.i64.s" [I64, I64, ToI64] 15;
    Core 0x2e DivI64U "div.i64.u" [I64, I64, ToI64] 15;
    Core 0x2f RemI64S "rem.i64.s" [I64, I64, ToI64] 15;
    Core 0x30 RemI64U "rem.i64.u" [I64, I64, ToI64] 15;
    Core 0x31 FmaI64 "fma.i64" [I64, I64, I64, ToI64] 15;
    Core 0x32 NotI32 "not.i32" [I32, ToI32] 15;
    Core 0x33 AndI32 "and.i32" [I32, I32, ToI32] 15;
    Core 0x34 OrI32 "or.i32" [I32, I32, ToI32] 15;
    Core 0x35 XorI32 "xor.i32" [I32, I32, ToI32] 15;
    Core 0x36 NotI64 "not.i64" [I64, ToI64] 15;
    Core 0x37 AndI64 "and.i64" [I64, I64, ToI64] 15;
    Core 0x38 OrI64 "or.i64" [I64, I64, ToI64] 15;
    Core 0x39 XorI64 "xor.i64" [I64, I64, ToI64] 15;
    Core 0x3a ShlI32 "shl.i32" [I32, I32, ToI32] 15;
    Core 0x3b ShrI32S "shr.i32.s" [I32, I32, ToI32] 15;
    Core 0x3c ShrI32U "shr.i32.u" [I32, I32, ToI32] 15;
    Core 0x3d ShlI64 "shl.i64" [I64, I32, ToI64] 15;
    Core 0x3e ShrI64S "shr.i64.s" [I64, I32, ToI64] 15;
    Core 0x3f ShrI64U "shr.i64.u" [I64, I32, ToI64] 15;
    Core 0x40 TruncI32I8 "trunc.i32.i8" [I32, ToI32] 15;
    Core 0x41 TruncI32I16 "trunc.i32.i16" [I32, ToI32] 15;
    Core 0x42 TruncI64I32 "trunc.i64.i32" [I64, ToI32] 15;
    Core 0x43 ExtI8I32S "ext.i8.i32.s" [I32, ToI32] 15;
    Core 0x44 ExtI8I32U "ext.i8.i32.u" [I32, ToI32] 15;
    Core 0x45 ExtI16I32S "ext.i16.i32.s" [I32, ToI32] 15;
    Core 0x46 ExtI16I32U "ext.i16.i32.u" [I32, ToI32] 15;
    Core 0x47 ExtI32I64S "ext.i32.i64.s" [I32, ToI64] 15;
    Core 0x48 ExtI32I64U "ext.i32.i64.u" [I32, ToI64] 15;
    Core 0x49 CmpEqI32 "cmp.eq.i32" [I32, I32, ToI32] 15;
    Core 0x4a CmpNeI32 "cmp.ne.i32" [I32, I32, ToI32] 15;
    Core 0x4b CmpLtI32S "cmp.lt.i32.s" [I32, I32, ToI32] 15;
    Core 0x4c CmpLtI32U "cmp.lt.i32.u" [I32, I32, ToI32] 15;
    Core 0x4d CmpNzI32 "cmp.nz.i32" [I32, ToI32] 15;
    Core 0x4e CmpEqI64 "cmp.eq.i64" [I64, I64, ToI32] 15;
    Core 0x4f CmpNeI64 "cmp.ne.i64" [I64, I64, ToI32] 15;
    Core 0x50 CmpLtI64S "cmp.lt.i64.s" [I64, I64, ToI32] 15;
    Core 0x51 CmpLtI64U "cmp.lt.i64.u" [I64, I64, ToI32] 15;
    Core 0x52 CmpNzI64 "cmp.nz.i64" [I64, ToI32] 15;
    Core 0x53 CmpEqRef "cmp.eq.ref" [Ref, Ref, ToI32] 15;
    Core 0x54 CmpNeRef "cmp.ne.ref" [Ref, Ref, ToI32] 15;
    Core 0x55 CmpNzRef "cmp.nz.ref" [Ref, ToI32] 15;
    Core 0x56 Br "br" [Block, Remap] 15;
    Core 0x57 CondBr "cond_br" [I32, Block, Remap, Block, Remap] 15;
    Core 0x58 Call "call" [Callee, Args, Results] 15;
    Core 0x59 CallVariadic "call.variadic" [Callee, Segments, Args, Results] 15;
    Core 0x5a Return "return" [Returned] 15;
    Core 0x5b Fail "fail" [I32, Text] 15;
    Core 0x5c ImportResolved "import.resolved" [Import, ToI32] 15;
    Core 0x5d Yield "yield" [Block, Remap] 15;
    Core 0x5e Trace "trace" [Text, Payload] 15;
    Core 0x5f Print "print" [Text, Payload] 15;
    Core 0x60 CondBreak "cond_break" [I32, Block, Remap] 15;
    Core 0x61 Break "break" [Block, Remap] 15;
    Core 0x62 BufferLoadI8U "buffer.load.i8.u" [Ref, I64, ToI32] 15;
    Core 0x63 BufferLoadI8S "buffer.load.i8.s" [Ref, I64, ToI32] 15;
    Core 0x64 BufferLoadI16U "buffer.load.i16.u" [Ref, I64, ToI32] 15;
    Core 0x65 BufferLoadI16S "buffer.load.i16.s" [Ref, I64, ToI32] 15;
    Core 0x66 BufferLoadI32 "buffer.load.i32" [Ref, I64, ToI32] 15;
    Core 0x67 BufferLoadI64 "buffer.load.i64" [Ref, I64, ToI64] 15;
    Core 0x68 BufferStoreI8 "buffer.store.i8" [Ref, I64, I32] 15;
    Core 0x69 BufferStoreI16 "buffer.store.i16" [Ref, I64, I32] 15;
    Core 0x6a BufferStoreI32 "buffer.store.i32" [Ref, I64, I32] 15;
    Core 0x6b BufferStoreI64 "buffer.store.i64" [Ref, I64, I64] 15;
    Core 0x6c BufferAlloc "buffer.alloc" [I64, I32, ToRef] 15;
    Core 0x6d BufferClone "buffer.clone" [Ref, I64, I64, I32, ToRef] 15;
    Core 0x6e BufferLength "buffer.length" [Ref, ToI64] 15;
    Core 0x6f BufferCopy "buffer.copy" [Ref, I64, Ref, I64, I64] 15;
    Core 0x70 BufferCompare "buffer.compare" [Ref, I64, Ref, I64, I64, ToI32] 15;
    Core 0x71 BufferFillI8 "buffer.fill.i8" [Ref, I64, I64, I32] 15;
    Core 0x72 BufferFillI16 "buffer.fill.i16" [Ref, I64, I64, I32] 15;
    Core 0x73 BufferFillI32 "buffer.fill.i32" [Ref, I64, I64, I32] 15;
    Core 0x74 BufferFillI64 "buffer.fill.i64" [Ref, I64, I64, I64] 15;
    Core 0x75 CtlzI32 "ctlz.i32" [I32, ToI32] 15;
    Core 0x76 CtlzI64 "ctlz.i64" [I64, ToI64] 15;
    Core 0x77 AbsI32 "abs.i32" [I32, ToI32] 15;
    Core 0x78 AbsI64 "abs.i64" [I64, ToI64] 15;
    Core 0x79 Block "block" [] 15;
    Core 0x7a MinI32S "min.i32.s" [I32, I32, ToI32] 15;
    Core 0x7b MinI32U "min.i32.u" [I32, I32, ToI32] 15;
    Core 0x7c MaxI32S "max.i32.s" [I32, I32, ToI32] 15;
    Core 0x7d MaxI32U "max.i32.u" [I32, I32, ToI32] 15;
    Core 0x7e MinI64S "min.i64.s" [I64, I64, ToI64] 15;
    Core 0x7f MinI64U "min.i64.u" [I64, I64, ToI64] 15;
    Core 0x80 MaxI64S "max.i64.s" [I64, I64, ToI64] 15;
    Core 0x81 MaxI64U "max.i64.u" [I64, I64, ToI64] 15;
    Core 0x82 CastAnyRef "cast.any.ref" [MovableRef, Type, ToRef] 15;
    Core 0x83 BrTable "br_table" [I32, Block, Remap, Cases] 15;
    Core 0x84 BufferHash "buffer.hash" [Ref, I64, I64, ToI64] 15;
    Core 0x85 DiscardRefs "discard.refs" [Refs] 17;
    Core 0x86 AssignRef "assign.ref" [MovableRef, ToRef] 17;
    Core 0x87 CallYieldable "call.yieldable" [Callee, Args, Block, Results] 17;
    Core 0x88 CallVariadicYieldable "call.variadic.yieldable" [Callee, Segments, Args, Block, Results] 17;

    F32 0x00 GlobalLoadF32 "global.load.f32" [Global32, ToF32] 15;
    F32 0x01 GlobalStoreF32 "global.store.f32" [Global32, F32] 15;
    F32 0x02 GlobalLoadIndirectF32 "global.load.indirect.f32" [I32, ToF32] 15;
    F32 0x03 GlobalStoreIndirectF32 "global.store.indirect.f32" [I32, F32] 15;
    F32 0x04 ConstF32Zero "const.f32.zero" [ToF32] 15;
    F32 0x05 ConstF32 "const.f32" [Imm32, ToF32] 15;
    F32 0x06 ListGetF32 "list.get.f32" [Ref, I32, ToF32] 15;
    F32 0x07 ListSetF32 "list.set.f32" [Ref, I32, F32] 15;
    F32 0x08 SelectF32 "select.f32" [I32, F32, F32, ToF32] 15;
    F32 0x09 SwitchF32 "switch.f32" [I32, F32, F32s, ToF32] 15;
    F32 0x0a AddF32 "add.f32" [F32, F32, ToF32] 15;
    F32 0x0b SubF32 "sub.f32" [F32, F32, ToF32] 15;
    F32 0x0c MulF32 "mul.f32" [F32, F32, ToF32] 15;
    F32 0x0d DivF32 "div.f32" [F32, F32, ToF32] 15;
    F32 0x0e RemF32 "rem.f32" [F32, F32, ToF32] 15;
    F32 0x0f FmaF32 "fma.f32" [F32, F32, F32, ToF32] 15;
    F32 0x10 AbsF32 "abs.f32" [F32, ToF32] 15;
    F32 0x11 NegF32 "neg.f32" [F32, ToF32] 15;
    F32 0x12 CeilF32 "ceil.f32" [F32, ToF32] 15;
    F32 0x13 FloorF32 "floor.f32" [F32, ToF32] 15;
    F32 0x14 CastSi32F32 "cast.si32.f32" [I32, ToF32] 15;
    F32 0x15 CastUi32F32 "cast.ui32.f32" [I32, ToF32] 15;
    F32 0x16 CastF32Si32 "cast.f32.si32" [F32, ToI32] 15;
    F32 0x17 CastF32Ui32 "cast.f32.ui32" [F32, ToI32] 15;
    F32 0x18 BitcastI32F32 "bitcast.i32.f32" [I32, ToF32] 15;
    F32 0x19 BitcastF32I32 "bitcast.f32.i32" [F32, ToI32] 15;
    F32 0x1a AtanF32 "atan.f32" [F32, ToF32] 15;
    F32 0x1b Atan2F32 "atan2.f32" [F32, F32, ToF32] 15;
    F32 0x1c CosF32 "cos.f32" [F32, ToF32] 15;
    F32 0x1d SinF32 "sin.f32" [F32, ToF32] 15;
    F32 0x1e ExpF32 "exp.f32" [F32, ToF32] 15;
    F32 0x1f Exp2F32 "exp2.f32" [F32, ToF32] 15;
    F32 0x20 Expm1F32 "expm1.f32" [F32, ToF32] 15;
    F32 0x21 LogF32 "log.f32" [F32, ToF32] 15;
    F32 0x22 Log10F32 "log10.f32" [F32, ToF32] 15;
    F32 0x23 Log1pF32 "log1p.f32" [F32, ToF32] 15;
    F32 0x24 Log2F32 "log2.f32" [F32, ToF32] 15;
    F32 0x25 PowF32 "pow.f32" [F32, F32, ToF32] 15;
    F32 0x26 RsqrtF32 "rsqrt.f32" [F32, ToF32] 15;
    F32 0x27 SqrtF32 "sqrt.f32" [F32, ToF32] 15;
    F32 0x28 TanhF32 "tanh.f32" [F32, ToF32] 15;
    F32 0x29 ErfF32 "erf.f32" [F32, ToF32] 15;
    F32 0x2a CmpEqF32O "cmp.eq.f32.o" [F32, F32, ToI32] 15;
    F32 0x2b CmpEqF32U "cmp.eq.f32.u" [F32, F32, ToI32] 15;
    F32 0x2c CmpNeF32O "cmp.ne.f32.o" [F32, F32, ToI32] 15;
    F32 0x2d CmpNeF32U "cmp.ne.f32.u" [F32, F32, ToI32] 15;
    F32 0x2e CmpLtF32O "cmp.lt.f32.o" [F32, F32, ToI32] 15;
    F32 0x2f CmpLtF32U "cmp.lt.f32.u" [F32, F32, ToI32] 15;
    F32 0x30 CmpLteF32O "cmp.lte.f32.o" [F32, F32, ToI32] 15;
    F32 0x31 CmpLteF32U "cmp.lte.f32.u" [F32, F32, ToI32] 15;
    F32 0x32 CmpNanF32 "cmp.nan.f32" [F32, ToI32] 15;
    F32 0x33 BufferLoadF32 "buffer.load.f32" [Ref, I64, ToF32] 15;
    F32 0x34 BufferStoreF32 "buffer.store.f32" [Ref, I64, F32] 15;
    F32 0x35 BufferFillF32 "buffer.fill.f32" [Ref, I64, I64, F32] 15;
    F32 0x36 RoundF32 "round.f32" [F32, ToF32] 15;
    F32 0x37 MinF32 "min.f32" [F32, F32, ToF32] 15;
    F32 0x38 MaxF32 "max.f32" [F32, F32, ToF32] 15;
    F32 0x39 RoundF32Even "round.f32.even" [F32, ToF32] 15;
    F32 0x3a CastF32Si64 "cast.f32.si64" [F32, ToI64] 17;
    F32 0x3b CastF32Ui64 "cast.f32.ui64" [F32, ToI64] 17;
    F32 0x3c CastSi64F32 "cast.si64.f32" [I64, ToF32] 17;
    F32 0x3d CastUi64F32 "cast.ui64.f32" [I64, ToF32] 17;
    F32 0x3e FpowiF32 "fpowi.f32" [F32, I64, ToF32] 17;

    F64 0x00 GlobalLoadF64 "global.load.f64" [Global64, ToF64] 15;
    F64 0x01 GlobalStoreF64 "global.store.f64" [Global64, F64] 15;
    F64 0x02 GlobalLoadIndirectF64 "global.load.indirect.f64" [I32, ToF64] 15;
    F64 0x03 GlobalStoreIndirectF64 "global.store.indirect.f64" [I32, F64] 15;
    F64 0x04 ConstF64Zero "const.f64.zero" [ToF64] 15;
    F64 0x05 ConstF64 "const.f64" [Imm64, ToF64] 15;
    F64 0x06 ListGetF64 "list.get.f64" [Ref, I32, ToF64] 15;
    F64 0x07 ListSetF64 "list.set.f64" [Ref, I32, F64] 15;
    F64 0x08 SelectF64 "select.f64" [I32, F64, F64, ToF64] 15;
    F64 0x09 SwitchF64 "switch.f64" [I32, F64, F64s, ToF64] 15;
    F64 0x0a AddF64 "add.f64" [F64, F64, ToF64] 15;
    F64 0x0b SubF64 "sub.f64" [F64, F64, ToF64] 15;
    F64 0x0c MulF64 "mul.f64" [F64, F64, ToF64] 15;
    F64 0x0d DivF64 "div.f64" [F64, F64, ToF64] 15;
    F64 0x0e RemF64 "rem.f64" [F64, F64, ToF64] 15;
    F64 0x0f FmaF64 "fma.f64" [F64, F64, F64, ToF64] 15;
    F64 0x10 AbsF64 "abs.f64" [F64, ToF64] 15;
    F64 0x11 NegF64 "neg.f64" [F64, ToF64] 15;
    F64 0x12 CeilF64 "ceil.f64" [F64, ToF64] 15;
    F64 0x13 FloorF64 "floor.f64" [F64, ToF64] 15;
    F64 0x14 TruncF64F32 "trunc.f64.f32" [F64, ToF32] 15;
    F64 0x15 ExtF32F64 "ext.f32.f64" [F32, ToF64] 15;
    F64 0x16 CastSi32F64 "cast.si32.f64" [I32, ToF64] 15;
    F64 0x17 CastUi32F64 "cast.ui32.f64" [I32, ToF64] 15;
    F64 0x18 CastF64Si32 "cast.f64.si32" [F64, ToI32] 15;
    F64 0x19 CastF64Ui32 "cast.f64.ui32" [F64, ToI32] 15;
    F64 0x1a CastSi64F64 "cast.si64.f64" [I64, ToF64] 15;
    F64 0x1b CastUi64F64 "cast.ui64.f64" [I64, ToF64] 15;
    F64 0x1c CastF64Si64 "cast.f64.si64" [F64, ToI64] 15;
    F64 0x1d CastF64Ui64 "cast.f64.ui64" [F64, ToI64] 15;
    F64 0x1e BitcastI64F64 "bitcast.i64.f64" [I64, ToF64] 15;
    F64 0x1f BitcastF64I64 "bitcast.f64.i64" [F64, ToI64] 15;
    F64 0x20 AtanF64 "atan.f64" [F64, ToF64] 15;
    F64 0x21 Atan2F64 "atan2.f64" [F64, F64, ToF64] 15;
    F64 0x22 CosF64 "cos.f64" [F64, ToF64] 15;
    F64 0x23 SinF64 "sin.f64" [F64, ToF64] 15;
    F64 0x24 ExpF64 "exp.f64" [F64, ToF64] 15;
    F64 0x25 Exp2F64 "exp2.f64" [F64, ToF64] 15;
    F64 0x26 Expm1F64 "expm1.f64" [F64, ToF64] 15;
    F64 0x27 LogF64 "log.f64" [F64, ToF64] 15;
    F64 0x28 Log10F64 "log10.f64" [F64, ToF64] 15;
    F64 0x29 Log1pF64 "log1p.f64" [F64, ToF64] 15;
    F64 0x2a Log2F64 "log2.f64" [F64, ToF64] 15;
    F64 0x2b PowF64 "pow.f64" [F64, F64, ToF64] 15;
    F64 0x2c RsqrtF64 "rsqrt.f64" [F64, ToF64] 15;
    F64 0x2d SqrtF64 "sqrt.f64" [F64, ToF64] 15;
    F64 0x2e TanhF64 "tanh.f64" [F64, ToF64] 15;
    F64 0x2f ErfF64 "erf.f64" [F64, ToF64] 15;
    F64 0x30 CmpEqF64O "cmp.eq.f64.o" [F64, F64, ToI32] 15;
    F64 0x31 CmpEqF64U "cmp.eq.f64.u" [F64, F64, ToI32] 15;
    F64 0x32 CmpNeF64O "cmp.ne.f64.o" [F64, F64, ToI32] 15;
    F64 0x33 CmpNeF64U "cmp.ne.f64.u" [F64, F64, ToI32] 15;
    F64 0x34 CmpLtF64O "cmp.lt.f64.o" [F64, F64, ToI32] 15;
    F64 0x35 CmpLtF64U "cmp.lt.f64.u" [F64, F64, ToI32] 15;
    F64 0x36 CmpLteF64O "cmp.lte.f64.o" [F64, F64, ToI32] 15;
    F64 0x37 CmpLteF64U "cmp.lte.f64.u" [F64, F64, ToI32] 15;
    F64 0x38 CmpNanF64 "cmp.nan.f64" [F64, ToI32] 15;
    F64 0x39 BufferLoadF64 "buffer.load.f64" [Ref, I64, ToF64] 15;
    F64 0x3a BufferStoreF64 "buffer.store.f64" [Ref, I64, F64] 15;
    F64 0x3b BufferFillF64 "buffer.fill.f64" [Ref, I64, I64, F64] 15;
    F64 0x3c RoundF64 "round.f64" [F64, ToF64] 15;
    F64 0x3d MinF64 "min.f64" [F64, F64, ToF64] 15;
    F64 0x3e MaxF64 "max.f64" [F64, F64, ToF64] 15;
    F64 0x3f RoundF64Even "round.f64.even" [F64, ToF64] 15;
    F64 0x40 FpowiF64 "fpowi.f64" [F64, I64, ToF64] 17;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_opcode_and_each_name_stands_for_one_instruction() {
        assert_eq!(OPS.len(), 265);
        let mut names = std::collections::HashSet::new();
        for &op in OPS {
            let row = op.row();
            assert_eq!(Op::from_opcode(row.set, row.opcode), Some(op));
            assert!(names.insert(row.mnemonic), "{}", row.mnemonic);
            assert!([15, 17].contains(&row.since));
        }
        for set in [Set::Core, Set::F32, Set::F64] {
            let known = (0..=255).filter(|&opcode| Op::from_opcode(set, opcode).is_some());
            let rows = OPS.iter().filter(|op| op.row().set == set);
            assert_eq!(known.count(), rows.count());
        }
        assert_eq!(OPS.iter().filter(|op| op.row().since == 17).count(), 10);
    }
}
