//! A table of what instructions without state give: instruction, operands, result, as stated by their definitions and
//! worked out elsewhere.

use vm::Value;
use vm::op::Op::{self, *};

pub(crate) type Row = (Op, Vec<Value>, Value);

trait Literal {
    fn value(self) -> Value;
}

macro_rules! literal {
    ($($kind:ident $type:ident)*) => {
        $(impl Literal for $type {
            fn value(self) -> Value {
                Value::$kind(self)
            }
        })*
    };
}

literal! { I32 i32 I64 i64 F32 f32 F64 f64 }

macro_rules! rows {
    ($($op:ident($($arg:expr),*) = $result:expr;)*) => {
        vec![$(($op, vec![$($arg.value()),*], $result.value())),*]
    };
}

pub(crate) fn integers() -> Vec<Row> {
    const MAX: i32 = i32::MAX;
    const MIN: i32 = i32::MIN;
    const MAXL: i64 = i64::MAX;
    const MINL: i64 = i64::MIN;
    const BIG: i64 = 0x1234_5678_9abc_def0;
    rows! {
        AddI32(MAX, 1) = MIN;
        SubI32(MIN, 1) = MAX;
        MulI32(0x10001, 0x10001) = 0x20001;
        DivI32S(-7, 2) = -3;
        DivI32S(MIN, -1) = MIN;
        DivI32U(-1, 2) = MAX;
        RemI32S(-7, 2) = -1;
        RemI32S(MIN, -1) = 0;
        RemI32U(-1, 16) = 15;
        FmaI32(MAX, 2, 5) = 3;
        AddI64(MAXL, 1_i64) = MINL;
        SubI64(0_i64, 1_i64) = -1_i64;
        MulI64(0x1_0000_0001_i64, 0x1_0000_0001_i64) = 0x2_0000_0001_i64;
        DivI64S(-7_i64, 2_i64) = -3_i64;
        DivI64S(MINL, -1_i64) = MINL;
        DivI64U(-1_i64, 2_i64) = MAXL;
        RemI64S(-7_i64, 2_i64) = -1_i64;
        RemI64S(MINL, -1_i64) = 0_i64;
        RemI64U(-1_i64, 16_i64) = 15_i64;
        FmaI64(MAXL, 2_i64, 5_i64) = 3_i64;
        NotI32(0x0f0f_0f0f) = -0x0f0f_0f10;
        AndI32(0b1100, 0b1010) = 0b1000;
        OrI32(0b1100, 0b1010) = 0b1110;
        XorI32(0b1100, 0b1010) = 0b0110;
        NotI64(0_i64) = -1_i64;
        AndI64(BIG, 0xffff_ffff_i64) = 0x9abc_def0_i64;
        OrI64(1_i64 << 40, 3_i64) = 0x100_0000_0003_i64;
        XorI64(-1_i64, BIG) = !BIG;
        ShlI32(1, 31) = MIN;
        ShlI32(1, 33) = 2;
        ShrI32S(MIN, 31) = -1;
        ShrI32U(MIN, 31) = 1;
        ShrI32U(MIN, 32) = MIN;
        ShlI64(1_i64, 40) = 1_i64 << 40;
        ShlI64(1_i64, 65) = 2_i64;
        ShrI64S(MINL, 63) = -1_i64;
        ShrI64U(MINL, 63) = 1_i64;
        ShrI64U(MINL, 64) = MINL;
        TruncI32I8(-1) = 255;
        TruncI32I8(0x1234) = 0x34;
        TruncI32I16(-1) = 65535;
        TruncI64I32(BIG) = 0x9abc_def0_u32 as i32;
        ExtI8I32S(0x17f) = 127;
        ExtI8I32S(0x80) = -128;
        ExtI8I32U(-1) = 255;
        ExtI16I32S(0x18000) = -32768;
        ExtI16I32U(-1) = 65535;
        ExtI32I64S(MIN) = -2147483648_i64;
        ExtI32I64U(MIN) = 2147483648_i64;
        CmpEqI32(3, 3) = 1;
        CmpEqI32(3, 4) = 0;
        CmpNeI32(3, 3) = 0;
        CmpNeI32(3, 4) = 1;
        CmpLtI32S(-1, 0) = 1;
        CmpLtI32S(0, 0) = 0;
        CmpLtI32U(-1, 0) = 0;
        CmpLtI32U(0, -1) = 1;
        CmpNzI32(0) = 0;
        CmpNzI32(MIN) = 1;
        CmpEqI64(1_i64 << 32, 1_i64 << 32) = 1;
        CmpEqI64(1_i64 << 32, 0_i64) = 0;
        CmpNeI64(1_i64 << 32, 0_i64) = 1;
        CmpNeI64(7_i64, 7_i64) = 0;
        CmpLtI64S(MINL, MAXL) = 1;
        CmpLtI64S(MAXL, MINL) = 0;
        CmpLtI64U(MINL, MAXL) = 0;
        CmpLtI64U(MAXL, MINL) = 1;
        CmpNzI64(0_i64) = 0;
        CmpNzI64(1_i64 << 32) = 1;
        CtlzI32(0) = 32;
        CtlzI32(1) = 31;
        CtlzI32(-1) = 0;
        CtlzI64(0_i64) = 64_i64;
        CtlzI64(1_i64 << 32) = 31_i64;
        AbsI32(-5) = 5;
        AbsI32(MIN) = MIN;
        AbsI64(-5_i64) = 5_i64;
        AbsI64(MINL) = MINL;
        MinI32S(-1, 1) = -1;
        MinI32U(-1, 1) = 1;
        MaxI32S(-1, 1) = 1;
        MaxI32U(-1, 1) = -1;
        MinI64S(MINL, 1_i64) = MINL;
        MinI64U(MINL, 1_i64) = 1_i64;
        MaxI64S(MINL, 1_i64) = 1_i64;
        MaxI64U(MINL, 1_i64) = MINL;
        SelectI32(0, 5, 6) = 6;
        SelectI32(-1, 5, 6) = 5;
        SelectI64(0, 5_i64, BIG) = BIG;
        SelectI64(2, BIG, 6_i64) = BIG;
        SelectF32(0, 0.5_f32, -0.5_f32) = -0.5_f32;
        SelectF32(1, 0.5_f32, -0.5_f32) = 0.5_f32;
        SelectF64(0, 0.5, -0.5) = -0.5;
        SelectF64(1, 0.5, -0.5) = 0.5;
    }
}

