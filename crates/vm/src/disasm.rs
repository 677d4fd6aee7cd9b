//! Modules and instructions as text, in the form of the stock `iree-dump-module`.

use std::fmt::{self, Display, Formatter, Write};

use crate::BytecodeModule;
use crate::decode::{Decoder, Field, List};
use crate::op::{Op, Operand};
use crate::program::{MOVE, REF_MASK};

const REF_BIT: u16 = 0x8000;
const IMPORT_BIT: u32 = 0x8000_0000;

/// The text of a module: what it needs and has, and the instructions of its functions, each behind its offset.
pub fn module(module: &BytecodeModule) -> impl Display {
    fmt::from_fn(|f| write_module(f, module))
}

/// The instructions of function number `function`, a line each, behind their offsets; empty if there is no such
/// function.
pub fn function(module: &BytecodeModule, function: u32) -> impl Display {
    fmt::from_fn(move |f| {
        if (function as usize) < module.bodies.len() {
            write_function(f, module, function)?;
        }
        Ok(())
    })
}

/// Gives a trace hook the instruction at `pc` of a function.
pub(crate) fn trace(module: &BytecodeModule, function: u32, pc: u32, hook: &mut dyn FnMut(&str)) {
    let text = fmt::from_fn(|f| {
        write!(f, "[{}", Plain(module.name()))?;
        match module.function_name(function) {
            Some(name) => write!(f, ".{}", Plain(name))?,
            None => write!(f, "@{function}")?,
        }
        write!(f, "+{pc:08X}]    ")?;
        let mut decoder = decoder(module, function);
        decoder.pc = pc as usize;
        write_next(f, module, function, &mut decoder)
    });
    hook(&text.to_string());
}

fn write_module(f: &mut Formatter<'_>, module: &BytecodeModule) -> fmt::Result {
    let container = module.module();
    let (major, minor) = container.bytecode_version;
    writeln!(
        f,
        "vm.module @{} version {} // bytecode {major}.{minor}",
        Plain(module.name()),
        container.version
    )?;
    for (index, name) in container.types.iter().enumerate() {
        writeln!(f, "vm.type {index} = {}", type_name(name))?;
    }
    for import in &container.imports {
        writeln!(
            f,
            "vm.import @{} \"{}\"{}",
            Plain(&import.name),
            Plain(&import.calling_convention),
            if import.is_optional { " optional" } else { "" }
        )?;
    }
    for (index, segment) in container.rodata.iter().enumerate() {
        writeln!(f, "vm.rodata {index} // {}b", segment.range.len())?;
    }
    writeln!(
        f,
        "vm.globals // {}b and {} references",
        container.global_bytes, container.global_refs
    )?;
    for (number, body) in (0..).zip(&module.bodies) {
        writeln!(f)?;
        for export in container.exports.iter().filter(|e| e.function == number) {
            writeln!(f, "vm.export @{}", Plain(&export.name))?;
        }
        writeln!(
            f,
            "vm.func {number} \"{}\" // {} value and {} reference registers",
            Plain(body.signature.text()),
            body.values,
            body.refs
        )?;
        write_function(f, module, number)?;
    }
    Ok(())
}

fn decoder(module: &BytecodeModule, function: u32) -> Decoder<'_> {
    Decoder::new(
        module.bytecode(function),
        module.module().bytecode_version.0,
    )
}

fn write_function(f: &mut Formatter<'_>, module: &BytecodeModule, number: u32) -> fmt::Result {
    let mut decoder = decoder(module, number);
    while !decoder.is_at_end() {
        write!(f, "[{:08X}]", decoder.pc)?;
        write_next(f, module, number, &mut decoder)?;
        writeln!(f)?;
    }
    Ok(())
}

