//! Checks the instruction decoder and its text against LLVM.
//!
//! LLVM is an oracle for what decodes and how it reads, not for what an
//! instruction does. Where it is not installed, the check says so and passes:
//! the golden file of `crates/amdgpu/tests` was made by `--bless`.

mod coverage;
mod generate;
mod host;
mod images;
mod llvm;

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::thread;

use amdgpu::isa::{
    Cdna, Dpp, DppControl, Encoding, Generation, Instruction, Opcode, Operand, Type, WaveSize,
    decode,
};

use self::generate::{Generator, Random};
use self::llvm::Disassembler;

/// Dwords of a case: the longest instruction has four less one.
const WORDS: usize = 4;

/// Bytes to decode, as dwords.
type Case = [u32; WORDS];

/// Cases that go to LLVM in one process.
const BATCH: usize = 8192;

/// A chip to check.
struct Target {
    chip: &'static str,
    generation: Generation,
    /// Machine number in `e_flags` of its images.
    machine: u64,
    /// Wave sizes it has.
    waves: &'static [WaveSize],
}

const TARGETS: [Target; 5] = [
    Target {
        chip: "gfx1100",
        generation: Generation::Gfx11,
        machine: 0x41,
        waves: &[WaveSize::Wave32, WaveSize::Wave64],
    },
    Target {
        chip: "gfx1201",
        generation: Generation::Gfx12,
        machine: 0x4e,
        waves: &[WaveSize::Wave32, WaveSize::Wave64],
    },
    Target {
        chip: "gfx90a",
        generation: Generation::Gfx9(Cdna::Cdna2),
        machine: 0x3f,
        waves: &[WaveSize::Wave64],
    },
    Target {
        chip: "gfx942",
        generation: Generation::Gfx9(Cdna::Cdna3),
        machine: 0x4c,
        waves: &[WaveSize::Wave64],
    },
    Target {
        chip: "gfx950",
        generation: Generation::Gfx9(Cdna::Cdna4),
        machine: 0x4f,
        waves: &[WaveSize::Wave64],
    },
];

/// `isa [--arch CHIP] [--count N] [--seed N] [--show N] [--bless FILE] [FILE…]`:
/// compares random encodings, or all code in the given files, with LLVM.
/// `isa --coverage FOLDER…`: lists the instructions of the kernels in the
/// files of a folder that the software GPU cannot execute.
/// `isa --host`: runs one C program on the host and on the software GPU.
///
/// # Errors
///
/// The first disagreements, that something cannot be executed, or what kept
/// the check from running.
pub(crate) fn check(args: &[String]) -> Result<(), String> {
    if let Some((first, folders)) = args.split_first()
        && first == "--coverage"
    {
        return coverage::check(folders);
    }
    if args == ["--host"] {
        return host::check();
    }
    let options = Options::parse(args)?;
    let target = options.target;
    let Some(llvm) = Disassembler::find(target.chip, target.generation) else {
        return say("llvm-mc is not installed: instruction text not checked");
    };
    let oracle = Oracle { llvm, target };
    let llvm = &oracle.llvm;
    say(&format!("oracle: {}", llvm.program()))?;
    if let Some(path) = &options.bless {
        return oracle.bless(Path::new(path), options.seed);
    }
    let tally = if options.files.is_empty() {
        oracle.random_encodings(&options)?
    } else {
        oracle.compare_files(&options.files)?
    };
    tally.report(options.show)
}

struct Options {
    target: &'static Target,
    count: usize,
    seed: u64,
    show: usize,
    bless: Option<String>,
    files: Vec<String>,
}

