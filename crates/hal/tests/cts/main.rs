//! The conformance suite: what a device must do, whoever provides it.
//!
//! Every case runs on each device of each provider: once if it depends on the
//! device alone, once per command buffer mode if commands reach the device,
//! twice that if they name buffers (`direct`: in the commands, `indirect`: by
//! slots of a binding table), and twice that again if they dispatch (kernels
//! of both compiler generations, by their containers: `hip1` and `rocm`, or
//! `cda1` and `cuda`).
//! Names say which: `[software:gfx1100/graph/indirect/hip1]
//! command_buffer::dispatch::abs`. A provider without a device is there with
//! every case ignored; the provider that computes nothing (`null`) checks that
//! commands and queues are driven, and no data.
//!
//! Folders and cases follow IREE's own conformance suite; the bodies are ours.
//! What that suite has and this one has not:
//!
//! | suite | why |
//! |---|---|
//! | files | there are no device files; parameters are loaded by the host |
//! | profiling of dispatches and queues | there is no profiling interface |
//! | explicit pools of queue allocations | queues allocate from the device's own pools |
//! | placement of buffers, preferred queues of deallocation | buffers belong to a device, not a queue |
//! | descriptor set of push descriptor type | every binding is an address, whatever its type |
//!
//! What devices cannot do yet stands in `known.rs`, with reasons.

mod buffer;
mod command_buffer;
mod driver;
mod event;
mod executable;
mod frame;
mod known;
mod programs;
mod queue;
mod semaphore;
mod work;

use std::process::ExitCode;

use frame::Case;
use libtest_mimic::Arguments;

/// Every folder of cases.
const FOLDERS: &[&[Case]] = &[
    buffer::allocator::CASES,
    buffer::mapping::CASES,
    command_buffer::barrier::CASES,
    command_buffer::basic::CASES,
    command_buffer::copy::CASES,
    command_buffer::dispatch::CASES,
    command_buffer::fill::CASES,
    command_buffer::indirect_parameters::CASES,
    command_buffer::pipeline::CASES,
    command_buffer::push::CASES,
    command_buffer::reuse::CASES,
    command_buffer::rules::CASES,
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
    queue::ahead::CASES,
    queue::in_flight::CASES,
    queue::submission::CASES,
    queue::transfer::CASES,
    semaphore::CASES,
    semaphore::threads::CASES,
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let cases: Vec<Case> = FOLDERS.iter().copied().flatten().copied().collect();
    let cases: Vec<Case> = cases.into_iter().chain(programs::cases()).collect();
    libtest_mimic::run(&arguments, frame::trials(&cases)).exit_code()
}