/// Floats of both widths, where results are exact.
pub(crate) fn floats() -> Vec<Row> {
    let mut rows = exact_f32();
    rows.extend(exact_f64());
    rows.extend(casts());
    rows
}

macro_rules! exact {
    ($name:ident $t:ident $($op:ident)*) => {
        fn $name() -> Vec<Row> {
            const NAN: $t = $t::NAN;
            const INF: $t = $t::INFINITY;
            let [
                add, sub, mul, div, rem, abs, neg, ceil, floor, round, even, min, max, sqrt, rsqrt,
                eq_o, eq_u, ne_o, ne_u, lt_o, lt_u, lte_o, lte_u, nan,
            ] = [$($op),*];
            let mut rows = Vec::new();
            let mut row = |op: Op, args: &[$t], result: $t| {
                rows.push((op, args.iter().map(|a| a.value()).collect(), result.value()));
            };
            row(add, &[1.5, -0.25], 1.25);
            row(add, &[INF, -INF], NAN);
            row(sub, &[1.5, -0.25], 1.75);
            row(mul, &[1.5, -0.25], -0.375);
            row(div, &[1.0, -0.0], -INF);
            row(div, &[0.0, 0.0], NAN);
            row(rem, &[5.5, 2.0], -0.5);
            row(rem, &[-5.5, 2.0], 0.5);
            row(rem, &[7.0, 2.0], -1.0);
            row(rem, &[5.0, 2.0], 1.0);
            row(rem, &[1.0, 0.0], NAN);
            row(abs, &[-0.0], 0.0);
            row(abs, &[-INF], INF);
            row(neg, &[0.0], -0.0);
            row(ceil, &[-1.5], -1.0);
            row(ceil, &[1.25], 2.0);
            row(floor, &[-1.5], -2.0);
            row(floor, &[1.75], 1.0);
            row(round, &[2.5], 3.0);
            row(round, &[-2.5], -3.0);
            row(even, &[2.5], 2.0);
            row(even, &[-3.5], -4.0);
            // Of two numbers of which one is NaN, the first.
            row(min, &[NAN, 1.0], NAN);
            row(min, &[1.0, NAN], 1.0);
            row(min, &[1.0, -2.0], -2.0);
            row(min, &[0.0, -0.0], 0.0);
            row(max, &[NAN, 1.0], NAN);
            row(max, &[1.0, NAN], 1.0);
            row(max, &[1.0, -2.0], 1.0);
            row(max, &[-0.0, 0.0], -0.0);
            row(sqrt, &[2.25], 1.5);
            row(sqrt, &[-1.0], NAN);
            row(rsqrt, &[0.25], 2.0);
            row(rsqrt, &[0.0], INF);
            let mut truth = |op: Op, args: &[$t], result: i32| {
                rows.push((op, args.iter().map(|a| a.value()).collect(), result.value()));
            };
            for (op, less, equal, greater, unordered) in [
                (eq_o, 0, 1, 0, 0),
                (eq_u, 0, 1, 0, 1),
                // What is called ordered here is plain inequality.
                (ne_o, 1, 0, 1, 1),
                (ne_u, 1, 0, 1, 1),
                (lt_o, 1, 0, 0, 0),
                (lt_u, 1, 0, 0, 1),
                (lte_o, 1, 1, 0, 0),
                (lte_u, 1, 1, 0, 1),
            ] {
                truth(op, &[-1.0, 2.0], less);
                truth(op, &[0.0, -0.0], equal);
                truth(op, &[INF, 2.0], greater);
                truth(op, &[NAN, 2.0], unordered);
                truth(op, &[2.0, NAN], unordered);
            }
            truth(nan, &[NAN], 1);
            truth(nan, &[INF], 0);
            rows
        }
    };
}

