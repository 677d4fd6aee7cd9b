//! How code reads buffers: addresses of lanes' places in general registers, and
//! loads of several dwords turned into a vector for each dword.

use iced_x86::code_asm::*;

use super::vectors::{Assembler, Width, ymm, zmm};
use super::{Made, base};

/// Registers that addresses are kept in.
const POOL: [AsmRegister64; 8] = [r9, r10, rbx, rbp, r12, r13, r14, r15];
/// Those of them that belong to the caller.
pub(super) const SAVED: [AsmRegister64; 6] = [rbx, rbp, r12, r13, r14, r15];
/// Bytes of the addresses of a source.
const PLACES: i32 = 256;

/// The place of a lane, counted from the strip's first, without constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lane {
    pub(super) source: usize,
    pub(super) lane: i32,
}

/// Which addresses are in registers.
#[derive(Default)]
pub(super) struct Pointers {
    held: [Option<Lane>; POOL.len()],
    /// When each was used last.
    used: [u32; POOL.len()],
    now: u32,
}

/// A load that is turned into vectors.
#[derive(Clone, Copy)]
pub(super) struct Piece {
    pub(super) constant: i32,
    pub(super) dwords: u16,
    /// Where the vector of the first dword goes, and how far apart they are.
    pub(super) to: AsmMemoryOperand,
    pub(super) apart: i32,
}

impl Pointers {
    /// The register of an address, which is loaded if it is in none. The last
    /// ones asked for stay where they are.
    pub(super) fn get(&mut self, code: &mut CodeAssembler, at: Lane) -> Made<AsmRegister64> {
        self.now += 1;
        let found = self.held.iter().position(|held| *held == Some(at));
        let number = found.unwrap_or_else(|| {
            let oldest = (0..POOL.len()).min_by_key(|&number| self.used[number]);
            oldest.expect("there are some")
        });
        self.used[number] = self.now;
        let register = POOL[number];
        if found.is_none() {
            let place = base::PLACES + (PLACES * at.source as i32 + 8 * at.lane);
            code.mov(register, qword_ptr(place))?;
            self.held[number] = Some(at);
        }
        Ok(register)
    }

    /// All registers may hold anything.
    pub(super) fn forget(&mut self) {
        self.held = [None; POOL.len()];
    }
}

impl Piece {
    /// Where the vector of a dword goes.
    fn to(&self, dword: i32) -> AsmMemoryOperand {
        self.to + self.apart * dword
    }
}

/// Makes loads of a source for its first `lanes` lanes (of the strip, that is).
pub(super) fn gather(
    asm: &mut Assembler,
    pointers: &mut Pointers,
    source: usize,
    lanes: i32,
    mut pieces: &[Piece],
) -> Made {
    while let [piece, rest @ ..] = pieces {
        pieces = rest;
        match (asm.width, piece.dwords, rest) {
            (Width::Zmm, 4, [next, rest @ ..])
                if lanes == 8 && next.dwords == 4 && next.constant == piece.constant + 16 =>
            {
                two_of_eight(asm, pointers, source, piece, next)?;
                pieces = rest;
            }
            (_, 4, _) if lanes == 8 => of_eight(asm, pointers, source, piece)?,
            (Width::Zmm, 4, _) => of_sixteen(asm, pointers, source, piece)?,
            _ => {
                for lane in 0..lanes {
                    let from = pointers.get(&mut asm.code, Lane { source, lane })?;
                    for dword in 0..i32::from(piece.dwords) {
                        let at = from + (piece.constant + 4 * dword);
                        asm.code.mov(r11d, dword_ptr(at))?;
                        let to = piece.to(dword) + 4 * lane;
                        asm.code.mov(dword_ptr(to), r11d)?;
                    }
                }
            }
        }
    }
    Ok(())
}

