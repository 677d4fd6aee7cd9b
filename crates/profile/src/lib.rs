//! What happened when: a recorder of what a host and its devices do.
//!
//! A [`Profiler`] takes spans of host threads, work of device queues and
//! levels of memory, and sums up what calls spend their time on. Whoever has
//! no profiler records nothing and pays nothing. It knows nobody: those who
//! want to be seen tell it, from whichever layer.
//!
//! It is not a tracing framework. What is wanted beyond one is little: sums of
//! the time that spans spend outside of the spans within them, and work of
//! devices, whose times come later and from another clock; and what a
//! framework would add, filters and subscribers, nobody here needs.
#![forbid(unsafe_code)]

mod event;
mod profiler;
mod totals;

pub use event::{Activity, Detail, Event, Kind, Name, Profile, Track, TrackId, Work};
pub use profiler::{Origin, Profiler, Span};
pub use totals::Totals;
