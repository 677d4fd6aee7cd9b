//! Native modules: what compiled programs import.

pub mod hal;
pub mod io_parameters;