/// Four dwords of eight lanes: lanes 0 and 4 in the halves of one register, and
/// so on, are transposed within the halves.
fn of_eight(asm: &mut Assembler, pointers: &mut Pointers, source: usize, piece: &Piece) -> Made {
    for lane in 0..4 {
        let register = ymm(lane);
        let lane = i32::from(lane);
        let low = pointers.get(&mut asm.code, Lane { source, lane })?;
        let low = xmmword_ptr(low + piece.constant);
        asm.code.vmovups(XMM[lane as usize], low)?;
        let lane = lane + 4;
        let high = pointers.get(&mut asm.code, Lane { source, lane })?;
        let high = xmmword_ptr(high + piece.constant);
        asm.code.vinsertf128(register, register, high, 1)?;
    }
    let code = &mut asm.code;
    code.vunpcklps(ymm4, ymm0, ymm1)?;
    code.vunpckhps(ymm5, ymm0, ymm1)?;
    code.vunpcklps(ymm6, ymm2, ymm3)?;
    code.vunpckhps(ymm7, ymm2, ymm3)?;
    code.vunpcklpd(ymm0, ymm4, ymm6)?;
    code.vunpckhpd(ymm1, ymm4, ymm6)?;
    code.vunpcklpd(ymm2, ymm5, ymm7)?;
    code.vunpckhpd(ymm3, ymm5, ymm7)?;
    for dword in 0..4 {
        code.vmovups(ymmword_ptr(piece.to(dword.into())), ymm(dword))?;
    }
    Ok(())
}

const XMM: [AsmRegisterXmm; 4] = [xmm0, xmm1, xmm2, xmm3];

/// Transposes the dwords of registers 0 to 3 within their quarters.
fn transpose(code: &mut CodeAssembler) -> Made {
    code.vunpcklps(zmm4, zmm0, zmm1)?;
    code.vunpckhps(zmm5, zmm0, zmm1)?;
    code.vunpcklps(zmm6, zmm2, zmm3)?;
    code.vunpckhps(zmm7, zmm2, zmm3)?;
    code.vunpcklpd(zmm0, zmm4, zmm6)?;
    code.vunpckhpd(zmm1, zmm4, zmm6)?;
    code.vunpcklpd(zmm2, zmm5, zmm7)?;
    code.vunpckhpd(zmm3, zmm5, zmm7)
}

/// Eight dwords of eight lanes, those of two loads behind each other.
fn two_of_eight(
    asm: &mut Assembler,
    pointers: &mut Pointers,
    source: usize,
    piece: &Piece,
    next: &Piece,
) -> Made {
    let code = &mut asm.code;
    for lane in 0..4 {
        let low = pointers.get(code, Lane { source, lane })?;
        let number = lane as u8;
        code.vmovups(ymm(number), ymmword_ptr(low + piece.constant))?;
        let lane = lane + 4;
        let high = pointers.get(code, Lane { source, lane })?;
        let high = ymmword_ptr(high + piece.constant);
        code.vinsertf64x4(zmm(number), zmm(number), high, 1)?;
    }
    transpose(code)?;
    for dword in 0..4_u8 {
        // The quarters are lanes 0 to 3 of both loads, then lanes 4 to 7.
        let register = zmm(dword);
        code.vshuff64x2(register, register, register, 0b11_01_10_00)?;
        code.vmovups(ymmword_ptr(piece.to(dword.into())), ymm(dword))?;
        code.vextractf64x4(ymmword_ptr(next.to(dword.into())), register, 1)?;
    }
    Ok(())
}

/// Four dwords of sixteen lanes.
fn of_sixteen(asm: &mut Assembler, pointers: &mut Pointers, source: usize, piece: &Piece) -> Made {
    let code = &mut asm.code;
    for number in 0..4_u8 {
        for quarter in 0..4 {
            let lane = i32::from(number) + 4 * quarter;
            let from = pointers.get(code, Lane { source, lane })?;
            let from = xmmword_ptr(from + piece.constant);
            let register = zmm(number);
            match quarter {
                0 => code.vmovups(XMM[number as usize], from)?,
                _ => code.vinsertf32x4(register, register, from, quarter)?,
            }
        }
    }
    transpose(code)?;
    for dword in 0..4 {
        code.vmovups(zmmword_ptr(piece.to(dword.into())), zmm(dword))?;
    }
    Ok(())
}