impl Options {
    fn parse(args: &[String]) -> Result<Options, String> {
        let mut options = Options {
            target: &TARGETS[0],
            count: 1_000_000,
            seed: 1,
            show: 20,
            bless: None,
            files: Vec::new(),
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} needs a value"));
            let number = |text: &String| text.parse().map_err(|_| format!("{text} is no number"));
            match arg.as_str() {
                "--arch" => {
                    let name = value()?;
                    options.target = TARGETS
                        .iter()
                        .find(|target| target.chip == name)
                        .ok_or(format!("no instruction table for {name}"))?;
                }
                "--count" => options.count = number(value()?)? as usize,
                "--seed" => options.seed = number(value()?)?,
                "--show" => options.show = number(value()?)? as usize,
                "--bless" => options.bless = Some(value()?.clone()),
                _ if arg.starts_with('-') => return Err(format!("unknown option {arg}")),
                _ => options.files.push(arg.clone()),
            }
        }
        Ok(options)
    }
}

fn say(line: &str) -> Result<(), String> {
    writeln!(io::stdout(), "{line}").map_err(|error| error.to_string())
}

/// What became of the cases.
#[derive(Default)]
struct Tally {
    agree: usize,
    agree_invalid: usize,
    /// Rejected by us; LLVM prints a text that it assembles to other bytes or not at all.
    not_canonical: usize,
    /// LLVM is known to be wrong.
    defects: usize,
    mismatch: Vec<String>,
    only_ours: Vec<String>,
    only_llvm: Vec<String>,
    /// Formats this decoder leaves out.
    unsupported: usize,
}

impl Tally {
    fn merge(&mut self, other: Tally) {
        self.agree += other.agree;
        self.agree_invalid += other.agree_invalid;
        self.unsupported += other.unsupported;
        self.not_canonical += other.not_canonical;
        self.defects += other.defects;
        self.mismatch.extend(other.mismatch);
        self.only_ours.extend(other.only_ours);
        self.only_llvm.extend(other.only_llvm);
    }

    fn report(&self, show: usize) -> Result<(), String> {
        let total = self.agree
            + self.agree_invalid
            + self.not_canonical
            + self.defects
            + self.mismatch.len()
            + self.only_ours.len()
            + self.only_llvm.len();
        let mut text = format!(
            "{total} encodings: {} same text, {} rejected by both, {} differ, {} only ours, {} only LLVM's",
            self.agree,
            self.agree_invalid,
            self.mismatch.len(),
            self.only_ours.len(),
            self.only_llvm.len(),
        );
        if self.not_canonical > 0 {
            let _ = write!(
                text,
                "\n  {} rejected here, printed by LLVM, whose assembler does not make them from that text",
                self.not_canonical
            );
        }
        if self.defects > 0 {
            let _ = write!(text, "\n  {} where LLVM is known to be wrong", self.defects);
        }
        if self.unsupported > 0 {
            let _ = write!(
                text,
                "\n  {} in formats left out, not compared",
                self.unsupported
            );
        }
        say(&text)?;
        let kinds = [
            ("differs", &self.mismatch),
            ("only ours", &self.only_ours),
            ("only LLVM's", &self.only_llvm),
        ];
        let mut wrong = String::new();
        for (kind, cases) in kinds {
            for case in cases.iter().take(show) {
                let _ = write!(wrong, "\n{kind}: {case}");
            }
        }
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(format!("the decoder disagrees with LLVM{wrong}"))
        }
    }
}

