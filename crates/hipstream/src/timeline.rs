//! What was done when, as a file.
//!
//! ```
//! use hipstream::timeline::{Profiler, write_trace_events};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/gfx1100/add.vmfb");
//! let profiler = Profiler::default();
//! let mut options = hipstream::device::Options::default();
//! options.observers.profiler = Some(profiler.clone());
//! let device = hipstream::device::open("software", &options)?.device;
//! let builder = hipstream::Session::builder().device(&device).profiler(&profiler);
//! let mut session = builder.build()?;
//! # let (a, b) = ([1f32; 1000], [2f32; 1000]);
//! // SAFETY: the module comes from our own compiler run.
//! unsafe { session.load_file(path)? };
//! session.call("add", &[a.as_slice().into(), b.as_slice().into()])?;
//!
//! let mut file = Vec::new();
//! write_trace_events(&profiler.profile(), "add.vmfb", &mut file)?;
//! # assert!(String::from_utf8(file)?.contains("add_dispatch_0"));
//! # Ok(())
//! # }
//! ```

mod page;
mod trace_events;

pub use page::write_page;
pub use profile::{Profile, Profiler};
pub use trace_events::write_trace_events;

use profile::{Detail, Event, Kind};

/// What kind of thing an event is, in one word.
fn word(event: &Event) -> &'static str {
    match event.kind {
        Kind::Host(activity) => activity.word(),
        Kind::Device(work, _) => work.word(),
        Kind::Level => "level",
    }
}

/// What there is to say of an event beyond its name, as text; empty if there
/// is nothing.
fn detail(event: &Event) -> String {
    match event.detail {
        Detail::None => String::new(),
        Detail::Bytes(bytes) => format!("{bytes} bytes"),
        Detail::Nodes(nodes) => format!("{nodes} nodes"),
        Detail::Launch { grid, block } => {
            let ([x, y, z], [a, b, c]) = (grid, block);
            format!("grid {x}x{y}x{z}, block {a}x{b}x{c}")
        }
    }
}

#[cfg(test)]
mod testing {
    use profile::{Activity, Detail, Name, Profile, Profiler, Work};

    /// A name that is trouble for whoever does not expect it.
    pub(super) const HOSTILE: &str = "</script><img src=x onerror=alert(1)>\"\\\n\u{2028}\u{1}é";

    /// Two calls with what happens in calls.
    pub(super) fn profile() -> Profile {
        let profiler = Profiler::default();
        let queue = profiler.add_track("GPU, device 0", "queue 0");
        let memory = profiler.add_track("GPU, device 0", "device memory");
        for call in ["first", HOSTILE] {
            let _call = profiler.span(Activity::Call, call.to_owned());
            let _program = profiler.span(Activity::Program, "program");
            profiler.level(memory, 4096);
            let launch = profiler.span(Activity::Driver, "hipModuleLaunchKernel");
            let origin = launch.origin();
            drop(launch);
            let start = profiler.now_ns();
            let detail = Detail::Launch {
                grid: [4, 1, 1],
                block: [64, 1, 1],
            };
            let name = Name::from(format!("{call} kernel"));
            let span = (start, start + 1500);
            profiler.work(queue, span, Work::Dispatch, name, detail, origin);
            profiler.level(memory, 0);
        }
        profiler.profile()
    }
}