/// Writes the next instruction; blocks begin further to the left.
fn write_next(
    f: &mut Formatter<'_>,
    module: &BytecodeModule,
    function: u32,
    decoder: &mut Decoder<'_>,
) -> fmt::Result {
    let mut fields = Vec::new();
    let pc = decoder.pc;
    let op = decoder
        .next(&mut fields)
        .expect("the verifier read it before");
    let text = Text {
        module,
        function,
        op,
    };
    match op {
        Op::Block => write!(f, "{}:", text.block(pc as u32)),
        _ => write!(f, "  {}", text.instruction(&fields)),
    }
}

/// Writes one instruction.
struct Text<'a> {
    module: &'a BytecodeModule,
    function: u32,
    op: Op,
}

/// The operands of an instruction as text.
#[derive(Default)]
struct Parts {
    results: Vec<String>,
    operands: Vec<String>,
    type_name: Option<String>,
    comment: Option<String>,
}

impl Text<'_> {
    fn instruction(&self, fields: &[Field<'_>]) -> String {
        let parts = self.parts(fields);
        let mut line = String::new();
        if !parts.results.is_empty() && !self.gives_results_to_a_block() {
            line = parts.results.join(", ") + " = ";
        }
        line += "vm.";
        line += self.op.mnemonic();
        let behind = self.behind(&parts);
        if !behind.is_empty() {
            line.push(' ');
            line += &behind;
        }
        if let Some(comment) = parts.comment {
            line += "  // ";
            line += &comment;
        }
        line
    }

    fn gives_results_to_a_block(&self) -> bool {
        matches!(self.op, Op::CallYieldable | Op::CallVariadicYieldable)
    }

    /// What stands behind the mnemonic.
    fn behind(&self, parts: &Parts) -> String {
        let o = &parts.operands;
        let type_name = parts.type_name.as_deref().unwrap_or_default();
        match self.op {
            Op::GlobalLoadIndirectI32
            | Op::GlobalLoadIndirectI64
            | Op::GlobalLoadIndirectF32
            | Op::GlobalLoadIndirectF64 => format!(".rwdata[{}]", o[0]),
            Op::GlobalStoreIndirectI32
            | Op::GlobalStoreIndirectI64
            | Op::GlobalStoreIndirectF32
            | Op::GlobalStoreIndirectF64 => format!("{}, .rwdata[{}]", o[1], o[0]),
            Op::GlobalStoreI32 | Op::GlobalStoreI64 | Op::GlobalStoreF32 | Op::GlobalStoreF64 => {
                format!("{}, {}", o[1], o[0])
            }
            Op::GlobalLoadIndirectRef => format!(".refs[{}] : {type_name}", o[0]),
            Op::GlobalStoreIndirectRef => format!("{}, .refs[{}] : {type_name}", o[1], o[0]),
            Op::GlobalStoreRef => format!("{}, {} : {type_name}", o[1], o[0]),
            Op::GlobalLoadRef | Op::ListGetRef => format!("{} : {type_name}", o.join(", ")),
            Op::ListAlloc => format!("{} : !vm.list<{type_name}>", o[0]),
            Op::CastAnyRef => format!("{} : !vm.ref<?> -> {type_name}", o[0]),
            Op::SelectRef => format!("{} ? {} : {} -> {type_name}", o[0], o[1], o[2]),
            Op::SelectI32 | Op::SelectI64 | Op::SelectF32 | Op::SelectF64 => {
                format!("{} ? {} : {}", o[0], o[1], o[2])
            }
            Op::SwitchI32 | Op::SwitchI64 | Op::SwitchF32 | Op::SwitchF64 | Op::SwitchRef => {
                format!("{}[{}] else {}", o[0], o[2], o[1])
            }
            Op::BufferStoreI8
            | Op::BufferStoreI16
            | Op::BufferStoreI32
            | Op::BufferStoreI64
            | Op::BufferStoreF32
            | Op::BufferStoreF64 => format!("{}, {}, {}", o[2], o[0], o[1]),
            Op::Call => format!("@{}({})", o[0], o[1]),
            Op::CallVariadic => format!("@{} segments[{}]({})", o[0], o[1], o[2]),
            Op::CallYieldable => {
                format!(
                    "@{}({}) -> {}({})",
                    o[0],
                    o[1],
                    o[2],
                    parts.results.join(", ")
                )
            }
            Op::CallVariadicYieldable => format!(
                "@{} segments[{}]({}) -> {}({})",
                o[0],
                o[1],
                o[2],
                o[3],
                parts.results.join(", ")
            ),
            Op::Trace | Op::Print => format!("{}({})", o[0], o[1]),
            Op::ImportResolved => format!("@{}", o[0]),
            Op::BrTable => {
                let cases = o[2..].iter().enumerate();
                let cases: String = cases.map(|(n, case)| format!(", {n}: {case}")).collect();
                format!("{} {{ default: {}{cases} }}", o[0], o[1])
            }
            _ => o.join(", "),
        }
    }

    fn parts(&self, fields: &[Field<'_>]) -> Parts {
        let mut parts = Parts::default();
        let mut fields = fields.iter().copied();
        let mut target = None;
        for &operand in self.op.row().operands {
            if operand == Operand::Cases {
                while let (Some(Field::Word(pc)), Some(Field::List(moves))) =
                    (fields.next(), fields.next())
                {
                    parts.operands.push(self.branch(pc, moves));
                }
                continue;
            }
            let field = fields.next().expect("the decoder read every operand");
            match field {
                Field::Register(word) => {
                    let text = self.register(operand, word);
                    match operand {
                        Operand::ToI32
                        | Operand::ToI64
                        | Operand::ToF32
                        | Operand::ToF64
                        | Operand::ToRef => parts.results.push(text),
                        _ => parts.operands.push(text),
                    }
                }
                Field::Word(word) => match operand {
                    Operand::Type => {
                        parts.type_name =
                            Some(type_name(&self.module.module().types[word as usize]))
                    }
                    Operand::Block if self.gives_results_to_a_block() => {
                        parts.operands.push(self.block(word));
                    }
                    Operand::Block => target = Some(word),
                    _ => self.word(operand, word, &mut parts),
                },
                Field::Long(long) => self.long(long, &mut parts),
                Field::List(list) => match (operand, target.take()) {
                    (_, Some(pc)) => parts.operands.push(self.branch(pc, list)),
                    (Operand::Results, None) => parts.results = list.words().map(loose).collect(),
                    (Operand::Segments, None) => {
                        let counts: Vec<_> = list.words().map(|word| word.to_string()).collect();
                        parts.operands.push(counts.join(", "));
                    }
                    (_, None) => {
                        let registers: Vec<_> = list.words().map(loose).collect();
                        parts.operands.push(registers.join(", "));
                    }
                },
                Field::Text(_, bytes) => {
                    let text = String::from_utf8_lossy(bytes);
                    parts.operands.push(format!("\"{}\"", Plain(&text)));
                }
            }
        }
        parts
    }

    fn register(&self, operand: Operand, word: u16) -> String {
        match operand {
            Operand::I64 | Operand::F64 | Operand::ToI64 | Operand::ToF64 => {
                format!("%i{word}:{}", word + 1)
            }
            Operand::MovableRef => loose(word),
            _ if word & REF_BIT != 0 => format!("%r{}", word & REF_MASK),
            _ => format!("%i{word}"),
        }
    }

    fn word(&self, operand: Operand, word: u32, parts: &mut Parts) {
        let text = match operand {
            Operand::Imm32 if self.op == Op::ConstF32 => float(f32::from_bits(word).into(), 9),
            Operand::Imm32 => {
                parts.comment = Some(format!("0x{word:08X}"));
                word.cast_signed().to_string()
            }
            Operand::Global32 | Operand::Global64 => format!(".rwdata[{word}]"),
            Operand::GlobalRef => format!(".refs[{word}]"),
            Operand::Rodata => {
                let segment = &self.module.module().rodata[word as usize];
                parts.comment = Some(format!("{}b", segment.range.len()));
                word.to_string()
            }
            _ => self.callee(word),
        };
        parts.operands.push(text);
    }

    fn long(&self, long: u64, parts: &mut Parts) {
        if self.op == Op::ConstF64 {
            parts.operands.push(float(f64::from_bits(long), 17));
        } else {
            parts.comment = Some(format!("0x{long:016X}"));
            parts.operands.push(long.cast_signed().to_string());
        }
    }

    fn callee(&self, word: u32) -> String {
        if word & IMPORT_BIT != 0 {
            let import = &self.module.module().imports[(word & !IMPORT_BIT) as usize];
            return Plain(&import.name).to_string();
        }
        let module = Plain(self.module.name());
        match self.module.function_name(word) {
            Some(name) => format!("{module}.{}", Plain(name)),
            None => format!("{module}:{word}"),
        }
    }

    fn block(&self, pc: u32) -> String {
        let blocks = &self.module.bodies[self.function as usize].blocks;
        // The verifier found a block wherever a branch leads.
        format!("^bb{}", blocks.partition_point(|&block| block < pc))
    }

    fn branch(&self, pc: u32, moves: List<'_>) -> String {
        let moves: Vec<_> = moves
            .pairs()
            .map(|(from, to)| format!("{}->{}", loose(from), loose(to)))
            .collect();
        format!("{}({})", self.block(pc), moves.join(", "))
    }
}

/// Types of objects begin with `!`, those of values do not.
fn type_name(name: &str) -> String {
    match name.contains('.') {
        true => format!("!{}", Plain(name)),
        false => Plain(name).to_string(),
    }
}

/// A register of which only the operand itself is known; upper case if it is emptied.
fn loose(word: u16) -> String {
    match (word & REF_BIT != 0, word & MOVE != 0) {
        (false, _) => format!("%i{word}"),
        (true, false) => format!("%r{}", word & REF_MASK),
        (true, true) => format!("%R{}", word & REF_MASK),
    }
}

/// A float as C's `%.*g` writes it: so many digits as are needed to read the same back, at most `digits`.
fn float(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return match (value.is_nan(), value.is_sign_negative()) {
            (true, false) => "nan",
            (true, true) => "-nan",
            (false, false) => "inf",
            (false, true) => "-inf",
        }
        .to_owned();
    }
    let scientific = format!("{value:.*e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').expect("it has an exponent");
    let exponent: i32 = exponent.parse().expect("it is a number");
    let trimmed = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if exponent < -4 || exponent >= digits as i32 {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trimmed(mantissa), exponent.unsigned_abs());
    }
    let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
    trimmed(&format!("{value:.decimals$}"))
}

/// Text of a file on a terminal: as it is, but for control characters.
struct Plain<'a>(&'a str);

impl Display for Plain<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c.is_control() {
            true => write!(f, "{}", c.escape_default()),
            false => f.write_char(c),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_c_does() {
        for (value, digits, text) in [
            (0.0, 9, "0"),
            (-0.0, 9, "-0"),
            (1.5, 9, "1.5"),
            (f64::from(0.1_f32), 9, "0.100000001"),
            (100_000_000.0, 9, "100000000"),
            (1e9, 9, "1e+09"),
            (1e-4, 9, "0.0001"),
            (-1.25e-5, 9, "-1.25e-05"),
            (f64::from(f32::MAX), 9, "3.40282347e+38"),
            (0.1, 17, "0.10000000000000001"),
            (1e300, 17, "1.0000000000000001e+300"),
            (f64::NEG_INFINITY, 9, "-inf"),
            (f64::NAN, 9, "nan"),
        ] {
            assert_eq!(float(value, digits), text);
        }
    }
}