fn bytes(case: &[u32]) -> Vec<u8> {
    case.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// True if the leading bits name a format that the decoder leaves out.
fn is_left_out(generation: Generation, case: &Case) -> bool {
    let word = case[0];
    if let Generation::Gfx9(cdna) = generation {
        return cdna == Cdna::Cdna2 && word >> 26 == 0x3c;
    }
    let formats: &[u32] = match generation {
        Generation::Gfx12 => &[0x34, 0x39, 0x3e],
        _ => &[0x3a, 0x3c, 0x3e],
    };
    let typed_buffer = generation == Generation::Gfx12 && word >> 26 == 0x31 && word >> 21 & 1 != 0;
    formats.contains(&(word >> 26)) || typed_buffer || matches!(word >> 24, 0xcd | 0xce)
}

/// LLVM and the decoder, side by side.
struct Oracle {
    llvm: Disassembler,
    target: &'static Target,
}

impl Oracle {
    fn decode(&self, wave: WaveSize, case: &Case) -> Option<Instruction> {
        decode(self.target.generation, wave, &bytes(case), 0).ok()
    }

    fn random_encodings(&self, options: &Options) -> Result<Tally, String> {
        let generator = Generator::new(self.target.generation);
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let share = options.count.div_ceil(threads);
        let tallies = thread::scope(|scope| {
            let workers: Vec<_> = (0..threads as u64)
                .map(|worker| {
                    let generator = &generator;
                    scope.spawn(move || {
                        let mut random = Random::new(options.seed.wrapping_mul(0x1000) + worker);
                        let mut tally = Tally::default();
                        let mut left = share;
                        while left > 0 {
                            let waves = self.target.waves;
                            let wave = waves[usize::from(random.below(4) == 0) % waves.len()];
                            let count = left.min(BATCH);
                            let cases: Vec<Case> =
                                (0..count).map(|_| generator.any(&mut random)).collect();
                            self.compare(wave, &cases, &mut tally)?;
                            left -= count;
                        }
                        Ok(tally)
                    })
                })
                .collect();
            workers
                .into_iter()
                .map(|worker| worker.join().map_err(|_| "a worker panicked".to_owned())?)
                .collect::<Result<Vec<Tally>, String>>()
        })?;
        let mut total = Tally::default();
        for tally in tallies {
            total.merge(tally);
        }
        Ok(total)
    }

    /// Compares cases, and the sizes of those that decode: LLVM must find just
    /// one instruction in the bytes we take.
    fn compare(&self, wave: WaveSize, cases: &[Case], tally: &mut Tally) -> Result<(), String> {
        let ours: Vec<Option<Instruction>> =
            cases.iter().map(|case| self.decode(wave, case)).collect();
        let blocks: Vec<Vec<u32>> = cases
            .iter()
            .zip(&ours)
            .map(|(case, ours)| match ours {
                Some(instruction) => case[..usize::from(instruction.size_bytes) / 4].to_vec(),
                None => case.to_vec(),
            })
            .collect();
        let theirs = self.llvm.disassemble(wave, &blocks)?;
        let mut doubtful = Vec::new();
        for ((case, ours), theirs) in cases.iter().zip(ours).zip(theirs) {
            let words: Vec<String> = case.iter().map(|word| format!("{word:08x}")).collect();
            let place = format!("{} ({}):", words.join(" "), wave.lanes());
            let valid = theirs.first().filter(|text| !is_flagged(text));
            if theirs
                .first()
                .is_some_and(|text| is_defect(ours.as_ref(), text))
            {
                tally.defects += 1;
                continue;
            }
            match (ours, valid) {
                _ if is_left_out(self.target.generation, case) => tally.unsupported += 1,
                (None, None) => tally.agree_invalid += 1,
                (Some(ours), None) => tally.only_ours.push(format!("{place} {ours}")),
                (None, Some(text)) => doubtful.push((place, *case, text.clone())),
                (Some(ours), Some(text)) => {
                    let ours = ours.to_string();
                    if ours == *text && theirs.len() == 1 {
                        tally.agree += 1;
                    } else {
                        tally.mismatch.push(format!(
                            "{place}\n  ours {ours}\n  LLVM {}",
                            theirs.join("; ")
                        ));
                    }
                }
            }
        }
        // LLVM's disassembler takes much that no assembler writes: unused bits
        // that are set, registers past the last, operands the chip does not have.
        let texts: Vec<&str> = doubtful.iter().map(|(_, _, text)| text.as_str()).collect();
        let assembled = self.llvm.assemble(wave, &texts)?;
        for ((place, case, text), assembled) in doubtful.iter().zip(assembled) {
            let canonical = assembled.is_some_and(|assembled| bytes(case).starts_with(&assembled));
            if canonical {
                tally.only_llvm.push(format!("{place} {text}"));
            } else {
                tally.not_canonical += 1;
            }
        }
        Ok(())
    }

    /// Compares all code in the given files.
    fn compare_files(&self, files: &[String]) -> Result<Tally, String> {
        let chip = self.target.chip;
        let mut tally = Tally::default();
        let mut sections = 0;
        for file in files {
            let code = images::code(Path::new(file), self.target.machine)?;
            sections += code.len();
            tally.merge(self.compare_code(code)?);
        }
        say(&format!(
            "{} files, {sections} {chip} code sections",
            files.len()
        ))?;
        if sections == 0 {
            return Err(format!("no {chip} image in these files"));
        }
        Ok(tally)
    }

    /// Compares every instruction of the code sections of one file.
    fn compare_code(&self, code: Vec<images::Code>) -> Result<Tally, String> {
        let mut tally = Tally::default();
        for images::Code { wave, bytes } in code {
            let wave = match self.target.waves {
                [only] => *only,
                _ => wave,
            };
            let mut cases = Vec::new();
            let mut offset = 0;
            while offset < bytes.len() {
                let mut case = [generate::NOP; WORDS];
                for (word, chunk) in case.iter_mut().zip(bytes[offset..].chunks_exact(4)) {
                    *word = u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]);
                }
                let size = decode(self.target.generation, wave, &bytes, offset)
                    .map_or(4, |instruction| usize::from(instruction.size_bytes));
                cases.push(case);
                offset += size;
            }
            for batch in cases.chunks(BATCH) {
                self.compare(wave, batch, &mut tally)?;
            }
        }
        Ok(tally)
    }

    /// Writes the golden file: two valid encodings of each instruction in each of
    /// its encodings, with LLVM's text.
    fn bless(&self, path: &Path, seed: u64) -> Result<(), String> {
        let mut random = Random::new(seed);
        let mut chosen = Vec::new();
        let generator = Generator::new(self.target.generation);
        let waves = self.target.waves;
        for form in &generator.forms {
            let both = form.encoding != Encoding::Vopd && form.depends_on_wave();
            let second = waves[usize::from(both) % waves.len()];
            for wave in [waves[0], second] {
                let words = self
                    .valid(&mut random, form, wave)
                    .ok_or_else(|| format!("found no valid encoding of {form:?}"))?;
                chosen.push((wave, words));
            }
        }
        let mut texts = vec![String::new(); chosen.len()];
        for &wave in waves {
            let (places, blocks): (Vec<usize>, Vec<Vec<u32>>) = chosen
                .iter()
                .enumerate()
                .filter(|(_, (own, _))| *own == wave)
                .map(|(place, (_, words))| (place, words.clone()))
                .unzip();
            for (place, theirs) in places
                .into_iter()
                .zip(self.llvm.disassemble(wave, &blocks)?)
            {
                let [text] = &theirs[..] else {
                    return Err(format!("LLVM does not accept {:08x?}", chosen[place].1));
                };
                texts[place].clone_from(text);
            }
        }
        let mut file = String::new();
        for ((wave, words), text) in chosen.iter().zip(&texts) {
            let hex: Vec<String> = words.iter().map(|word| format!("{word:08x}")).collect();
            let _ = writeln!(file, "{} {}\t{text}", wave.lanes(), hex.join(" "));
        }
        std::fs::write(path, file).map_err(|error| format!("{}: {error}", path.display()))?;
        say(&format!("{}: {} lines", path.display(), texts.len()))
    }

    /// The words of a random encoding of a form that decodes to it.
    fn valid(
        &self,
        random: &mut Random,
        form: &generate::Form,
        wave: WaveSize,
    ) -> Option<Vec<u32>> {
        const ATTEMPTS: usize = 1000;
        (0..ATTEMPTS).find_map(|_| {
            let case = generate::form(random, form);
            let instruction = self.decode(wave, &case)?;
            let second = instruction.dual.as_ref().map(|second| second.op);
            let hit = (instruction.op == form.op || second == Some(form.op))
                && instruction.modifiers.dpp.is_some() == form.dpp
                && instruction.modifiers.sdwa.is_some() == form.sdwa
                && !is_defect(Some(&instruction), "");
            hit.then(|| case[..usize::from(instruction.size_bytes) / 4].to_vec())
        })
    }
}

