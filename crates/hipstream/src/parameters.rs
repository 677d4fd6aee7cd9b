//! Parameters: weights that a module names instead of holding them, and the
//! files they come from.
//!
//! A module asks for a key in a scope. A [`Set`] has scopes, a scope has the
//! entries of any number of [`Archive`]s, and an archive is a file in one of
//! the formats of [`Format`]. Files are mapped, not read: opening one costs
//! its index, and contents are touched when they go to a device.
//!
//! ```
//! use hipstream::Session;
//! use hipstream::parameters::{Mode, Set, Source};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # std::env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures"))?;
//! let sources: [Source; 2] = [
//!     "model=parameters/model.safetensors".parse()?,
//!     // For what the program names without a scope.
//!     "parameters/splats.irpa".parse()?,
//! ];
//! let device = hipstream::device::open("software", &Default::default())?.device;
//! let mut session = Session::builder()
//!     .device(&device)
//!     .parameters(Set::open(&sources, Mode::File)?)
//!     .build()?;
//! // SAFETY: the module comes from our own compiler run.
//! unsafe { session.load_file("gfx1100/parameters.vmfb")? };
//!
//! let outputs = session.call("main", &[[1f32; 4].as_slice().into()])?;
//! assert_eq!(outputs[0].to_vec::<f32>()?, [101.5, 101.5, 111.0, 120.0]);
//! # Ok(())
//! # }
//! ```
//!
//! | file | what |
//! |---|---|
//! | `archive.rs` | a file, its entries, where their bytes are |
//! | `set.rs` | scopes and their keys |
//! | `source.rs` | `[scope=]file`, as users write it |
//! | `listing.rs` | the entries of a file as text and as JSON |
//! | `irpa.rs`, `gguf.rs`, `safetensors.rs` | the formats: bytes to entries |

mod archive;
mod cursor;
mod error;
mod gguf;
mod irpa;
mod listing;
mod progress;
mod safetensors;
mod set;
mod source;
#[cfg(test)]
pub(crate) mod testing;

pub use archive::{Archive, Bytes, Contents, Entry, Format, Mode, Origin, Pattern};
pub use error::ParameterError;
pub use listing::Listing;
pub use progress::{Progress, ProgressObserver};
pub use set::{LookupError, Set};
pub use source::Source;
