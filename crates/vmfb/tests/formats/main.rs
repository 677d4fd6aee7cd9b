//! The file formats, on what compilers made and on what is wrong with it.

mod archive;
mod executable;
mod module;
mod support;