/// Where LLVM is known to be wrong:
///
/// - It takes a DPP control or mandatory literal below 256 for a 16-bit
///   register, whose bit 7 picks the half, and drops that bit; and control 255
///   for a literal, beyond the end of the code if need be.
/// - It takes the mask of a select with DPP for a part of the absolute value
///   in front of it (gfx12).
/// - It prints the number of a constant that a multiply-add with DPP has as
///   second source (gfx12).
/// - It lets vector instructions write read-only scalar operands.
/// - It lets dual-issue pairs read LDS directly, which gfx11 cannot.
/// - It takes a literal beside DPP in dot products of pairs (gfx12).
/// - In a pair of multiply-adds with literal it prints the literal source of
///   the second as if it were an inline constant.
fn is_defect(ours: Option<&Instruction>, theirs: &str) -> bool {
    if theirs == llvm::CRASH || theirs.contains(", vcc_lo|") || theirs.contains(", vcc|") {
        return true;
    }
    let Some(ours) = ours else {
        let destination = theirs.split([' ', ',']).nth(1);
        return destination.is_some_and(|name| name.starts_with("src_"))
            || theirs.starts_with("v_dual_") && theirs.contains("src_lds_direct")
            || theirs.starts_with("v_dot2_") && theirs.contains("_e64_dpp");
    };
    let halves = !ours.generation.is_gfx9();
    let drops_bit = match ours.modifiers.dpp {
        Some(_) if !halves => false,
        Some(Dpp::Lanes8 { lanes, .. }) => lanes[2] & 2 != 0 && lanes[3..] == [0; 5],
        Some(Dpp::Row {
            control: DppControl::QuadPerm(lanes),
            ..
        }) => lanes[3] & 2 != 0,
        _ => mandatory_literal(ours).is_some_and(|literal| literal & !0x7f == 0x80),
    };
    let second_literal = ours.op == Opcode::VFmamkF32
        && ours.dual.as_ref().is_some_and(|second| {
            mandatory_literal(second).is_some() && matches!(second.src[0], Operand::Literal(_))
        });
    let constant = |operand| matches!(operand, Operand::Int(_) | Operand::Float(_));
    let number_for_constant = matches!(ours.op, Opcode::VFmacF16 | Opcode::VFmacF32)
        && ours.modifiers.dpp.is_some()
        && constant(ours.src[1]);
    (drops_bit || second_literal || number_for_constant) && ours.to_string() != *theirs
}

/// The literal that an instruction or its companion always has.
fn mandatory_literal(instruction: &Instruction) -> Option<u32> {
    let own = instruction.info().src.iter().zip(instruction.src);
    own.filter(|(ty, _)| matches!(ty, Type::Literal32 | Type::Literal16))
        .find_map(|(_, operand)| match operand {
            Operand::Literal(bits) => Some(bits),
            _ => None,
        })
        .or_else(|| mandatory_literal(instruction.dual.as_deref()?))
}

/// True if LLVM prints the encoding, but says in a comment that it is wrong.
/// (Of `s_delay_alu`, only the text is at a loss.)
fn is_flagged(text: &str) -> bool {
    text.contains("/*") && !text.starts_with("s_delay_alu")
}

/// The name of a form, for messages.
impl std::fmt::Debug for generate::Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let dpp = if self.dpp { " with DPP" } else { "" };
        let sdwa = if self.sdwa { " with SDWA" } else { "" };
        let encoding: Encoding = self.encoding;
        write!(f, "{} as {}{dpp}{sdwa}", self.op.name(), encoding.name())
    }
}
