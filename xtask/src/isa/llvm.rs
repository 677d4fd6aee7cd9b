//! Runs llvm-mc as a disassembler.

use std::io::Write as _;
use std::process::{Command, Stdio};

use amdgpu::isa::{Generation, WaveSize};

/// An installed llvm-mc, for one chip.
pub(super) struct Disassembler {
    program: String,
    chip: &'static str,
    generation: Generation,
}

/// Stands for the text of a block that crashes the disassembler.
pub(super) const CRASH: &str = "(llvm-mc crashes)";

/// What it said.
struct Output {
    text: String,
    errors: String,
}

impl Disassembler {
    /// Finds the newest llvm-mc in the search path.
    pub(super) fn find(chip: &'static str, generation: Generation) -> Option<Disassembler> {
        (16..40)
            .rev()
            .map(|version| format!("llvm-mc-{version}"))
            .chain(["llvm-mc".to_owned()])
            .find(|program| {
                Command::new(program)
                    .arg("--version")
                    .output()
                    .is_ok_and(|output| output.status.success())
            })
            .map(|program| Disassembler {
                program,
                chip,
                generation,
            })
    }

    pub(super) fn program(&self) -> &str {
        &self.program
    }

    /// Disassembles each block on its own: the texts of the instructions in
    /// it, up to the first that is invalid.
    pub(super) fn disassemble(
        &self,
        wave: WaveSize,
        blocks: &[Vec<u32>],
    ) -> Result<Vec<Vec<String>>, String> {
        if let Some(texts) = self.run(wave, blocks)? {
            return Ok(texts);
        }
        // The disassembler crashed: find the block.
        if blocks.len() == 1 {
            return Ok(vec![vec![CRASH.to_owned()]]);
        }
        let mut texts = Vec::with_capacity(blocks.len());
        for part in blocks.chunks(blocks.len().div_ceil(8)) {
            texts.extend(self.disassemble(wave, part)?);
        }
        Ok(texts)
    }

    /// One process; `None` if it crashed.
    fn run(&self, wave: WaveSize, blocks: &[Vec<u32>]) -> Result<Option<Vec<Vec<String>>>, String> {
        let mut input = String::new();
        for (number, block) in blocks.iter().enumerate() {
            push_block(&mut input, block);
            push_block(&mut input, &marker(number));
        }
        match self.pipe(wave, "--disassemble", input)? {
            Some(output) => split(&output.text, blocks.len()).map(Some),
            None => Ok(None),
        }
    }

    /// The bytes LLVM's assembler makes of each text.
    pub(super) fn assemble(
        &self,
        wave: WaveSize,
        texts: &[&str],
    ) -> Result<Vec<Option<Vec<u8>>>, String> {
        let output = self
            .pipe(wave, "--show-encoding", texts.join("\n"))?
            .ok_or("the assembler crashed")?;
        let mut good = vec![true; texts.len()];
        for line in output.errors.lines() {
            let number = line
                .strip_prefix("<stdin>:")
                .and_then(|rest| rest.split(':').next()?.parse::<usize>().ok());
            if let Some(good) = number.and_then(|number| good.get_mut(number - 1)) {
                *good &= !line.contains(": error:");
            }
        }
        let mut encodings = output.text.lines().filter_map(|line| {
            let (_, rest) = line.split_once("encoding: [")?;
            let (list, _) = rest.split_once(']')?;
            let digits = list.split(',').map(|byte| byte.trim_start_matches("0x"));
            // A byte with a relocation reads as a letter.
            Some(
                digits
                    .map(|byte| u8::from_str_radix(byte, 16).unwrap_or(0))
                    .collect(),
            )
        });
        Ok(good
            .into_iter()
            .map(|good| if good { encodings.next() } else { None })
            .collect())
    }

    /// Runs the program over `input`; `None` if it crashed.
    fn pipe(&self, wave: WaveSize, mode: &str, input: String) -> Result<Option<Output>, String> {
        let error = |error: std::io::Error| format!("{}: {error}", self.program);
        let mut command = Command::new(&self.program);
        command.args([mode, "-triple=amdgcn-amd-amdhsa", "-mcpu", self.chip]);
        let long = wave == WaveSize::Wave64 && !self.generation.is_gfx9();
        let features = [
            (long, "+wavefrontsize64"),
            // What the compilers of this generation use.
            (self.generation == Generation::Gfx12, "+real-true16"),
        ];
        let asked: Vec<&str> = features
            .iter()
            .filter_map(|&(asked, feature)| asked.then_some(feature))
            .collect();
        if !asked.is_empty() {
            command.arg(format!("-mattr={}", asked.join(",")));
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(error)?;
        let mut stdin = child.stdin.take().ok_or("no pipe")?;
        // A writer of its own: all pipes may fill up.
        let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
        let output = child.wait_with_output().map_err(error)?;
        let written = writer.join().map_err(|_| "the writer panicked")?;
        if output.status.code().is_none() || written.is_err() {
            return Ok(None);
        }
        Ok(Some(Output {
            text: String::from_utf8_lossy(&output.stdout).into_owned(),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        }))
    }
}

/// An instruction that separates blocks: `s_mov_b32 s0` with a literal that
/// random cases hardly ever have.
fn marker(number: usize) -> [u32; 2] {
    [0xbe80_00ff, 0x5ead_0000 ^ number as u32]
}

fn push_block(input: &mut String, words: &[u32]) {
    input.push('[');
    for byte in words.iter().flat_map(|word| word.to_le_bytes()) {
        input.push_str("0x");
        for digit in [byte >> 4, byte & 15] {
            input.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
        input.push(',');
    }
    input.pop();
    input.push_str("]\n");
}

fn split(text: &str, count: usize) -> Result<Vec<Vec<String>>, String> {
    let mut blocks = Vec::with_capacity(count);
    let mut block = Vec::new();
    let mut expected = marker_text(0);
    for line in text.lines().map(str::trim) {
        if line == expected {
            blocks.push(std::mem::take(&mut block));
            expected = marker_text(blocks.len());
        } else if !line.is_empty() && !line.starts_with('.') {
            block.push(line.to_owned());
        }
    }
    if blocks.len() == count {
        Ok(blocks)
    } else {
        Err(format!(
            "llvm-mc answered {} of {count} blocks",
            blocks.len()
        ))
    }
}

fn marker_text(number: usize) -> String {
    format!("s_mov_b32 s0, {:#x}", marker(number)[1])
}
