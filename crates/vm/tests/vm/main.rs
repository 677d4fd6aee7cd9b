//! Tests of the VM from outside: programs written with a small assembler.

mod ahead;
mod asm;
mod generate;
mod host;
mod hostile;
mod linking;
mod listing;
mod mutations;
mod ops;
mod pure;
mod refusals;
mod running;
mod stand_in;
mod support;
