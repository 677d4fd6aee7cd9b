//! The conformance suite: what a device must do, whoever provides it.
//!
//! Every case runs on each device of each provider, those that record commands
//! in each command buffer mode, and those that bind buffers with buffers in the
//! commands (`direct`) and with a binding table (`indirect`) besides. Names say
//! which: `[software:gfx1100/graph/indirect] command_buffer::dispatch::abs`.
//!
//! Folders and cases follow IREE's own conformance suite; the bodies are ours.

mod buffer;
mod command_buffer;
mod commands;
mod driver;
mod event;
mod executable;
mod frame;
mod queue;
mod semaphore;

use std::process::ExitCode;

use frame::Case;
use libtest_mimic::Arguments;

/// Every folder of cases.
const FOLDERS: &[&[Case]] = &[
    buffer::allocator::CASES,
    buffer::mapping::CASES,
    command_buffer::basic::CASES,
    command_buffer::copy::CASES,
    command_buffer::dispatch::CASES,
    command_buffer::fill::CASES,
    command_buffer::indirect_parameters::CASES,
    command_buffer::pipeline::CASES,
    command_buffer::push::CASES,
    command_buffer::reuse::CASES,
    command_buffer::stress::CASES,
    command_buffer::transient::CASES,
    command_buffer::update::CASES,
    driver::CASES,
    event::CASES,
    executable::CASES,
    executable::cache::CASES,
    executable::layout::CASES,
    queue::alloca::CASES,
    queue::dispatch::CASES,
    queue::fault::CASES,
    queue::host_call::CASES,
    queue::submission::CASES,
    queue::transfer::CASES,
    semaphore::CASES,
    semaphore::threads::CASES,
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let cases: Vec<&Case> = FOLDERS.iter().copied().flatten().collect();
    libtest_mimic::run(&arguments, frame::trials(&cases)).exit_code()
}
