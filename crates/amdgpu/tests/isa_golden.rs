//! Decoding and text against LLVM's, from a golden file, and of what
//! compilers emit.
//!
//! `isa_gfx1100.txt`, `isa_gfx942.txt` and their like hold two encodings of each
//! instruction in each of its encodings, with the text of LLVM 22: wave size,
//! dwords, text. They are made by the developer command `isa --bless`.
//! `isa_census.txt`, `isa_census_gfx942.txt` and so on list the mnemonics found in the
//! output of IREE and of clang for a wide set of programs.

use std::collections::{BTreeSet, HashMap};

use amdgpu::isa::{Cdna, Encoding, Generation, Instruction, Opcode, WaveSize, decode};

struct Line {
    generation: Generation,
    wave: WaveSize,
    bytes: Vec<u8>,
    text: &'static str,
}

/// The lines of a generation.
fn golden_of(generation: Generation) -> Vec<Line> {
    let text = match generation {
        Generation::Gfx9(Cdna::Cdna2) => include_str!("isa_gfx90a.txt"),
        Generation::Gfx9(Cdna::Cdna3) => include_str!("isa_gfx942.txt"),
        Generation::Gfx9(Cdna::Cdna4) => include_str!("isa_gfx950.txt"),
        Generation::Gfx11 => include_str!("isa_gfx1100.txt"),
        Generation::Gfx12 => include_str!("isa_gfx1201.txt"),
    };
    text.lines().map(|line| parse(generation, line)).collect()
}

fn golden() -> impl Iterator<Item = Line> {
    Generation::ALL.into_iter().flat_map(golden_of)
}

fn parse(generation: Generation, line: &'static str) -> Line {
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
    Line {
        generation,
        wave,
        bytes,
        text,
    }
}

fn decoded(line: &Line) -> Instruction {
    decode(line.generation, line.wave, &line.bytes, 0)
        .unwrap_or_else(|error| panic!("{}: {error}", line.text))
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
    for generation in Generation::ALL {
        let seen = seen(generation);
        for &op in Opcode::ALL {
            let Some(info) = op.info(generation) else {
                continue;
            };
            let mut encodings: Vec<Encoding> = info.encodings.iter().map(|&(own, _)| own).collect();
            if info.number(Encoding::Vop3).is_some() && !encodings.contains(&Encoding::Vop3) {
                encodings.push(Encoding::Vop3);
            }
            for encoding in encodings {
                let there = |form| seen.get(&(op, encoding, form)).copied().unwrap_or(0) >= 2;
                let place = format!("{generation:?} {} as {}", op.name(), encoding.name());
                assert!(there(Form::Plain), "{place}");
                assert!(
                    !info.has_dpp(encoding) || there(Form::Dpp),
                    "{place} with DPP"
                );
                assert!(
                    !info.has_sdwa(encoding) || there(Form::Sdwa),
                    "{place} with SDWA"
                );
            }
        }
    }
}

/// What follows an instruction word.
#[derive(PartialEq, Eq, Hash)]
enum Form {
    Plain,
    Dpp,
    Sdwa,
}

/// How often each form of each opcode is in the golden file.
fn seen(generation: Generation) -> HashMap<(Opcode, Encoding, Form), usize> {
    let mut seen = HashMap::new();
    for line in golden_of(generation) {
        let instruction = decoded(&line);
        for component in [Some(&instruction), instruction.dual.as_deref()]
            .into_iter()
            .flatten()
        {
            let modifiers = &instruction.modifiers;
            let form = match (&modifiers.dpp, &modifiers.sdwa) {
                (Some(_), _) => Form::Dpp,
                (_, Some(_)) => Form::Sdwa,
                _ => Form::Plain,
            };
            *seen
                .entry((component.op, component.encoding, form))
                .or_default() += 1;
        }
    }
    seen
}

#[test]
fn what_compilers_emit_decodes() {
    let censuses = [
        (
            Generation::Gfx9(Cdna::Cdna2),
            include_str!("isa_census_gfx90a.txt"),
        ),
        (
            Generation::Gfx9(Cdna::Cdna3),
            include_str!("isa_census_gfx942.txt"),
        ),
        (
            Generation::Gfx9(Cdna::Cdna4),
            include_str!("isa_census_gfx950.txt"),
        ),
        (Generation::Gfx11, include_str!("isa_census.txt")),
        (Generation::Gfx12, include_str!("isa_census_gfx1201.txt")),
    ];
    for (generation, census) in censuses {
        let texts: BTreeSet<String> = golden_of(generation)
            .iter()
            .flat_map(|line| {
                let text = decoded(line).to_string();
                text.split(" :: ")
                    .filter_map(|part| part.split(' ').next().map(str::to_owned))
                    .collect::<Vec<_>>()
            })
            .collect();
        let missing: Vec<&str> = census
            .lines()
            .filter(|name| !texts.contains(*name))
            .collect();
        assert!(
            missing.is_empty(),
            "{generation:?}: not decodable: {missing:?}"
        );
    }
}

#[test]
fn truncated_instructions_are_errors() {
    for line in golden() {
        let size = line.bytes.len();
        for end in 0..size {
            let decoded = decode(line.generation, line.wave, &line.bytes[..end], 0);
            // What scales a matrix product is an instruction of its own, too.
            let alone = matches!(&decoded, Ok(scales) if scales.op == Opcode::VMfmaLdScaleB32);
            assert!(
                decoded.is_err() || alone && end < 12,
                "{end} of {size} bytes of {}",
                line.text
            );
        }
    }
}