exact! {
    exact_f32 f32
    AddF32 SubF32 MulF32 DivF32 RemF32 AbsF32 NegF32 CeilF32 FloorF32 RoundF32 RoundF32Even
    MinF32 MaxF32 SqrtF32 RsqrtF32 CmpEqF32O CmpEqF32U CmpNeF32O CmpNeF32U CmpLtF32O CmpLtF32U
    CmpLteF32O CmpLteF32U CmpNanF32
}

exact! {
    exact_f64 f64
    AddF64 SubF64 MulF64 DivF64 RemF64 AbsF64 NegF64 CeilF64 FloorF64 RoundF64 RoundF64Even
    MinF64 MaxF64 SqrtF64 RsqrtF64 CmpEqF64O CmpEqF64U CmpNeF64O CmpNeF64U CmpLtF64O CmpLtF64U
    CmpLteF64O CmpLteF64U CmpNanF64
}

fn casts() -> Vec<Row> {
    let small = 1.0 / 8192.0;
    rows! {
        // Rounded after the product: a fused one would give -2^-26.
        FmaF32(1.0 + small as f32, 1.0 - small as f32, -1.0_f32) = 0.0_f32;
        FmaF32(2.0_f32, 3.0_f32, 0.5_f32) = 6.5_f32;
        FmaF64(1.0 + f64::powi(2.0, -27), 1.0 - f64::powi(2.0, -27), -1.0) = 0.0;
        FmaF64(2.0, 3.0, 0.5) = 6.5;
        CastSi32F32(-3) = -3.0_f32;
        CastSi32F32(16_777_217) = 16_777_216.0_f32;
        CastUi32F32(-1) = 4_294_967_296.0_f32;
        CastSi64F32(-1_i64 << 40) = -1_099_511_627_776.0_f32;
        CastUi64F32(-1_i64) = 18_446_744_073_709_551_616.0_f32;
        // Half away from zero.
        CastF32Si32(1.648_72_f32) = 2;
        CastF32Si32(2.5_f32) = 3;
        CastF32Si32(-2.5_f32) = -3;
        CastF32Si32(0.499_999_97_f32) = 0;
        CastF32Si32(f32::NAN) = 0;
        CastF32Si32(3e9_f32) = -1_294_967_296;
        CastF32Si32(1e30_f32) = 0;
        CastF32Ui32(3e9_f32) = 3_000_000_000_u32 as i32;
        CastF32Ui32(-1.0_f32) = -1;
        CastF32Si64(-1.5e10_f32) = -15_000_000_512_i64;
        CastF32Si64(f32::INFINITY) = i64::MIN;
        CastF32Ui64(1.0e19_f32) = 9_999_999_980_506_447_872_u64 as i64;
        CastF32Ui64(2.5_f32) = 3_i64;
        CastSi32F64(-3) = -3.0;
        CastUi32F64(-1) = 4_294_967_295.0;
        CastSi64F64(-1_i64 << 53) = -9_007_199_254_740_992.0;
        CastUi64F64(-1_i64) = 18_446_744_073_709_551_616.0;
        CastF64Si32(16_777_217.5) = 16_777_218;
        CastF64Si32(-0.5) = -1;
        CastF64Ui32(4_294_967_295.0) = -1;
        CastF64Si64(0.499_999_999_999_999_94) = 0_i64;
        CastF64Si64(-9.3e18) = i64::MIN;
        CastF64Si64(-2.5) = -3_i64;
        CastF64Ui64(1e19) = 10_000_000_000_000_000_000_u64 as i64;
        CastF64Ui64(f64::NAN) = i64::MIN;
        BitcastI32F32(0x3f80_0000) = 1.0_f32;
        BitcastF32I32(-2.5_f32) = 0xc020_0000_u32 as i32;
        BitcastI64F64(0x3ff0_0000_0000_0000_i64) = 1.0;
        BitcastF64I64(-2.5) = 0xc004_0000_0000_0000_u64 as i64;
        TruncF64F32(0.1) = 0.1_f32;
        TruncF64F32(1e300) = f32::INFINITY;
        ExtF32F64(0.1_f32) = 0.100_000_001_490_116_12;
        FpowiF32(-2.0_f32, 3_i64) = -8.0_f32;
        FpowiF32(1.5_f32, 5_i64) = 7.593_75_f32;
        FpowiF32(2.0_f32, -3_i64) = 0.125_f32;
        FpowiF32(f32::NAN, 0_i64) = 1.0_f32;
        FpowiF32(-1.0_f32, i64::MIN) = 1.0_f32;
        FpowiF64(-2.0, 3_i64) = -8.0;
        FpowiF64(1.5, 5_i64) = 7.593_75;
        FpowiF64(2.0, -3_i64) = 0.125;
        FpowiF64(0.0, -1_i64) = f64::INFINITY;
    }
}

