//! Tests of the VM from outside: programs written with a small assembler.

mod asm;
mod linking;
mod listing;
mod ops;
mod pure;
mod running;
mod support;
