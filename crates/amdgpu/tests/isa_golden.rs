//! Decoding and text against LLVM's, from a golden file, and of what
//! compilers emit.
//!
//! `isa_gfx1100.txt` holds two encodings of each instruction in each of its
//! encodings, with the text of LLVM 22: wave size, dwords, text. It is made by
//! the developer command `isa --bless`. `isa_census.txt` lists the mnemonics
//! found in the output of IREE and of clang for a wide set of programs.

use std::collections::{BTreeSet, HashMap};

use amdgpu::isa::{Encoding, Instruction, Opcode, WaveSize, decode};

struct Line {
    wave: WaveSize,
    bytes: Vec<u8>,
    text: &'static str,
}

fn golden() -> Vec<Line> {
    include_str!("isa_gfx1100.txt").lines().map(parse).collect()
}

fn parse(line: &'static str) -> Line {
    let (encoding, text) = line.split_once('\t').expect("a tab before the text");
    let mut fields = encoding.split(' ');
    let wave = match fields.next() {
        Some("32") => WaveSize::Wave32,
        Some("64") => WaveSize::Wave64,
        other => panic!("wave size {other:?}"),
    };
    let bytes = fields
        .flat_map(|word| {
            u32::from_str_radix(word, 16)
                .expect("a dword")
                .to_le_bytes()
        })
        .collect();
    Line { wave, bytes, text }
}

fn decoded(line: &Line) -> Instruction {
    decode(line.wave, &line.bytes, 0).unwrap_or_else(|error| panic!("{}: {error}", line.text))
}

#[test]
fn text_is_llvms() {
    for line in golden() {
        let instruction = decoded(&line);
        assert_eq!(instruction.to_string(), line.text);
        assert_eq!(
            usize::from(instruction.size_bytes),
            line.bytes.len(),
            "{}",
            line.text
        );
    }
}

#[test]
fn every_opcode_and_encoding_is_there_twice() {
    let mut seen: HashMap<(Opcode, Encoding, bool), usize> = HashMap::new();
    for line in golden() {
        let instruction = decoded(&line);
        let dpp = instruction.modifiers.dpp.is_some();
        let components = [Some(&instruction), instruction.dual.as_deref()];
        for component in components.into_iter().flatten() {
            *seen
                .entry((component.op, component.encoding, dpp))
                .or_default() += 1;
        }
    }
    for &op in Opcode::ALL {
        let info = op.info();
        let mut encodings: Vec<Encoding> = info.encodings.iter().map(|&(own, _)| own).collect();
        if info.number(Encoding::Vop3).is_some() && !encodings.contains(&Encoding::Vop3) {
            encodings.push(Encoding::Vop3);
        }
        for encoding in encodings {
            let count = |dpp| seen.get(&(op, encoding, dpp)).copied().unwrap_or(0);
            assert!(
                count(false) >= 2,
                "{} as {}",
                op.mnemonic(),
                encoding.name()
            );
            if info.has_dpp(encoding) {
                assert!(
                    count(true) >= 2,
                    "{} as {} with DPP",
                    op.mnemonic(),
                    encoding.name()
                );
            }
        }
    }
}

#[test]
fn what_compilers_emit_decodes() {
    let texts: BTreeSet<String> = golden()
        .iter()
        .flat_map(|line| {
            let instruction = decoded(line);
            let text = instruction.to_string();
            text.split(" :: ")
                .filter_map(|part| part.split(' ').next().map(str::to_owned))
                .collect::<Vec<_>>()
        })
        .collect();
    let missing: Vec<&str> = include_str!("isa_census.txt")
        .lines()
        .filter(|name| !texts.contains(*name))
        .collect();
    assert!(missing.is_empty(), "not decodable: {missing:?}");
}

#[test]
fn truncated_instructions_are_errors() {
    for line in golden() {
        let size = line.bytes.len();
        for end in 0..size {
            assert!(
                decode(line.wave, &line.bytes[..end], 0).is_err(),
                "{end} of {size} bytes of {}",
                line.text
            );
        }
    }
}