/// Functions whose results may differ in the last digits from one math library to another.
pub(crate) fn functions() -> Vec<(Op, Op, Vec<f64>, f64)> {
    vec![
        (AtanF32, AtanF64, vec![0.75], 0.643_501_108_793_284_4),
        (Atan2F32, Atan2F64, vec![-1.0, -2.0], -2.677_945_044_588_987),
        (CosF32, CosF64, vec![0.75], 0.731_688_868_873_820_9),
        (SinF32, SinF64, vec![0.75], 0.681_638_760_023_334_1),
        (ExpF32, ExpF64, vec![1.5], 4.481_689_070_338_064_5),
        (Exp2F32, Exp2F64, vec![1.5], 2.828_427_124_746_190_3),
        (
            Expm1F32,
            Expm1F64,
            vec![0.001_953_125],
            0.001_955_033_591_002_812,
        ),
        (LogF32, LogF64, vec![2.5], 0.916_290_731_874_155_1),
        (Log10F32, Log10F64, vec![2.5], 0.397_940_008_672_037_6),
        (
            Log1pF32,
            Log1pF64,
            vec![0.001_953_125],
            0.001_951_220_131_261_749_3,
        ),
        (Log2F32, Log2F64, vec![2.5], 1.321_928_094_887_362_4),
        (PowF32, PowF64, vec![2.5, -1.5], 0.252_982_212_813_470_3),
        (RsqrtF32, RsqrtF64, vec![7.0], 0.377_964_473_009_227_2),
        (SqrtF32, SqrtF64, vec![7.0], 2.645_751_311_064_590_7),
        (TanhF32, TanhF64, vec![0.75], 0.635_148_952_387_287_3),
        (ErfF32, ErfF64, vec![0.75], 0.711_155_633_653_515_1),
    ]
}
