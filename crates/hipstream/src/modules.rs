//! Native modules: what compiled programs import.

pub mod hal;
