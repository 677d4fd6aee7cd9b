//! A module embedded in a program: no file is needed at run time.
//!
//! `cargo run -p hipstream --example embed [DEVICE]`
#![expect(unsafe_code, reason = "loading the module that this program carries")]
#![expect(clippy::print_stdout, reason = "a program talks on its terminal")]

use bytes::Bytes;
use hipstream::{Argument, Session};

/// Softmax over the rows of an 8×64 array, compiled for gfx1100.
static SOFTMAX: &[u8] = include_bytes!("../../../fixtures/gfx1100/softmax.vmfb");

fn main() -> hipstream::Result<()> {
    let device = std::env::args().nth(1);
    let mut session = Session::open(device.as_deref().unwrap_or("software"))?;
    // SAFETY: we compiled the module ourselves.
    unsafe { session.load(Bytes::from_static(SOFTMAX))? };

    let x: Vec<f32> = (0..8 * 64).map(|i| (i % 64) as f32 / 8.0).collect();
    let outputs = session.call("softmax", &[Argument::array(&x, &[8, 64])?])?;
    let y: Vec<f32> = outputs[0].to_vec()?;

    for (row, values) in y.chunks_exact(64).enumerate() {
        let sum: f32 = values.iter().sum();
        println!("row {row}: largest {:.4}, sum {sum:.6}", values[63]);
    }
    Ok(())
}
